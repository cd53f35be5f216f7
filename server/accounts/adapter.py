"""Where allauth asks how this site signs people in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ClosedDoor(DefaultAccountAdapter):
    """Nobody signs up alone: people come by invitation (or `manage.py create_admin`)."""

    # One sentence for an unknown address and for a wrong password: neither tells which people have an account.
    _wrong = _("Address or password is not right. Try again, or ask an admin for a link.")
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _wrong,
        "too_many_login_attempts": _("Too many attempts. Wait some minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail only where a server is set up; links are shown to the admin otherwise."""
        from django.conf import settings

        if settings.EMAIL_URL:
            super().send_mail(template_prefix, email, context)
