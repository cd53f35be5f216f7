"""Each request runs in the person's language and time zone; a session ends 12 hours after signing in."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from redis import RedisError

SIGNED_IN_AT = "signed_in_at"
SEEN_EVERY_SECONDS = 60


@receiver(user_logged_in)
def _remember_when(sender: object, request: HttpRequest, **kwargs: object) -> None:
    request.session[SIGNED_IN_AT] = int(time.time())


def _note_seen(request: HttpRequest) -> None:
    """Say when this browser was last here, at most once a minute: a page asks for hundreds of slices at once."""
    key = request.session.session_key or ""
    try:
        is_first = cache.add(f"seen:{hashlib.sha256(key.encode()).hexdigest()}", 1, SEEN_EVERY_SECONDS)
    except RedisError:  # the broker is away; people go on reading
        return
    if is_first:
        UserSession.objects.filter(session_key=key).update(last_seen_at=timezone.now())


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
                _note_seen(request)
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
