"""The moves of cases and readings: the table, the triggers, random interleavings, and two acts at one moment."""

from __future__ import annotations

import itertools
import random
import threading
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.utils import IntegrityError
from django.utils import timezone

from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.readings.agreement.assigning import assign_adjudicator
from server.readings.cases import services
from server.readings.cases.states import CASE_MOVES, LIVE, READING_MOVES, UNFINISHED
from server.readings.models import Case, Reading
from server.realtime.selectors import events_after
from server.studies import sealing
from tests.server.readings.conftest import head

pytestmark = pytest.mark.django_db
FIRST = {"first_seq": 0, "first_answers": {}, "committed_at": timezone.now()}
FINAL = {"final_seq": 0, "final_answers": {}, "submitted_at": timezone.now()}


def _refused(rows: Any, **values: Any) -> bool:
    try:
        with transaction.atomic():
            rows.update(**values)
    except IntegrityError:
        return True
    return False


def test_state_machine_in_the_database_is_the_table(room: Any) -> None:
    """Every pair of places, by direct UPDATE: what the table lacks the trigger refuses, and nothing more."""
    study = room.make_study(room.project)
    values = {"study": study, "series": study.series.get(), "project": room.project, "number": 9, "is_blind": False}
    for here, there in itertools.permutations(CASE_MOVES, 2):
        case = Case.objects.create(**values, stage=here[0], state=here[1])
        version = 2 if here == ("approval", "completed") else 1
        rows = Case.objects.filter(pk=case.pk)
        assert _refused(rows, stage=there[0], state=there[1], version=version) == (there not in CASE_MOVES[here])
        case.delete()
    case = Case.objects.create(**values, stage="approval", state="completed")
    rows = Case.objects.filter(pk=case.pk)
    assert _refused(rows, stage="approval", state="new")  # a signed case comes back as its next version only
    assert _refused(rows, version=2)
    assert _refused(rows, is_blind=True)
    assert _refused(rows, final_seq=3)
    for here, there in itertools.permutations(READING_MOVES, 2):
        kept = FIRST | FINAL
        reading = Reading.objects.create(case=case, reader=room.anna, letter="A", state=here, **kept)
        assert _refused(Reading.objects.filter(pk=reading.pk), state=there) == (there not in READING_MOVES[here])
        reading.delete()
    reading = Reading.objects.create(case=case, reader=room.anna, letter="A", state="assigned")
    rows = Reading.objects.filter(pk=reading.pk)
    for change in ({"reader": room.ben}, {"letter": "B"}, {"kind": "adjudication"}):
        assert _refused(rows, **change)
    rows.update(state="in_progress")
    assert _refused(rows, state="committed")  # without what is kept of it


