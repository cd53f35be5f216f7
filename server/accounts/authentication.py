"""Session authentication that answers 401, not 403, to somebody signed out, so that the page can say so."""

from __future__ import annotations

from typing import Any

from rest_framework import authentication


class SessionAuthentication(authentication.SessionAuthentication):
    def authenticate_header(self, request: Any) -> str:
        return "Session"
