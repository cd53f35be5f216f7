"""A project that reads sealed, its people, and hands that draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from server import engine
from server.readings.cases import opening, services
from server.readings.models import Case, Reading
from server.reconstructions.models import Edit
from tests.server.reconstructions.conftest import ABNORMAL, CODE, Hand, make_result

__all__ = ["make_result"]

SEGMENTS = [
    {"number": n, "label": label, "colour": "#E14B09", "category": ABNORMAL, "type": CODE}
    for n, label in ((1, "Liver"), (2, "Lesion"))
]
FORM = [
    {"key": "seen", "text": "Is a lesion seen?", "kind": "yes_no", "choices": [], "required": True},
    {
        "key": "kind", "text": "Which kind?", "kind": "choice", "required": False,
        "choices": [
            {"code": "108369006", "scheme": "SCT", "meaning": "Neoplasm"},
            {"code": "367643001", "scheme": "SCT", "meaning": "Cyst"},
        ],
    },
    {"key": "size", "text": "Largest size in mm", "kind": "number", "choices": [], "required": False},
    {"key": "note", "text": "Anything else?", "kind": "text", "choices": [], "required": False},
]  # fmt: skip


class ReadingRoom:
    """`anna` and `ben` read, `judy` adjudicates, `lead` is project admin."""

    def __init__(self, make_user: Any, make_project: Any, make_study: Any, api_client: Any, **protocol: Any) -> None:
        self.anna, self.ben, self.judy = make_user("anna"), make_user("ben"), make_user("judy")
        self.viewer, self.stranger, self.lead = make_user("viewer"), make_user("stranger"), make_user("lead")
        self.project = make_project(admin=self.lead, reader=[self.anna, self.ben, self.judy], viewer=self.viewer)
        self.project.memberships.filter(user=self.judy).update(is_adjudicator=True)
        self.make_study, self.client = make_study, api_client
        values = {"form": FORM, "segments": SEGMENTS, "readers_per_case": 2, "due_days": 7, "dice_limit": 0.8}
        opening.set_protocol(project=self.project, by=self.lead, values=values | protocol)

    def case(self, **values: Any) -> Case:
        [case] = opening.open_cases(
            project=self.project, studies=[self.make_study(self.project)], by=self.lead, **values
        )  # fmt: skip
        return case

    def of(self, case: Case, person: Any) -> Reading:
        return Reading.objects.select_related("case").get(case=case, reader=person, state__in=services.LIVE)

    def begin(self, case: Case, person: Any) -> Reading:
        return services.begin_reading(reading=self.of(case, person), by=person)

    def hand(self, reading: Reading, person: Any) -> Hand:
        return Hand(self.client(person), reading.segmentation)

    def commit(self, reading: Reading, person: Any, **answers: Any) -> Reading:
        return services.commit_reading(reading=reading, by=person, answers={"seen": True} | answers, seq=head(reading))

    def submit(self, reading: Reading, person: Any, **answers: Any) -> Reading:
        return services.submit_reading(reading=reading, by=person, answers={"seen": True} | answers, seq=head(reading))


def head(reading: Reading) -> int:
    return Edit.objects.get(pk=reading.segmentation_id).head


@pytest.fixture
def reading_room(
    make_user: Any, make_project: Any, make_study: Any, api_client: Any, monkeypatch: Any
) -> Callable[..., ReadingRoom]:
    """reading_room(readers_per_case=1, ...) -> a room with this protocol."""
    monkeypatch.setattr(engine, "encloses", lambda algorithm: {})

    def make(**protocol: Any) -> ReadingRoom:
        return ReadingRoom(make_user, make_project, make_study, api_client, **protocol)

    return make


@pytest.fixture
def room(reading_room: Any) -> ReadingRoom:
    return reading_room()


def voxels(*indices: int) -> np.ndarray:
    return np.array(indices)
