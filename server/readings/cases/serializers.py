"""A case as the asker may see it: sealed, blind or open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers

from server.accounts.models import Membership, Role
from server.readings.cases.states import (
    FINISHED,
    LIVE,
    UNFINISHED,
    CaseStage,
    CaseState,
    ReadingKind,
    ReadingState,
)
from server.readings.cases.words import answers_of
from server.readings.models.cases import Case, Protocol, Reading
from server.reconstructions.models import Segmentation, SegmentationKind
from server.studies import sealing


class ProtocolPartSerializer(serializers.Serializer):
    """What a reader's page needs of the protocol."""

    is_sealed = serializers.BooleanField()
    readers_per_case = serializers.IntegerField()
    form = serializers.ListField(child=serializers.DictField())
    segments = serializers.ListField(child=serializers.DictField())
    dice_limit = serializers.FloatField(allow_null=True)
    hd95_limit_mm = serializers.FloatField(allow_null=True)
    volume_limit_percent = serializers.FloatField(allow_null=True)
    categories_must_agree = serializers.BooleanField()
    algorithm = serializers.CharField(allow_blank=True)


class MineSerializer(serializers.Serializer):
    """The asker's own reading. `answers` are the newest kept ones, a draft included."""

    id = serializers.UUIDField()
    letter = serializers.CharField()
    kind = serializers.ChoiceField(choices=ReadingKind.choices)
    state = serializers.ChoiceField(choices=ReadingState.choices)
    due_on = serializers.DateField(allow_null=True)
    segmentation = serializers.UUIDField(allow_null=True)
    first_seq = serializers.IntegerField(allow_null=True)
    final_seq = serializers.IntegerField(allow_null=True)
    committed_at = serializers.DateTimeField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    answers = serializers.DictField(allow_null=True)
    seconds = serializers.FloatField()


class OneReadingSerializer(serializers.Serializer):
    """Somebody's reading; `id` and `segmentation` are null where its content is closed to the asker."""

    id = serializers.UUIDField(allow_null=True)
    letter = serializers.CharField()
    kind = serializers.ChoiceField(choices=ReadingKind.choices)
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=ReadingState.choices)
    segmentation = serializers.UUIDField(allow_null=True)
    final_seq = serializers.IntegerField(allow_null=True)


class CaseSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    number = serializers.IntegerField()
    version = serializers.IntegerField()
    stage = serializers.ChoiceField(choices=CaseStage.choices)
    state = serializers.ChoiceField(choices=CaseState.choices)
    is_blind = serializers.BooleanField()
    is_practice = serializers.BooleanField()
    due_on = serializers.DateField(allow_null=True)
    role = serializers.ChoiceField(choices=["reader", "adjudicator", "admin", "other"])
    sealed = serializers.BooleanField()
    result_waiting = serializers.BooleanField()
    final = serializers.UUIDField(allow_null=True)
    final_seq = serializers.IntegerField(allow_null=True)
    mine = MineSerializer(allow_null=True)
    readings = OneReadingSerializer(many=True)
    protocol = ProtocolPartSerializer()
    may = serializers.ListField(child=serializers.CharField())


def _iso(value: Any) -> str | None:
    return value.isoformat() if value else None


def mine_json(reading: Reading) -> dict[str, Any]:
    final = reading.state in (ReadingState.SUBMITTED,)
    answers = answers_of(reading, "final") if final else answers_of(reading, "draft") or answers_of(reading, "first")
    return {
        "id": str(reading.pk),
        "letter": reading.letter,
        "kind": str(reading.kind),
        "state": str(reading.state),
        "due_on": _iso(reading.due_on),
        "segmentation": str(reading.segmentation_id) if reading.segmentation_id else None,
        "first_seq": reading.first_seq,
        "final_seq": reading.final_seq,
        "committed_at": _iso(reading.committed_at),
        "submitted_at": _iso(reading.submitted_at),
        "answers": answers,
        "seconds": reading.seconds_reading,
    }


def cases_json(cases: Iterable[Case], user: Any) -> list[dict[str, Any]]:
    """Cases of `selectors.complete` with a constant number of queries (and one per own reading with typed words)."""
    rows = list(cases)
    study_ids = [case.study_id for case in rows]
    sealed = sealing.sealed_among(user, study_ids)
    readings = Reading.objects.filter(case__in=rows, pk__in=sealing.open_audience_ids(user))
    opened = set(readings.values_list("pk", flat=True))
    own_projects = Membership.objects.filter(user_id=user.pk, role=Role.ADMIN)
    led = set(own_projects.values_list("project_id", flat=True))
    results = Segmentation.objects.filter(study_id__in=study_ids, kind=SegmentationKind.ALGORITHM)
    with_result = set(results.values_list("study_id", flat=True))
    return [_case(case, user, sealed, opened, led, with_result) for case in rows]


