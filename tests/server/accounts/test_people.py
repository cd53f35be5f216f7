"""People, roles and links: row, audit entry and event together; the last admin stays; links work once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from server.accounts import services
from server.accounts.models import Invitation, Membership, User
from server.accounts.selectors import acts_in, may, project_ids_with, projects_visible_to
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.realtime.models import StreamEvent
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def acts_of(project):
    return list(AuditEntry.objects.filter(project_id=project.pk).order_by("at").values_list("act", flat=True))


def test_a_project_belongs_to_its_members_only(make_user, make_project):
    reader, stranger, site_admin = make_user("reader"), make_user("stranger"), make_user("root", is_site_admin=True)
    project = make_project(reader=reader)
    assert list(projects_visible_to(reader)) == [project]
    assert list(projects_visible_to(stranger)) == []
    assert acts_in(stranger, project.pk) == frozenset()
    assert may(reader, project.pk, "annotate")
    assert not may(reader, project.pk, "manage")
    # A site admin manages every project and looks into none.
    assert list(projects_visible_to(site_admin)) == [project]
    assert acts_in(site_admin, project.pk) == {"manage"}
    assert not project_ids_with(site_admin, "view").exists()


def test_every_change_of_a_role_is_audited_and_told(make_user, make_project):
    reader = make_user("reader")
    project = make_project(reader=reader)
    membership = Membership.objects.get(user=reader, project=project)
    services.change_member(membership=membership, role="viewer", is_adjudicator=True, by=reader)
    membership.refresh_from_db()
    assert membership.role == "viewer"
    assert not membership.is_adjudicator
    services.remove_member(membership=membership, by=reader)
    told = StreamEvent.objects.filter(stream=f"user:{reader.pk}").order_by("seq")
    assert [(e.type, e.payload["role"]) for e in told] == [
        ("membership.changed", "reader"),
        ("membership.changed", "viewer"),
        ("membership.changed", None),
    ]
    assert acts_of(project)[-3:] == ["member.added", "member.changed", "member.removed"]


def test_the_last_admin_stays(make_user, make_project):
    admin = make_user("admin")
    project = make_project(admin=admin)
    membership = Membership.objects.get(user=admin, project=project)
    for act in (
        lambda: services.remove_member(membership=membership, by=admin),
        lambda: services.change_member(membership=membership, role="reader", is_adjudicator=False, by=admin),
    ):
        with pytest.raises(LaminaError) as caught:
            act()
        assert caught.value.code == "last_admin"
    assert Membership.objects.get(pk=membership.pk).role == "admin"


def test_an_invitation_works_once_and_only_for_its_address(make_user, make_project):
    project = make_project()
    invitation, link = services.invite(project=project, email="New@Example.org", role="reader", by=make_user())
    token = link.strip("/").split("/")[-1]
    assert token not in str(Invitation.objects.values().get())
    with pytest.raises(LaminaError, match="another e-mail"):
        services.accept_invitation(invitation=invitation, user=make_user("other"))
    user = services.accept_invitation(invitation=invitation, user=None, display_name="New", password=PASSWORD)
    assert user.email == "new@example.org"
    assert may(user, project.pk, "annotate")
    with pytest.raises(LaminaError, match="used or has run out"):
        services.accept_invitation(invitation=invitation, user=None, display_name="Again", password=PASSWORD)


def test_an_old_invitation_is_refused(make_user, make_project, api_client):
    _invitation, link = services.invite(project=make_project(), email="a@example.org", role="viewer", by=make_user())
    token = link.strip("/").split("/")[-1]
    assert api_client().get(f"/api/invitations/{token}/").json()["email"] == "a@example.org"
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api_client().get(f"/api/invitations/{token}/").status_code == 404


def test_a_weak_password_is_refused_and_nobody_is_made(make_user, make_project):
    invitation, _ = services.invite(project=make_project(), email="b@example.org", role="viewer", by=make_user())
    with pytest.raises(ValidationError):
        services.accept_invitation(invitation=invitation, user=None, display_name="B", password="password")
    assert not User.objects.filter(email="b@example.org").exists()
    invitation.refresh_from_db()
    assert invitation.used_at is None


def test_two_people_cannot_share_an_address(make_user):
    user = make_user()
    with pytest.raises(LaminaError) as caught:
        services.create_user(email=user.email.upper(), display_name="x", password=PASSWORD)
    assert caught.value.code == "email_taken"


def test_a_reset_ends_the_old_password_and_every_session(make_user, client):
    user, admin = make_user("reader"), make_user("root", is_site_admin=True)
    assert client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    assert client.get("/api/me/").status_code == 200
    link = services.reset_password(user=user, by=admin)
    user.refresh_from_db()
    assert not user.check_password(PASSWORD)
    assert client.get("/api/me/").status_code == 401
    page = client.get(link, follow=True)
    assert page.status_code == 200
    new = "another long pass phrase"
    client.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    user.refresh_from_db()
    assert user.check_password(new)


def test_changing_the_own_password_keeps_this_browser_and_ends_the_others(make_user, client):
    from django.test import Client

    user, other = make_user("reader"), Client()
    for browser in (client, other):
        assert browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    assert len(client.get("/api/me/sessions/").json()["results"]) == 2
    wrong = client.post("/api/me/password/", {"old": "no", "new": "x" * 20}, content_type="application/json")
    assert wrong.status_code == 403
    assert wrong.json()["code"] == "wrong_password"
    right = {"old": PASSWORD, "new": "quite another pass phrase"}
    assert client.post("/api/me/password/", right, content_type="application/json").status_code == 204
    assert client.get("/api/me/").status_code == 200
    assert other.get("/api/me/").status_code == 401


def test_nobody_signs_up_alone(client):
    page = client.get("/accounts/signup/")
    posted = client.post("/accounts/signup/", {"email": "x@example.org", "password1": PASSWORD, "password2": PASSWORD})
    assert b"password1" not in page.content
    assert posted.status_code in {200, 403}
    assert not User.objects.filter(email="x@example.org").exists()


def test_a_refused_sign_in_says_the_same_of_an_unknown_address_and_a_wrong_password(make_user, client):
    known = make_user("reader").email
    pages = [
        client.post("/accounts/login/", {"login": address, "password": "not my password"}).content.decode()
        for address in (known, "nobody@example.org")
    ]
    for page, address in zip(pages, (known, "nobody@example.org"), strict=True):
        assert "Address or password is not right." in page
        assert f'value="{address}"' in page  # typed once is enough: the password is what comes next
        assert page.index('id="id_password"') < page.index("autofocus")


def test_a_session_ends_twelve_hours_after_signing_in(make_user, client):
    user = make_user("reader")
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    session = client.session
    session["signed_in_at"] -= 12 * 3600 + 1
    session.save()
    assert client.get("/api/me/").status_code == 401


def test_a_foreign_project_looks_like_a_missing_one(make_user, make_project, api_client):
    import uuid

    stranger, project = api_client(make_user("stranger")), make_project()
    for tail in ("", "members/", "invitations/"):
        foreign = stranger.get(f"/api/projects/{project.pk}/{tail}")
        missing = stranger.get(f"/api/projects/{uuid.uuid4()}/{tail}")
        assert (foreign.status_code, foreign.json()) == (missing.status_code, missing.json()) == (404, foreign.json())


def test_a_role_changes_by_the_projects_admin_only(make_user, make_project, api_client):
    admin, reader, viewer = make_user("admin"), make_user("reader"), make_user("viewer")
    project = make_project(admin=admin, reader=reader, viewer=viewer)
    address = f"/api/projects/{project.pk}/members/{viewer.pk}/"
    assert api_client(reader).patch(address, {"role": "admin"}, format="json").status_code == 403
    assert api_client(admin).patch(address, {"role": "reader"}, format="json").json()["role"] == "reader"
    assert api_client(admin).patch(address, {"role": "king"}, format="json").status_code == 422


def test_the_same_idempotency_key_makes_one_project(make_user, api_client):
    client = api_client(make_user("root", is_site_admin=True))
    answers = [
        client.post("/api/projects/", {"name": "Twice"}, format="json", HTTP_IDEMPOTENCY_KEY="k-1") for _ in range(3)
    ]
    assert [a.status_code for a in answers] == [201, 200, 200]
    assert len({a.json()["id"] for a in answers}) == 1
    other = client.post("/api/projects/", {"name": "Other"}, format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


def test_a_browser_is_noted_once_a_minute_not_at_every_request(make_user, client):
    from allauth.usersessions.models import UserSession

    user = make_user("reader")
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(days=1))
    client.get("/api/me/")
    seen = UserSession.objects.get().last_seen_at
    assert seen > timezone.now() - timedelta(minutes=1)
    client.get("/api/me/")
    assert UserSession.objects.get().last_seen_at == seen
