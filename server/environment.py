"""What the settings read from the environment, in one place and without Django.

Every value has one name (STACK names them in the README). Keys that must survive a restart may come from the
environment; where they do not, they are made once and kept in LAMINA_HOME, readable by its owner only.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit


def home() -> Path:
    """The one private folder of an installation. Made with mode 0700."""
    folder = Path(os.environ.get("LAMINA_HOME") or Path.home() / ".lamina").expanduser().resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def kept_secret(variable: str, file_name: str) -> bytes:
    """32 bytes from `variable` (base64) or from a 0600 file in LAMINA_HOME, made on first use.

    Raises ValueError naming the variable when it does not hold 32 bytes.
    """
    if value := os.environ.get(variable):
        try:
            key = base64.b64decode(value, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ValueError(f"{variable} must be 32 bytes in base64; make one with: openssl rand -base64 32")
        return key
    path = home() / file_name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
            file.flush()
            os.fsync(file.fileno())
    # Another process may have just created the file and not yet written it: an empty read is retried.
    for _ in range(100):
        if text := path.read_text().strip():
            return base64.b64decode(text)
        import time

        time.sleep(0.02)
    raise ValueError(f"{path} is empty; restore it from the backup, or remove it where nothing is stored yet")


def database() -> dict[str, Any]:
    """Django's DATABASES["default"] from DATABASE_URL, over TCP or a unix socket (`?host=/folder`)."""
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    if url.scheme not in {"postgresql", "postgres"}:
        raise ValueError("DATABASE_URL must look like postgresql://user:password@host:port/name")
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    host = query.pop("host", None) or url.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": host,
        "PORT": str(query.pop("port", "") or url.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**query, "connect_timeout": 5},
    }


def redis_url(offset: int = 0) -> str:
    """REDIS_URL with its database number moved by `offset`: 0 is the broker, 1 the channel layer and cache."""
    url = urlsplit(os.environ.get("REDIS_URL", ""))
    if url.scheme == "unix":
        query = parse_qs(url.query)
        number = int(query.get("db", ["0"])[-1]) + offset
        return f"unix://{url.path}?db={number}"
    if url.scheme not in {"redis", "rediss"}:
        raise ValueError("REDIS_URL must look like redis://host:port/0 or unix:///folder/redis.sock?db=0")
    number = int(url.path.lstrip("/") or 0) + offset
    return urlunsplit((url.scheme, url.netloc, f"/{number}", url.query, ""))


def broker_url() -> str:
    """The broker as kombu spells it: a unix socket is redis+socket://path?virtual_host=number."""
    url = urlsplit(redis_url())
    if url.scheme != "unix":
        return redis_url()
    return f"redis+socket://{url.path}?virtual_host={parse_qs(url.query)['db'][-1]}"
