"""What the frame around every page shows: navigation, person, theme, words for the browser's modules."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.accounts.models import COLOURS
from server.accounts.selectors import ACTS
from server.realtime.selectors import last_numbers

SPRITE = "vendor/lucide-static-1.62.0/sprite.svg"
THEMES = ("dark", "light")
PROJECT_COOKIE = "lamina_project"  # slug of the project a person was in last
OWN_NAMES = {"en": "English", "zh-hans": "简体中文"}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Lazy, so that an answer without a page costs no query."""
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def initials(name: str) -> str:
    """Two letters for the round mark: first and last word, or the first character of a Chinese name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def _languages() -> list[dict[str, str]]:
    """Languages a person may choose: English, and those whose catalogues were built at set-up."""
    built = {
        path.parent.parent.name.replace("_", "-").lower()
        for folder in settings.LOCALE_PATHS
        for path in Path(folder).glob("*/LC_MESSAGES/django.mo")
    }
    return [
        {"code": code, "name": OWN_NAMES.get(code, code)}
        for code, _name in settings.LANGUAGES
        if code == "en" or code in built
    ]


def _catalogue() -> str:
    """Address of the JavaScript catalogue; English needs none, its words stand in the modules."""
    language = get_language() or "en"
    if language == "en":
        return ""
    try:
        return staticfiles_storage.url(f"lamina/catalogue/{language}.js")
    except ValueError:  # not built: the page speaks English
        return ""


def _shell(request: HttpRequest) -> dict[str, Any]:
    user: Any = getattr(request, "user", None)
    signed_in = bool(user is not None and user.is_authenticated)
    theme = user.theme if signed_in else request.COOKIES.get("lamina_theme", "dark")
    host = request.META.get("HTTP_HOST", "").rsplit(":", 1)[0]
    frame: dict[str, Any] = {
        "theme": theme if theme in THEMES else "dark",
        "catalogue": _catalogue(),
        "sprite": SPRITE,
        "languages": _languages(),
        "time_zone": user.time_zone if signed_in else "",
        "here": getattr(request, "page_key", ""),
        "not_encrypted": not request.is_secure() and host not in {"localhost", "127.0.0.1", "[::1]", "testserver"},
        "words": {
            "worklist": _("Worklist"),
            "import": _("Import"),
            "cases": _("Cases"),
            "team": _("Team"),
            "agreement": _("Agreement"),
            "reliance": _("Reliance"),
            "audit": _("Audit"),
            "projects": _("Projects"),
            "algorithms": _("Algorithms"),
            "operations": _("Operations"),
            "settings": _("Settings"),
        },
    }
    frame["page_data"] = {"languages": frame["languages"]}
    if signed_in:
        person = _person_frame(request, user)
        frame |= person | {"page_data": frame["page_data"] | person["page_data"]}
    return frame


def _ahead_key(request: HttpRequest) -> str:
    """The key a browser seals under what it fetches ahead of the next case: this session's own, and gone with it.

    Pages are not stored by browsers, so neither is the key; what lies in their storage cannot be read without it.
    """
    made = salted_hmac("lamina.ahead", request.session.session_key or "", algorithm="sha256")
    return base64.b64encode(made.digest()).decode() if request.session.session_key else ""


def _person_frame(request: HttpRequest, user: Any) -> dict[str, Any]:
    memberships = list(user.memberships.select_related("project").order_by("project__name"))
    projects = [
        {
            "id": str(m.project_id),
            "name": m.project.name,
            "slug": m.project.slug,
            "role": m.role,
            "may": sorted(ACTS[m.role]),
        }
        for m in memberships
        if not m.project.is_archived
    ]
    slug = getattr(request, "page_project", "") or request.COOKIES.get(PROJECT_COOKIE, "")
    project = next((p for p in projects if p["slug"] == slug), projects[0] if projects else None)
    person = {
        "id": str(user.pk),
        "name": user.display_name,
        "email": user.email,
        "initials": initials(user.display_name),
        "colour_index": COLOURS.index(user.colour) if user.colour in COLOURS else 0,
        "is_site_admin": user.is_site_admin,
        "time_zone": user.time_zone,
        "language": user.language,
        "theme": user.theme,
    }
    stream = f"user:{user.pk}"
    return {
        "person": person,
        "project": project
        and {
            **project,
            "team_url": reverse("team", args=[project["slug"]]),
            "cases_url": reverse("reading", args=[project["slug"]]),
            "agreement_url": reverse("agreement", args=[project["slug"]]),
            "reliance_url": reverse("reliance", args=[project["slug"]]),
            "audit_url": reverse("audit", args=[project["slug"]]),
        },
        "may_import": any("import" in p["may"] for p in projects),
        "page_data": {
            "person": person,
            "projects": projects,
            "project": project["id"] if project else None,
            "streams": {stream: last_numbers([stream]).get(stream, 0)},
            "logout": reverse("account_logout"),
            "ahead_key": _ahead_key(request),
        },
    }
