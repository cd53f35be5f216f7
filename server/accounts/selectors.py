"""Who may see and do what. Every other app asks here."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from server.accounts.models import Invitation, Membership, Project, Role, User

# What each role may do in its project. "view" opens studies; "manage" changes people and settings.
ACTS: dict[str, frozenset[str]] = {
    Role.ADMIN: frozenset({"view", "import", "reconstruct", "annotate", "delete", "manage"}),
    Role.READER: frozenset({"view", "import", "reconstruct", "annotate"}),
    Role.VIEWER: frozenset({"view"}),
}


def role_in(user: Any, project_id: UUID) -> str | None:
    """The person's role in a project, None for a stranger (a site admin included)."""
    if not getattr(user, "is_authenticated", False):
        return None
    return Membership.objects.filter(user_id=user.pk, project_id=project_id).values_list("role", flat=True).first()


def acts_in(user: Any, project_id: UUID) -> frozenset[str]:
    """Everything the person may do there. A site admin may manage any project, but sees inside only as a member."""
    acts = ACTS.get(role_in(user, project_id) or "", frozenset())
    if getattr(user, "is_site_admin", False) and user.is_active:
        acts = acts | {"manage"}
    return acts


def may(user: Any, project_id: UUID, act: str) -> bool:
    return act in acts_in(user, project_id)


def project_ids_with(user: Any, act: str) -> QuerySet:
    """Ids of the projects where the person's role allows the act, as a subquery. Site admin's extra right excluded."""
    roles = [role for role, acts in ACTS.items() if act in acts]
    return Membership.objects.filter(user_id=user.pk, role__in=roles).values("project_id")


def projects_visible_to(user: Any) -> QuerySet[Project]:
    """Projects the person belongs to; all of them for a site admin."""
    if not getattr(user, "is_authenticated", False):
        return Project.objects.none()
    if user.is_site_admin:
        return Project.objects.order_by("name")
    return Project.objects.filter(memberships__user_id=user.pk).order_by("name")


def people_visible_to(user: Any) -> QuerySet[User]:
    """Everybody for a site admin, nobody else's list."""
    if getattr(user, "is_site_admin", False):
        return User.objects.order_by("display_name", "email")
    return User.objects.none()


def members_of(project: Project) -> QuerySet[Membership]:
    return Membership.objects.filter(project=project).select_related("user").order_by("user__display_name")


def invitation_for(token: str) -> Invitation | None:
    """The invitation a link names, while it is unused and in time."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    invitation = Invitation.objects.select_related("project").filter(token_digest=digest, used_at=None).first()
    return invitation if invitation and invitation.expires_at > timezone.now() else None
