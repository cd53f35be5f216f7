"""Every change to people, projects and roles: row, audit entry and event together."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from server.accounts.events import MembershipChanged, SessionsEnded
from server.accounts.leaving import tell_leaving
from server.accounts.models import COLOURS, Invitation, Membership, Project, Role, User
from server.core import audit
from server.core.errors import LaminaError
from server.realtime.services import publish

INVITATION_DAYS = 14


@transaction.atomic
def create_user(
    *,
    email: str,
    display_name: str,
    password: str | None,
    is_site_admin: bool = False,
    is_demo: bool = False,
    language: str = "en",
    by: User | None = None,
) -> User:
    """A new person. Raises LaminaError when the address is taken, ValidationError for a weak password."""
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise LaminaError("email_taken", _("There is already a person with this e-mail address."), 409)
    user = User(email=email, display_name=display_name.strip() or email, is_site_admin=is_site_admin, is_demo=is_demo)
    user.language = language
    user.colour = COLOURS[User.objects.count() % len(COLOURS)]
    if password is None:
        user.set_unusable_password()
    else:
        validate_password(password, user)
        user.set_password(password)
    user.save()
    audit.record(by or user, "user.created", user, is_site_admin=is_site_admin)
    return user


@transaction.atomic
def update_profile(*, user: User, by: User, **changes: str) -> User:
    """Own name, language, time zone, theme."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes, "modified_at"])
    audit.record(by, "user.profile_changed", user, fields=sorted(changes))
    return user


@transaction.atomic
def create_project(*, name: str, by: User, time_zone: str = "UTC", admin: User | None = None) -> Project:
    """A new project, its maker (or `admin`) being the first project admin."""
    name = name.strip()
    if not name:
        raise LaminaError("name_missing", _("A project needs a name."), 422)
    if Project.objects.filter(name__iexact=name).exists():
        raise LaminaError("name_taken", _("There is already a project with this name."), 409)
    slug = slugify(name) or "project"
    while Project.objects.filter(slug=slug).exists():
        slug = f"{slug[:70]}-{secrets.token_hex(3)}"
    project = Project.objects.create(name=name, slug=slug, time_zone=time_zone)
    audit.record(by, "project.created", project)
    add_member(project=project, user=admin or by, role=Role.ADMIN, by=by)
    return project


@transaction.atomic
def update_project(*, project: Project, by: User, **changes: object) -> Project:
    """Name, time zone, archived or not."""
    name = changes.get("name")
    if name and Project.objects.filter(name__iexact=str(name)).exclude(pk=project.pk).exists():
        raise LaminaError("name_taken", _("There is already a project with this name."), 409)
    for field, value in changes.items():
        setattr(project, field, value)
    project.save(update_fields=[*changes, "modified_at"])
    audit.record(by, "project.changed", project, fields=sorted(changes))
    return project


def _role_told(user: User, project_id: UUID, role: str | None) -> None:
    publish(MembershipChanged(project_id=project_id, role=role), stream=f"user:{user.pk}")


@transaction.atomic
def add_member(*, project: Project, user: User, role: str, by: User, is_adjudicator: bool = False) -> Membership:
    """Give a person a role. Raises LaminaError when they have one already."""
    if Membership.objects.filter(project=project, user=user).exists():
        raise LaminaError("already_member", _("This person is a member already. Change the role instead."), 409)
    adjudicates = is_adjudicator and role == Role.READER
    membership = Membership.objects.create(project=project, user=user, role=role, is_adjudicator=adjudicates)
    audit.record(by, "member.added", membership, project_id=project.pk, user_id=user.pk, role=role)
    _role_told(user, project.pk, role)
    return membership


@transaction.atomic
def change_member(*, membership: Membership, role: str, is_adjudicator: bool, by: User) -> Membership:
    """Change a role or the adjudicator's duty. The last project admin stays."""
    membership = Membership.objects.select_for_update().select_related("user").get(pk=membership.pk)
    if membership.role == Role.ADMIN and role != Role.ADMIN:
        _keep_one_admin(membership)
    if role == Role.VIEWER != membership.role:
        tell_leaving(user_id=membership.user_id, project_id=membership.project_id, by=by)
    membership.role = role
    membership.is_adjudicator = is_adjudicator and role == Role.READER
    membership.save()
    audit.record(
        by, "member.changed", membership, project_id=membership.project_id, user_id=membership.user_id, role=role
    )
    _role_told(membership.user, membership.project_id, role)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """Take a person out of a project; their open sockets lose its streams at once."""
    if membership.role == Role.ADMIN:
        _keep_one_admin(membership)
    audit.record(by, "member.removed", membership, project_id=membership.project_id, user_id=membership.user_id)
    user, project_id = membership.user, membership.project_id
    tell_leaving(user_id=user.pk, project_id=project_id, by=by)
    membership.delete()
    _role_told(user, project_id, None)