class Machine:
    """Random acts of everybody on one case. After each the rules must hold, whatever was refused."""

    def __init__(self, room: Any, chance: random.Random) -> None:
        self.room, self.chance = room, chance
        self.case_id = room.case().pk
        self.kept: dict[Any, tuple[Any, ...]] = {}
        self.before = self.case
        self.done: set[str] = set()

    @property
    def case(self) -> Case:
        return Case.objects.get(pk=self.case_id)

    def any_reading(self) -> Reading:
        """A live one mostly."""
        rows = Reading.objects.select_related("case", "reader").filter(case=self.case_id).order_by("created_at")
        live = [one for one in rows if one.state in LIVE]
        return self.chance.choice(live if self.chance.random() < 0.9 else list(rows))

    # --- acts -----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        reading = self.any_reading()
        services.begin_reading(reading=reading, by=reading.reader)

    def keep(self, which: str) -> None:
        reading = self.any_reading()
        right = head(reading) if reading.segmentation_id else 0
        seq = right if self.chance.random() < 0.8 else right + 1
        answers = {"seen": self.chance.random() < 0.8}
        act = services.commit_reading if which == "commit" else services.submit_reading
        act(reading=reading, by=reading.reader, answers=answers, seq=seq)

    def commit(self) -> None:
        self.keep("commit")

    def submit(self) -> None:
        self.keep("submit")

    def draw(self) -> None:
        reading = self.any_reading()
        if reading.segmentation is not None:
            answer = self.room.hand(reading, reading.reader).paint(1, [self.chance.randrange(300)])
            if answer.status_code != 201:
                raise LaminaError(answer.json()["code"], "", answer.status_code)

    def reassign(self) -> None:
        reader = self.chance.choice([None, self.room.anna, self.room.ben, self.room.judy])
        services.reassign_reading(reading=self.any_reading(), by=self.room.lead, reader=reader)

    def assign(self) -> None:
        """An adjudicator, chosen or dealt: never somebody with a read of the case."""
        person = self.chance.choice([None, self.room.anna, self.room.ben, self.room.judy])
        assign_adjudicator(case=self.case, by=self.room.lead, person=person)

    def agree(self) -> None:
        self.move("approval", "new", is_blind=False)

    def disagree(self) -> None:
        self.move("adjudication", "new")

    def adjudicate(self) -> None:
        self.move(*self.chance.choice([("adjudication", "in_progress"), ("approval", "new")]))

    def approve(self) -> None:
        self.move("approval", self.chance.choice(["in_progress", "completed"]))

    def reopen(self) -> None:
        self.move("approval", "new")

    def move(self, stage: str, state: str, **values: Any) -> None:
        with transaction.atomic():
            services.move_case(case=services.hold_case(self.case_id), to=(stage, state), by=self.room.lead, **values)

    def update(self) -> None:
        """Past every service, straight at the table."""
        reading, there = self.any_reading(), self.chance.choice(list(READING_MOVES))
        if there != reading.state and there not in READING_MOVES[reading.state]:
            assert _refused(Reading.objects.filter(pk=reading.pk), state=there)
        case, (stage, state) = self.case, self.chance.choice(list(CASE_MOVES))
        here = (case.stage, case.state)
        if (stage, state) != here and (stage, state) not in CASE_MOVES[here]:
            assert _refused(Case.objects.filter(pk=case.pk), stage=stage, state=state)

    # --- rules ----------------------------------------------------------------------------------------------------

    def step(self) -> None:
        act = self.chance.choice(
            ["begin"] * 3 + ["commit"] * 4 + ["submit"] * 3
            + ["draw", "reassign", "agree", "disagree", "assign", "adjudicate", "approve", "reopen", "update"]
        )  # fmt: skip
        try:
            with transaction.atomic():
                getattr(self, act)()
            self.done.add(act)
        except LaminaError as error:
            status = error.status
        else:
            status = 409
        assert status in (404, 409, 422), act
        self.check(act)

    def check(self, act: str) -> None:
        case, before = self.case, self.before
        here, there = (before.stage, before.state), (case.stage, case.state)
        assert here == there or there in CASE_MOVES[here], act
        assert before.is_blind or not case.is_blind, "a seal never comes back"
        assert case.version - before.version == (here == ("approval", "completed") and there == ("approval", "new"))
        readings = list(Reading.objects.filter(case=case).select_related("reader"))
        live = [one for one in readings if one.state in LIVE]
        assert len({one.reader_id for one in live}) == len({one.letter for one in live}) == len(live)
        judges = [one for one in live if one.kind == "adjudication"]
        assert len(live) - len(judges) <= 2
        assert len(judges) <= (here != ("reading", "new") and there[0] != "reading")
        assert {one.reader_id for one in readings if one.kind == "first"}.isdisjoint({one.reader_id for one in judges})
        for one in readings:
            kept = (one.first_seq, one.first_digest, one.first_answers, one.committed_at, one.segmentation_id)
            if one.state in ("committed", "submitted"):
                assert one.first_seq is not None
                assert self.kept.setdefault(one.pk, kept) == kept, "a first read is kept"
            else:
                assert one.first_seq is None
            self.check_told(one)
            assert sealing.is_sealed(one.reader, case.study_id) == self.sealed(case, one.reader, live)
        self.before = case

    def sealed(self, case: Case, reader: Any, live: list[Reading]) -> bool:
        mine = [one for one in live if one.reader_id == reader.pk]
        judges = case.stage != "reading" and any(one.kind == "adjudication" for one in mine)
        return case.is_blind and not judges and not any(one.state not in UNFINISHED for one in mine)

    def check_told(self, reading: Reading) -> None:
        """State before and events are the state."""
        state = "assigned"
        for event in events_after(reading.stream, 0).events:
            if event["type"].startswith("reading."):
                told = event["type"].removeprefix("reading.")
                state = {"begun": "in_progress"}.get(told, told)
        assert state == reading.state
        acts = AuditEntry.objects.filter(target_id=str(reading.pk)).values_list("act", flat=True)
        assert reading.state == "assigned" or f"reading.{told_as(reading.state)}" in acts


def told_as(state: str) -> str:
    return "begun" if state == "in_progress" else state


@pytest.mark.parametrize("seed", range(3))
def test_state_machine_holds_for_random_interleavings(room: Any, seed: int) -> None:
    machine = Machine(room, random.Random(seed))
    for _ in range(50):
        machine.step()
    assert {"begin", "commit"} <= machine.done


@pytest.mark.django_db(transaction=True)
def test_state_machine_with_a_commit_and_a_reassignment_at_once(room: Any) -> None:
    """One wins; the other is refused by name and nothing is half done."""
    case = room.case()
    reading = room.begin(case, room.anna)
    gate, outcomes = threading.Barrier(2), {}

    def run(name: str, act: Any) -> None:
        try:
            gate.wait(10)
            act()
            outcomes[name] = "done"
        except LaminaError as error:
            outcomes[name] = error.code
        finally:
            connections.close_all()

    acts = {
        "commit": lambda: services.commit_reading(reading=reading, by=room.anna, answers={"seen": True}, seq=0),
        "reassign": lambda: services.reassign_reading(reading=reading, by=room.lead, reader=room.judy),
    }
    threads = [threading.Thread(target=run, args=item) for item in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    state = Reading.objects.get(pk=reading.pk).state
    if state == "committed":
        assert outcomes == {"commit": "done", "reassign": "reading_committed"}
    else:
        assert (state, outcomes) == ("withdrawn", {"commit": "reading_withdrawn", "reassign": "done"})
    assert Reading.objects.filter(case=case, state__in=LIVE).count() == 2
