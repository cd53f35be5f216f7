"""Which pages may open a socket. Browsers do not apply the same-origin rule to sockets, so the server must."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

_DEFAULT_PORTS = {"http": 80, "https": 443}


def allowed(scope: Mapping[str, Any]) -> bool:
    """True when the Origin header is this server's own address, or one of CSRF_TRUSTED_ORIGINS.

    The Host header must itself be one of ALLOWED_HOSTS. Without an Origin the answer is no: every browser sends it.
    """
    headers = {name.lower(): value for name, value in scope.get("headers", [])}
    try:
        origin = headers.get(b"origin", b"").decode("ascii")
        host = headers.get(b"host", b"").decode("ascii")
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        here = urlsplit(f"//{host}")
        here_port = here.port or _DEFAULT_PORTS.get(parts.scheme)
    except (UnicodeDecodeError, ValueError):
        return False
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    if settings.LAMINA_TLS and parts.scheme != "https":
        return False
    return (parts.hostname, port) == (here.hostname, here_port) and _is_ours(here.hostname, settings.ALLOWED_HOSTS)


def _is_ours(hostname: str | None, allowed_hosts: Iterable[str]) -> bool:
    if hostname is None:
        return False
    bracketed = f"[{hostname}]" if ":" in hostname else hostname
    return validate_host(bracketed, list(allowed_hosts))
