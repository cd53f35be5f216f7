"""One function asks for the password again (or the second factor, or a fresh login) before acts that last."""

from __future__ import annotations

from allauth.account.forms import ReauthenticateForm as PasswordForm
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, reauthenticate_by_password
from allauth.core.ratelimit import consume
from allauth.mfa.base.forms import ReauthenticateForm as CodeForm
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


def prove_again(request: HttpRequest, *, password: str = "", code: str = "") -> None:
    """Check the password, or a TOTP code where one is set up, now: for an act that is signed with it.

    Tries are counted as those of allauth's own page are. Raises LaminaError wrong_password, wrong_code (403),
    too_many_tries (429), or no_proof (422) where neither was given.
    """
    if not password and not code:
        raise LaminaError("no_proof", _("Enter your password, or a code of your second factor."), 422)
    if not consume(request, action="reauthenticate", user=request.user):
        raise LaminaError("too_many_tries", _("Too many tries. Wait a few minutes."), 429)
    if code:
        form = CodeForm({"code": code}, user=request.user)
        if not form.is_valid():
            raise LaminaError("wrong_code", _("This code is not right. Wait for the next one."), 403)
        form.save()
        return
    if not PasswordForm({"password": password}, user=request.user).is_valid():
        raise LaminaError("wrong_password", _("This password is not right."), 403)
    reauthenticate_by_password(request)
