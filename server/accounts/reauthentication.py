"""One function asks for the password again (or the second factor, or a fresh login) before acts that last."""

from __future__ import annotations

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from server.core.errors import LaminaError


def require_recent_authentication(request: HttpRequest) -> None:
    """Raise `reauthentication_needed` (403, with the page to go to) unless the person proved themselves recently.

    Recently is ACCOUNT_REAUTHENTICATION_TIMEOUT seconds; signing in does not count. allauth notes the moment and offers
    what the person has set up: password, TOTP, passkey.
    """
    if not did_recently_reauthenticate(request):
        message = _("Enter your password again first.")
        raise LaminaError("reauthentication_needed", message, 403, url=reverse("account_reauthenticate"))
