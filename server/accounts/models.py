"""People and projects. A role belongs to a membership, never to a person."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from server.core.models import BaseModel

# SCREENS "People": told apart by colour-blind eyes too, and always shown with the name.
COLOURS = ("#7AD7FF", "#FF9EBB", "#C6F26D", "#BAA37E", "#F9E3D8", "#C58BFF")


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(BaseModel, AbstractBaseUser):
    """A person. Signs in by e-mail address; the name is what others see."""

    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(_("name"), max_length=80)
    language = models.CharField(_("language"), max_length=10, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    theme = models.CharField(max_length=5, default="dark")
    colour = models.CharField(max_length=7, default=COLOURS[0])
    is_site_admin = models.BooleanField(default=False)
    is_demo = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]
    objects = UserManager()

    def __str__(self) -> str:
        return self.display_name


class Project(BaseModel):
    """What people share: studies, roles, a time zone, a key."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_archived = models.BooleanField(default=False)
    members = models.ManyToManyField(User, through="Membership", related_name="projects")

    def __str__(self) -> str:
        return self.name

    @property
    def project_id(self) -> object:
        """So that audit rows about a project land in its own chain."""
        return self.pk


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    READER = "reader", _("Reader")
    VIEWER = "viewer", _("Viewer")


class Membership(BaseModel):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices)
    is_adjudicator = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="one_membership_per_person"),
            models.CheckConstraint(
                condition=models.Q(is_adjudicator=False) | models.Q(role=Role.READER),
                name="an_adjudicator_is_a_reader",
            ),
        ]


class Invitation(BaseModel):
    """A one-time link into a project. Only the SHA-256 of its token is kept."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=8, choices=Role.choices)
    is_adjudicator = models.BooleanField(default=False)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
