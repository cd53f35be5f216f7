"""The pages. A view says who may open it and hands a little data on; the modules fetch the rest from the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from server.accounts import services as accounts
from server.accounts.models import Project, Role, User
from server.accounts.selectors import acts_in, invitation_for, may, projects_visible_to
from server.api.context import PROJECT_COOKIE
from server.core.errors import LaminaError
from server.realtime.selectors import last_numbers

View = Callable[..., HttpResponse]


def _for_people(view: View) -> View:
    """What every page of a signed-in person has: it is read only, closed to others, and kept by no cache."""
    return require_GET(login_required(never_cache(view)))


def _page(
    request: HttpRequest, template: str, key: str, page: dict[str, Any] | None = None, *, project: str = "", **more: Any
) -> HttpResponse:
    """One page inside the frame. `key` lights the navigation, `page` becomes the document's page-data."""
    request.page_key = key  # type: ignore[attr-defined]
    request.page_project = project  # type: ignore[attr-defined]
    response = render(request, template, {"page": page or {}, **more})
    if project:
        # Pages that belong to no project keep the navigation of the one the person was in last.
        response.set_cookie(
            PROJECT_COOKIE, project, max_age=365 * 86_400, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    return response


@_for_people
def worklist(request: HttpRequest) -> HttpResponse:
    from server.readings.cases.selectors import open_readings

    streams = [f"project:{m.project_id}" for m in request.user.memberships.all()]
    data = {"streams": last_numbers(streams), "open_readings": open_readings(request.user).count()}
    return _page(request, "worklist.html", "worklist", data)


@_for_people
def import_files(request: HttpRequest) -> HttpResponse:
    if not request.user.memberships.filter(role__in=(Role.ADMIN, Role.READER)).exists():
        raise PermissionDenied(_("Only readers and admins of a project import files."))
    return _page(request, "import.html", "import")


@_for_people
def study(request: HttpRequest, study_id: UUID) -> HttpResponse:
    from server.studies.selectors import studies_visible_to

    rows = studies_visible_to(request.user).select_related("project", "patient")
    row = get_object_or_404(rows, pk=study_id)
    data = {"study_id": str(row.pk)}
    return _page(request, "study.html", "worklist", data, project=row.project.slug, study=row)


@_for_people
def algorithms(request: HttpRequest) -> HttpResponse:
    return _page(request, "algorithms.html", "algorithms")


@_for_people
def operations(request: HttpRequest) -> HttpResponse:
    if not request.user.is_site_admin:
        raise PermissionDenied(_("Only a site admin sees operations."))
    return _page(request, "operations.html", "operations")


@_for_people
def settings(request: HttpRequest) -> HttpResponse:
    from zoneinfo import available_timezones

    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))
    return _page(request, "settings.html", "settings", {}, zones=["UTC", *zones])


@_for_people
def projects(request: HttpRequest) -> HttpResponse:
    return _page(request, "projects.html", "projects")


def _project_page(request: HttpRequest, template: str, key: str, project: Project) -> HttpResponse:
    """A page of one project; what it is and what the person may do there goes to its module."""
    data = {
        "project": {
            "id": str(project.pk),
            "name": project.name,
            "slug": project.slug,
            "time_zone": project.time_zone,
            "may": sorted(acts_in(request.user, project.pk)),
        }
    }
    return _page(request, template, key, data, project=project.slug, project_name=project.name)


def _member_project(request: HttpRequest, slug: str) -> Project:
    """404 for who does not belong to it; a site admin who is no member sees nothing inside."""
    visible = projects_visible_to(request.user).filter(memberships__user_id=request.user.pk)
    return get_object_or_404(visible, slug=slug)


@_for_people
def team(request: HttpRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(projects_visible_to(request.user), slug=slug)
    return _project_page(request, "team.html", "team", project)


@_for_people
def reading(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's cases and the protocol they are read by."""
    return _project_page(request, "reading.html", "cases", _member_project(request, slug))


@_for_people
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """How far the readers agree, by name."""
    project = _member_project(request, slug)
    if not may(request.user, project.pk, "manage"):
        raise PermissionDenied(_("Only an admin of the project sees how far its readers agree."))
    return _project_page(request, "agreement.html", "agreement", project)


@_for_people
def reliance(request: HttpRequest, slug: str) -> HttpResponse:
    """Who followed the algorithm when it was right and when it was wrong; readers see themselves."""
    project = _member_project(request, slug)
    if not may(request.user, project.pk, "annotate"):
        raise PermissionDenied(_("Only readers and admins of the project see this page."))
    return _project_page(request, "reliance.html", "reliance", project)


@_for_people
def audit(request: HttpRequest, slug: str) -> HttpResponse:
    """What was done in the project, by whom; verified and taken away."""
    project = get_object_or_404(projects_visible_to(request.user), slug=slug)
    if not may(request.user, project.pk, "manage"):
        raise PermissionDenied(_("Only an admin of the project sees its audit."))
    return _project_page(request, "audit.html", "audit", project)


@_for_people
def components(request: HttpRequest) -> HttpResponse:
    """Every part in every state, for those who build and test pages."""
    if not request.user.is_site_admin:
        raise PermissionDenied(_("Only a site admin sees this page."))
    return _page(request, "components.html", "components")


@require_http_methods(["GET", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link into a project: a new person chooses name and password, a known one joins."""
    found = invitation_for(token)
    if found is None:
        return render(request, "invitation_used.html", status=410)
    user = request.user if request.user.is_authenticated else None
    known = user is None and User.objects.filter(email=found.email).exists()
    errors: list[str] = []
    if request.method == "POST" and not known:
        try:
            accounts.accept_invitation(
                invitation=found,
                user=user,
                display_name=request.POST.get("display_name", "").strip()[:80],
                password=request.POST.get("password", ""),
            )
        except LaminaError as error:
            errors = [error.message]
        except ValidationError as error:
            errors = list(error.messages)
        else:
            return redirect("worklist" if user else "account_login")
    context = {
        "invitation": found,
        "role": Role(found.role).label,
        "known": known,
        "errors": errors,
        "display_name": request.POST.get("display_name", ""),
        "other_person": user is not None and user.email != found.email,
    }
    return render(request, "invitation.html", context, status=400 if errors else 200)
