"""Threads: who may ask, what is kept, what a second sending does, who hears of it and what stays unsaid (F11)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core import mail

from server.core.models import AuditEntry
from server.discussions.models import Comment, Notice, Thread
from server.discussions.selectors import open_threads_of
from server.jobs.guard import work_queue
from server.jobs.models import Job
from server.jobs.slot import Slot
from server.realtime.models import StreamEvent
from server.realtime.selectors import events_after
from server.studies import sealing
from server.studies import services as studies
from server.studies.models import Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(make_user: Any, make_project: Any, make_study: Any, api_client: Any) -> Any:
    class Site:
        reader, second = make_user("Reader One"), make_user("Reader Two")
        viewer, stranger, admin = make_user("viewer"), make_user("stranger"), make_user("boss")
        project = make_project(admin=admin, reader=[reader, second], viewer=viewer)
        study = make_study(project)
        address = f"/api/studies/{study.pk}/threads/"

        def client(self, person: Any = None) -> Any:
            return api_client(person)

        def ask(self, person: Any, text: str = "Is this the vein?", mentions: Any = (), **more: Any) -> Any:
            comment = {"id": str(more.pop("comment", uuid.uuid4())), "text": text,
                       "mentions": [str(one.pk) for one in mentions]}  # fmt: skip
            body = {
                "id": str(more.pop("id", uuid.uuid4())),
                "series": str(self.study.series.get().pk),
                "point_mm": [1.0, 2.0, 3.25],
                "view": "v=1&series=0123abcd&at=1,2,3.25",
                "comment": comment,
            }
            return api_client(person).post(self.address, body | more, format="json")

        def asked(self, person: Any = None, **more: Any) -> dict[str, Any]:
            answer = self.ask(person or self.reader, **more)
            assert answer.status_code == 201, answer.content
            return answer.json()

        def reply(self, person: Any, thread: str, text: str = "Yes.", mentions: Any = (), **more: Any) -> Any:
            body = {
                "id": str(more.get("id", uuid.uuid4())),
                "text": text,
                "mentions": [str(one.pk) for one in mentions],
            }
            return api_client(person).post(f"/api/threads/{thread}/comments/", body, format="json")

        def act(self, person: Any, thread: str, act: str) -> Any:
            return api_client(person).post(f"/api/threads/{thread}/{act}/")

        def edit(self, person: Any, comment: str, **body: Any) -> Any:
            return api_client(person).patch(f"/api/comments/{comment}/", body, format="json")

        def seen_by(self, person: Any) -> dict[str, Any]:
            return api_client(person).get(self.address).json()

        def bell(self, person: Any) -> dict[str, Any]:
            return api_client(person).get("/api/notices/").json()

    return Site()


class Blind(sealing.NothingSealed):
    """A case read blind: sealed for some, private to `audiences`, nobody shown to anybody."""

    def __init__(self, *, sealed: Any = (), audiences: Any = None, own: Any = None, blind: bool = True) -> None:
        self.sealed, self.audiences, self.own, self.blind = sealed, audiences or {}, own or {}, blind

    def sealed_study_ids(self, user: Any) -> Any:
        return (Study.objects.all() if user in self.sealed else Study.objects.none()).values("pk")

    def open_audience_ids(self, user: Any) -> Any:
        return Thread.objects.filter(audience__in=self.audiences.get(user, [])).values("audience")

    def audience_for(self, user: Any, study_id: Any) -> Any:
        return self.own.get(user)

    def together(self, user: Any, study_id: Any) -> bool:
        return not self.blind

    def masks(self, user: Any, study_id: Any) -> Any:
        class Masked(sealing.Masks):
            def author(self, author: Any, audience: Any = None) -> Any:
                if author is None or author == user:
                    return super().author(author)
                return {"id": None, "name": "Reader A", "colour": None}

            def time(self, at: Any, audience: Any = None) -> Any:
                return at and at.replace(hour=0, minute=0, second=0, microsecond=0)

        return Masked() if self.blind else sealing.Masks()


@contextmanager
def sealed(rule: Any) -> Iterator[None]:
    before = sealing._rule
    sealing.register_rule(rule)
    try:
        yield
    finally:
        sealing.register_rule(before)


def test_row_audit_and_event_in_one(site: Any) -> None:
    made = site.asked()
    assert (made["point_mm"], made["state"], made["version"]) == ([1.0, 2.0, 3.25], "open", 1)
    assert made["view"] == "v=1&series=0123abcd&at=1,2,3.25"
    [comment] = made["comments"]
    assert (comment["text"], comment["is_mine"], comment["version"]) == ("Is this the vein?", True, 1)
    assert comment["author"] == {"id": str(site.reader.pk), "name": "Reader One", "colour": site.reader.colour}
    assert AuditEntry.objects.filter(act="thread.opened", project_id=site.project.pk, target_id=made["id"]).count() == 1
    [event] = events_after(f"result:{site.study.pk}", 0).events
    assert (event["type"], event["payload"]) == ("thread.opened", {"thread_id": made["id"], "version": 1})
    # What a page shows after the event is what a page that opens now shows.
    seen = site.seen_by(site.viewer)
    assert seen["threads"] == [site.client(site.viewer).get(f"/api/threads/{made['id']}/").json()]
    assert (seen["open"], seen["people"]) == (1, [])  # a viewer reads and asks nobody


def test_what_a_person_wrote_lies_sealed_and_is_in_no_event_audit_or_job(site: Any, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    made = site.asked(text="Mr Planted", mentions=[site.second])
    comment = made["comments"][0]["id"]
    assert site.edit(site.reader, comment, text="Mrs Planted", base_version=1).status_code == 200
    site.reply(site.second, made["id"], "Planted too")
    rows = [bytes(one) for one in Comment.objects.values_list("text_sealed", flat=True)]
    assert len(rows) == 2
    assert all(b"Planted" not in one for one in rows)
    kept = [*StreamEvent.objects.values_list("payload", flat=True), *AuditEntry.objects.values_list("facts", flat=True)]
    kept += Job.objects.values_list("parameters", flat=True)
    assert Job.objects.filter(kind="mail").count() == 2
    assert "Planted" not in str(kept)
    versions = site.client(site.viewer).get(f"/api/comments/{comment}/versions/").json()
    assert [(one["version"], one["text"]) for one in versions] == [(1, "Mr Planted")]


def test_who_may(site: Any) -> None:
    made = site.asked()
    for person, expected in ((site.viewer, 403), (site.stranger, 404), (None, 401)):
        assert site.ask(person).status_code == expected
        assert site.reply(person, made["id"]).status_code == expected
        assert site.act(person, made["id"], "resolve").status_code == expected
        assert site.edit(person, made["comments"][0]["id"], text="x", base_version=1).status_code == expected
    assert site.edit(site.second, made["comments"][0]["id"], text="x", base_version=1).status_code == 403
    assert site.client(site.stranger).get(f"/api/threads/{made['id']}/").status_code == 404
    studies.bin_study(study=site.study, by=site.admin)
    assert site.ask(site.admin).json()["code"] == "study_in_bin"
    assert site.reply(site.admin, made["id"]).json()["code"] == "study_in_bin"


def test_sending_again_is_harmless(site: Any) -> None:
    ids = {"id": uuid.uuid4(), "comment": uuid.uuid4()}
    answers = [site.ask(site.reader, mentions=[site.second], **ids) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert answers[0].json() == answers[2].json()
    reply = uuid.uuid4()
    assert [site.reply(site.second, ids["id"], id=reply).status_code for _ in range(2)] == [201, 200]
    assert (Thread.objects.count(), Comment.objects.count(), Notice.objects.count()) == (1, 2, 2)
    # The same id for something else, or by somebody else, is no repeat.
    assert site.ask(site.reader, text="other", **ids).json()["code"] == "id_reused"
    assert site.ask(site.second, **ids).json()["code"] == "id_reused"
    assert site.reply(site.reader, ids["id"], id=reply).json()["code"] == "id_reused"
    assert site.ask(site.reader, comment=reply).json()["code"] == "id_reused"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),  # kept as text, shown as text
        ("  a\r\nb\x07\x1b[31m ", "a\nb[31m"),
        ("see https://example.org/\u202egnp.exe", "see https://example.org/gnp.exe"),
    ],
)
def test_plain_text_only(site: Any, text: str, kept: str) -> None:
    assert site.asked(text=text)["comments"][0]["text"] == kept


def test_what_does_not_fit_is_refused_by_name(site: Any) -> None:
    for more, code in (
        ({"text": " \n "}, "empty_comment"),
        ({"text": "x" * 4001}, "comment_too_long"),
        ({"point_mm": [1, 2]}, "invalid_thread"),
        ({"point_mm": [1, 2, "NaN"]}, "invalid_thread"),
        ({"series": str(uuid.uuid4())}, "invalid_thread"),
        ({"segmentation": str(uuid.uuid4()), "segment": 1}, "invalid_thread"),
        ({"mentions": [site.stranger]}, "unknown_mention"),
    ):
        answer = site.ask(site.reader, **more)
        assert (answer.status_code, answer.json()["code"]) == (422, code), more
    # An address that is none is left out: the point is enough.
    assert site.asked(view="javascript:alert(1)")["view"] == ""
    assert Thread.objects.count() == 1


def test_an_edit_keeps_what_was_said_and_never_overwrites(site: Any) -> None:
    made = site.asked()
    comment = made["comments"][0]["id"]
    assert site.edit(site.reader, comment, text="Is this the artery?", base_version=1).status_code == 200
    again = site.edit(site.reader, comment, text="Is this the artery?", base_version=1)
    assert (again.status_code, again.json()["comments"][0]["version"]) == (200, 2)
    late = site.edit(site.reader, comment, text="Is this a nerve?", base_version=1)
    assert (late.status_code, late.json()["code"]) == (409, "comment_conflict")
    assert late.json()["theirs"] == {"version": 2, "text": "Is this the artery?"}
    assert late.json()["yours"] == {"text": "Is this a nerve?"}
    assert again.json()["comments"][0]["edited_at"] is not None


def test_resolve_and_reopen(site: Any) -> None:
    made = site.asked()
    assert [one.pk for one in open_threads_of(site.study, site.admin)] == [uuid.UUID(made["id"])]
    done = site.act(site.second, made["id"], "resolve").json()
    assert (done["state"], done["resolved_by"]["name"], done["version"]) == ("resolved", "Reader Two", 2)
    assert site.act(site.second, made["id"], "resolve").json()["version"] == 2
    assert not open_threads_of(site.study, site.admin).exists()
    assert site.seen_by(site.admin)["open"] == 0
    back = site.act(site.reader, made["id"], "reopen").json()
    assert (back["state"], back["resolved_by"], back["resolved_at"]) == ("open", None, None)
    types = [one["type"] for one in events_after(f"result:{site.study.pk}", 0).events]
    assert types == ["thread.opened", "thread.resolved", "thread.reopened"]
    assert [one["kind"] for one in site.bell(site.reader)["results"]] == ["resolved"]


def test_the_bell(site: Any) -> None:
    made = site.asked(mentions=[site.second])
    assert {one["name"] for one in site.seen_by(site.reader)["people"]} == {"Reader Two", "viewer", "boss"}
    bell = site.bell(site.second)
    [notice] = bell["results"]
    assert (bell["unread"], notice["kind"], notice["actor"]["name"]) == (1, "mention", "Reader One")
    assert notice["address"] == f"/studies/{site.study.pk}/#v=1&thread={made['id']}"
    assert "vein" not in str(bell)
    [event] = events_after(f"user:{site.second.pk}", 0).events[-1:]
    assert (event["type"], event["payload"]) == ("notice.added", {"notice_id": notice["id"]})
    site.reply(site.second, made["id"], mentions=[site.admin])
    assert [one["kind"] for one in site.bell(site.reader)["results"]] == ["reply"]
    assert [one["kind"] for one in site.bell(site.admin)["results"]] == ["mention"]
    assert site.bell(site.viewer)["results"] == []
    read = site.client(site.second).post("/api/notices/read/", {"ids": [notice["id"]]}, format="json").json()
    assert (read["unread"], read["results"][0]["is_read"]) == (0, True)
    assert events_after(f"user:{site.second.pk}", 0).events[-1]["type"] == "notices.read"
    # Somebody else's notice is nobody's business.
    site.client(site.admin).post(
        "/api/notices/read/", {"ids": [site.bell(site.reader)["results"][0]["id"]]}, format="json"
    )
    assert site.bell(site.reader)["unread"] == 1


def test_who_left_the_project_hears_nothing_more(site: Any) -> None:
    from server.accounts.models import Membership

    site.asked(mentions=[site.second])
    Membership.objects.filter(user=site.second).delete()
    assert site.bell(site.second) == {"results": [], "unread": 0}


@pytest.mark.django_db(transaction=True)
def test_a_letter_holds_a_link_and_nothing_else(site: Any, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    site.second.language = "zh-hans"
    site.second.save()
    made = site.asked(text="Planted words", mentions=[site.second, site.admin])
    read = site.client(site.admin).post("/api/notices/read/", {}, format="json")
    assert read.json()["unread"] == 0
    slot = Slot("test/0", ["io"])
    try:
        assert work_queue(slot, "io") == 2
        assert slot.engine.pid is None  # no engine was started for it
    finally:
        slot.close()
    # The admin has read the notice in the meantime: one letter only.
    [letter] = mail.outbox
    assert letter.to == [site.second.email]
    assert letter.body.splitlines()[2] == f"http://testserver/studies/{site.study.pk}/#v=1&thread={made['id']}"
    whole = f"{letter.subject} {letter.body}"
    for word in ("Planted", site.study.pseudonym, site.project.name, "Reader One", str(site.study.description)):
        assert not word or word not in whole
    assert {job.result["sent"] for job in Job.objects.filter(kind="mail")} == {True, False}
    assert Job.objects.filter(kind="mail", state="succeeded").count() == 2


def test_without_a_mail_server_no_letter_waits(site: Any) -> None:
    site.asked(mentions=[site.second])
    assert not Job.objects.filter(kind="mail").exists()


def test_a_comment_on_a_deleted_segment_stays_and_says_so(site: Any, make_segmentation: Any) -> None:
    result = make_segmentation(site.study, by=site.reader)
    segment = result.segments.first()
    made = site.asked(segmentation=str(result.pk), segment=segment.number, surface_mm=[1.0, 2.0, 3.0])
    assert made["segment"] == {"segmentation_id": str(result.pk), "seq": 0, "number": segment.number,
                               "label": segment.label, "surface_mm": [1.0, 2.0, 3.0], "is_gone": False}  # fmt: skip
    segment.delete()
    [seen] = site.seen_by(site.second)["threads"]
    assert (seen["segment"]["is_gone"], seen["segment"]["label"]) == (True, segment.label)
    result.delete()
    [seen] = site.seen_by(site.second)["threads"]
    assert (seen["segment"]["is_gone"], seen["segment"]["segmentation_id"]) == (True, None)
    assert site.reply(site.second, made["id"]).status_code == 201


def test_sealed_threads_and_their_number_reach_nobody(site: Any) -> None:
    """Seal: what is asked inside a reading stays there; what is shared stays from who is sealed."""
    shared = site.asked(site.admin, text="Planted shared")
    a, b = uuid.uuid4(), uuid.uuid4()
    rule = Blind(
        sealed=[site.reader, site.second, site.viewer],
        audiences={site.reader: [a], site.second: [b]},
        own={site.reader: a, site.second: b},
    )
    with sealed(rule):
        mine = site.asked(site.reader, text="Planted private")
        assert (mine["is_private"], mine["comments"][0]["author"]["name"]) == (True, "Reader One")
        assert Thread.objects.get(pk=mine["id"]).stream == f"reading:{a}"
        assert {one["type"] for one in events_after(f"reading:{a}", 0).events} == {"thread.opened"}
        assert [one["id"] for one in site.seen_by(site.reader)["threads"]] == [mine["id"]]
        for person in (site.second, site.viewer):
            seen = site.seen_by(person)
            assert seen == {"threads": [], "open": 0, "people": []}
            for thread in (shared, mine):
                assert site.client(person).get(f"/api/threads/{thread['id']}/").status_code == 404
                comment = thread["comments"][0]["id"]
                assert site.client(person).get(f"/api/comments/{comment}/versions/").status_code == 404
        assert site.reply(site.second, mine["id"]).status_code == 404
        assert [one["id"] for one in site.seen_by(site.admin)["threads"]] == [shared["id"]]
        # Nobody is called and nobody hears: that somebody answered would tell who reads.
        assert site.ask(site.reader, mentions=[site.second]).json()["code"] == "unknown_mention"
        assert Notice.objects.count() == 0
    with sealed(Blind(audiences={one: [a, b] for one in (site.admin, site.second)}, blind=False)):
        opened = site.seen_by(site.second)["threads"]
        assert [one["id"] for one in opened] == [shared["id"], mine["id"]]


def test_blind_names_and_times_are_masked(site: Any) -> None:
    made = site.asked(site.reader)
    with sealed(Blind()):
        [seen] = site.seen_by(site.admin)["threads"]
        assert seen["author"] == seen["comments"][0]["author"] == {"id": None, "name": "Reader A", "colour": None}
        assert seen["created_at"].endswith("T00:00:00+00:00")
        assert str(site.reader.pk) not in str(seen)
    assert made["author"]["id"] == str(site.reader.pk)


def test_a_notice_disappears_while_its_thread_is_sealed(site: Any) -> None:
    site.asked(site.admin, mentions=[site.reader])
    with sealed(Blind(sealed=[site.reader])):
        assert site.bell(site.reader) == {"results": [], "unread": 0}
    assert site.bell(site.reader)["unread"] == 1
