"""Who may listen: origin, session, permission at every subscription, and their loss within two seconds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from server.accounts.models import Membership
from server.accounts.services import change_password, remove_member
from server.realtime.services import end_session
from tests.realtime.browser import Browser

pytestmark = pytest.mark.django_db(transaction=True)

PROMISED_SECONDS = 2.0


def test_only_our_own_pages_may_open_a_socket(team: Any, web: Any) -> None:
    for origin in ("https://evil.example", f"http://127.0.0.1:{web.port + 1}", "null", None, "http://127.0.0.1"):
        with pytest.raises(InvalidStatus) as refused:
            Browser(web.port, team.admin, origin=origin)
        assert refused.value.response.status_code == 403, origin
    with Browser(web.port, team.admin, host="localhost") as tab:
        tab.say({"ping": 7})
        assert tab.hear() == {"pong": 7}


def test_without_a_session_the_socket_closes(web: Any, transactional_db: None) -> None:
    with Browser(web.port, None) as tab:
        assert tab.closed_with() == 4401


def test_foreign_and_unknown_streams_are_refused_alike(team: Any, opened: Any, tell: Any) -> None:
    tell(1)
    missing = "test:00000000-0000-4000-8000-000000000000"
    tab = opened(team.stranger)
    for stream in (team.stream, missing, "secret:1", "test:*", f"user:{team.admin.pk}", ""):
        tab.say({"subscribe": {stream: 0}})
        assert tab.hear() == {"refused": stream}
    assert tab.silence(0.3) == []


def test_a_removed_member_hears_no_more(team: Any, opened: Any, tell: Any) -> None:
    tab = opened(team.reader)
    tab.follow(team.stream)
    tell(1)
    tab.events(1)
    membership = Membership.objects.get(user=team.reader, project=team.project)
    begun = time.monotonic()
    remove_member(membership=membership, by=team.admin)
    assert tab.hear(PROMISED_SECONDS) == {"refused": team.stream}
    assert time.monotonic() - begun < PROMISED_SECONDS
    tell(2)
    assert tab.silence(0.4) == []
    tab.follow(team.stream, 1)
    assert tab.hear() == {"refused": team.stream}


def test_signing_out_closes_that_session_only(team: Any, opened: Any, tell: Any) -> None:
    going, staying = opened(team.reader), opened(team.reader)
    for tab in (going, staying):
        tab.follow(team.stream)
    begun = time.monotonic()
    going.client.logout()
    assert going.closed_with(PROMISED_SECONDS) == 4401
    assert time.monotonic() - begun < PROMISED_SECONDS
    tell(1)
    assert len(staying.events(1)) == 1


def test_a_new_password_closes_the_sockets(team: Any, opened: Any) -> None:
    tab = opened(team.reader)
    tab.follow(team.stream)
    begun = time.monotonic()
    change_password(user=team.reader, password="another long passphrase 17")
    assert tab.closed_with(PROMISED_SECONDS) == 4401
    assert time.monotonic() - begun < PROMISED_SECONDS


def test_a_disabled_person_is_signed_out(team: Any, opened: Any) -> None:
    tab = opened(team.reader)
    team.reader.is_active = False
    team.reader.save()
    end_session(team.reader.pk)
    assert tab.closed_with(PROMISED_SECONDS) == 4401


def test_the_idle_lock_closes_with_its_own_code(team: Any, opened: Any) -> None:
    tab = opened(team.reader)
    tab.say({"lock": True})
    assert tab.closed_with(PROMISED_SECONDS) == 4408


def test_with_the_safeguards_off_these_tests_would_fail(team: Any, site: Any, tell: Any) -> None:
    """A server that checks no origin and asks no right again does exactly what the tests above forbid."""
    careless = site.web(without="origin,recheck,watch")
    try:
        with Browser(careless.port, team.reader, origin="https://evil.example") as tab:
            tab.follow(team.stream)
            tell(1)
            tab.events(1)
            remove_member(membership=Membership.objects.get(user=team.reader, project=team.project), by=team.admin)
            tell(2)
            assert len(tab.events(1)) == 1
    finally:
        site.stop(careless.child)
