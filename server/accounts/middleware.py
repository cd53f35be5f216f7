"""Each request runs in the person's language and time zone; a session ends 12 hours after signing in."""

from __future__ import annotations

import time
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

SIGNED_IN_AT = "signed_in_at"


@receiver(user_logged_in)
def _remember_when(sender: object, request: HttpRequest, **kwargs: object) -> None:
    request.session[SIGNED_IN_AT] = int(time.time())


class PersonMiddleware:
    """Absolute session age, language and zone. Idle locking is the page's own (PROMISES section 3)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            signed_in = request.session.get(SIGNED_IN_AT)
            if signed_in is not None and time.time() - signed_in > settings.LAMINA_SESSION_HOURS * 3600:
                logout(request)
            else:
                translation.activate(user.language)
                request.LANGUAGE_CODE = translation.get_language()
                try:
                    timezone.activate(ZoneInfo(user.time_zone))
                except (ZoneInfoNotFoundError, ValueError):
                    timezone.deactivate()
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()