def _keep_one_admin(membership: Membership) -> None:
    # The project row is locked so that two admins cannot step down at the same moment.
    Project.objects.select_for_update().get(pk=membership.project_id)
    others = Membership.objects.filter(project_id=membership.project_id, role=Role.ADMIN).exclude(pk=membership.pk)
    if not others.exists():
        message = _("This is the project's last admin. Make somebody else admin first.")
        raise LaminaError("last_admin", message, 409)


@transaction.atomic
def invite(
    *, project: Project, email: str, role: str, by: User, is_adjudicator: bool = False
) -> tuple[Invitation, str]:
    """A one-time link for one address. Returns the invitation and the path of the link, shown once."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        project=project,
        email=email.strip().lower(),
        role=role,
        is_adjudicator=is_adjudicator and role == Role.READER,
        token_digest=hashlib.sha256(token.encode()).hexdigest(),
        invited_by=by,
        expires_at=timezone.now() + timedelta(days=INVITATION_DAYS),
    )
    audit.record(by, "member.invited", invitation, project_id=project.pk, role=role)
    return invitation, reverse("invitation", args=[token])


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, by: User) -> None:
    audit.record(by, "invitation.withdrawn", invitation, project_id=invitation.project_id)
    invitation.delete()


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User | None, display_name: str = "", password: str = "") -> User:
    """Use the link: join as the signed-in person, or become a new person with the invited address.

    Raises LaminaError when the link was used in the meantime or the address has an account already.
    """
    invitation = Invitation.objects.select_for_update().select_related("project").get(pk=invitation.pk)
    if invitation.used_at or invitation.expires_at <= timezone.now():
        raise LaminaError("invitation_used", _("This link was used or has run out. Ask for a new one."), 410)
    if user is None:
        if User.objects.filter(email=invitation.email).exists():
            raise LaminaError("sign_in_first", _("Sign in with your account, then open the link again."), 409)
        user = create_user(email=invitation.email, display_name=display_name, password=password)
    elif user.email != invitation.email:
        raise LaminaError("other_address", _("This link is for another e-mail address."), 403)
    invitation.used_at = timezone.now()
    invitation.save(update_fields=["used_at", "modified_at"])
    if not Membership.objects.filter(project=invitation.project, user=user).exists():
        add_member(
            project=invitation.project,
            user=user,
            role=invitation.role,
            by=user,
            is_adjudicator=invitation.is_adjudicator,
        )
    return user


@transaction.atomic
def end_sessions(*, user: User, by: User, reason: str = "admin") -> int:
    """Sign a person out everywhere; open sockets close within two seconds. Returns how many sessions ended."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    audit.record(by, "user.sessions_ended", user, reason=reason, count=len(sessions))
    publish(SessionsEnded(reason=reason), stream=f"user:{user.pk}")
    return len(sessions)


@transaction.atomic
def end_own_session(*, session: UserSession, by: User) -> None:
    """Sign one of the own browsers out."""
    session.end()
    audit.record(by, "user.session_ended", by)
    publish(SessionsEnded(reason="own"), stream=f"user:{by.pk}")


@transaction.atomic
def change_password(*, user: User, password: str, keep_session: str | None = None) -> None:
    """A new password; every other browser is signed out. Raises ValidationError for a weak one."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password", "modified_at"])
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep_session or ""):
        session.end()
    audit.record(user, "user.password_changed", user)
    publish(SessionsEnded(reason="password_changed"), stream=f"user:{user.pk}")


@transaction.atomic
def reset_password(*, user: User, by: User) -> str:
    """The path of a one-time link to choose a new password. The old password stops working now."""
    user = User.objects.select_for_update().get(pk=user.pk)  # the token covers the last sign-in as stored
    user.set_unusable_password()
    user.save(update_fields=["password", "modified_at"])
    end_sessions(user=user, by=by, reason="password_reset")
    audit.record(by, "user.password_reset", user)
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    uid, _, token = key.partition("-")
    return reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})


@transaction.atomic
def set_active(*, user: User, is_active: bool, by: User) -> User:
    """Close or reopen an account. A site needs one active admin."""
    if not is_active and user.is_site_admin:
        others = User.objects.select_for_update().filter(is_site_admin=True, is_active=True).exclude(pk=user.pk)
        if not others.exists():
            raise LaminaError("last_admin", _("This is the last active admin of the site."), 409)
    user.is_active = is_active
    user.save(update_fields=["is_active", "modified_at"])
    audit.record(by, "user.activated" if is_active else "user.deactivated", user)
    if not is_active:
        end_sessions(user=user, by=by, reason="deactivated")
    return user
