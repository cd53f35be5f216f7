"""What every page knows: the person, their projects, and what the site is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from server.accounts.selectors import projects_visible_to


def person(request: HttpRequest) -> dict[str, Any]:
    site = {
        "lamina_version": settings.LAMINA_VERSION,
        "lamina_demo": settings.LAMINA_DEMO,
        "is_encrypted": request.is_secure(),
        "is_loopback": request.get_host().rsplit(":", 1)[0] in {"localhost", "127.0.0.1", "[::1]"},
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return site
    return {**site, "my_projects": projects_visible_to(user)}