def case_json(case: Case, user: Any) -> dict[str, Any]:
    return cases_json([case], user)[0]


def _case(
    case: Case, user: Any, sealed_ids: set[UUID], opened: set[UUID], led: set[UUID], with_result: set[UUID]
) -> dict[str, Any]:
    protocol = getattr(case.project, "protocol", None) or Protocol(project_id=case.project_id)
    readings = sorted(case.readings.all(), key=lambda one: (one.kind != ReadingKind.FIRST, one.letter))
    for one in readings:
        one.case = case
    own = [one for one in readings if one.reader_id == user.pk]
    mine = next((one for one in own if one.state in LIVE), None)
    sealed = case.study_id in sealed_ids
    role = _role(case, mine, led)
    # The ruling's outlines stay closed to the readers they judge until the case is signed.
    knows_final = not sealed and (not case.is_blind or role in ("admin", "adjudicator"))
    state = case.state
    if sealed and mine is not None:  # whether somebody else began is none of a sealed reader's business
        state = CaseState.NEW if mine.state == ReadingState.ASSIGNED else CaseState.IN_PROGRESS
    return {
        "id": str(case.pk),
        "study_id": str(case.study_id),
        "series_id": str(case.series_id),
        "number": case.number,
        "version": case.version,
        "stage": str(case.stage),
        "state": str(state),
        "is_blind": case.is_blind,
        "is_practice": case.is_practice,
        "due_on": _iso(case.due_on),
        "role": role,
        "sealed": sealed,
        "result_waiting": sealed and case.study_id in with_result,
        "final": str(case.final_id) if case.final_id and knows_final else None,
        "final_seq": case.final_seq if knows_final else None,
        "mine": mine_json(mine) if mine else None,
        "readings": [] if sealed else _readings(case, readings, user, role, opened),
        "protocol": dict(ProtocolPartSerializer(protocol).data),
        "may": _may(case, mine, role, led, readings),
    }


def _role(case: Case, mine: Reading | None, led: set[UUID]) -> str:
    if mine is not None:
        return "reader" if mine.kind == ReadingKind.FIRST else "adjudicator"
    return "admin" if case.project_id in led else "other"


def _readings(case: Case, readings: list[Reading], user: Any, role: str, opened: set[UUID]) -> list[dict[str, Any]]:
    from server.readings.cases.sealing import ReaderMasks

    masked = case.is_blind and role != "admin"
    seen = ReaderMasks(user, {one.reader_id: one.letter for one in readings}, set()) if masked else sealing.Masks()
    return [
        {
            "id": str(one.pk) if one.pk in opened else None,
            "letter": one.letter,
            "kind": str(one.kind),
            "name": (seen.author(one.reader) or {})["name"],
            "state": str(one.state),
            "segmentation": str(one.segmentation_id) if one.segmentation_id and one.pk in opened else None,
            "final_seq": one.final_seq if one.pk in opened else None,
        }
        for one in readings
        if one.state in LIVE or role == "admin"
    ]


def _may(case: Case, mine: Reading | None, role: str, led: set[UUID], readings: list[Reading]) -> list[str]:
    acts = []
    if mine is not None:
        step = {ReadingState.ASSIGNED: "begin", ReadingState.IN_PROGRESS: "commit", ReadingState.COMMITTED: "submit"}
        if mine.state in step:
            acts.append(step[mine.state])  # type: ignore[index]
        if mine.kind == ReadingKind.ADJUDICATION and case.stage == CaseStage.ADJUDICATION:
            acts.append("adjudicate")
    leads = case.project_id in led
    if case.stage == CaseStage.APPROVAL:
        deciding = role == "adjudicator" or leads or (mine is not None and not case.is_blind)
        if case.state == CaseState.COMPLETED:
            acts += ["reopen"] if leads else []
        elif deciding:
            acts.append("approve")
    if leads and case.stage == CaseStage.READING:
        gone = {one.replaces_id for one in readings if one.replaces_id}
        movable = {*UNFINISHED, ReadingState.WITHDRAWN}
        if any(one.state in movable and one.pk not in gone for one in readings):
            acts.append("reassign")
    # Whoever reads a blind case does not choose its judge.
    if leads and case.stage == CaseStage.ADJUDICATION and (mine is None or not case.is_blind):
        ruled = any(one.kind == ReadingKind.ADJUDICATION and one.state in FINISHED for one in readings)
        acts += [] if ruled else ["assign_adjudicator"]
    return acts
