"""Sockets end with the session that opened them."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from server.realtime import services


def watch_sign_outs() -> None:
    user_logged_out.connect(_signed_out, dispatch_uid="lamina.realtime.signed_out")


def _signed_out(sender: Any, request: HttpRequest | None, user: Any, **extra: Any) -> None:
    """Django tells this before it removes the session, so the bell names the session instead of asking to look."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    if user is not None and key:
        services.end_session(user.pk, key)


def person_of(session_key: str | None) -> Any | None:
    """The active person a session belongs to now, read anew; None when it ended, expired or the password changed."""
    if not session_key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(SimpleNamespace(session=store))  # checks the session's hash of the password
    return user if user.is_authenticated and user.is_active else None
