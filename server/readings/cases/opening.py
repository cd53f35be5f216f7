"""How a project reads, and how its cases begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from server.accounts.models import Project
from server.algorithms.models import Algorithm
from server.core import audit
from server.core.errors import LaminaError
from server.readings.cases.content import checked_form, checked_segments
from server.readings.cases.dealing import Dealer, letters
from server.readings.cases.events import CaseMoved, ProtocolChanged, ReadingAssigned
from server.readings.cases.holding import due_on, recheck_members, tell_people
from server.readings.models.cases import Case, Protocol, Reading
from server.realtime.services import erase_stream, publish
from server.reconstructions.editing.writing import hold_study
from server.studies import sealing
from server.studies.models import Series, Study

MOST_AT_ONCE = 200


@transaction.atomic
def set_protocol(*, project: Project, by: Any, values: Mapping[str, Any]) -> Protocol:
    """Say how this project reads. Cases that are open keep their seal. Raises LaminaError 422 for what cannot be."""
    wanted = dict(values)
    if "form" in wanted:
        wanted["form"] = checked_form(wanted["form"])
    if "segments" in wanted:
        wanted["segments"] = checked_segments(wanted["segments"])
    if (name := wanted.get("algorithm")) and not Algorithm.objects.filter(name=name).exists():
        message = _("There is no algorithm of this name.")
        raise LaminaError("invalid_protocol", message, 422, field="algorithm")
    if "excluded" in wanted:
        wanted["excluded"] = sorted({str(one) for one in wanted["excluded"]})
    Protocol.objects.get_or_create(project=project)
    protocol = Protocol.objects.select_for_update().get(project=project)
    for name, value in wanted.items():
        setattr(protocol, name, value)
    protocol.save()
    audit.record(by, "protocol.changed", protocol, project_id=project.pk, fields=sorted(wanted))
    publish(ProtocolChanged(project_id=project.pk), stream=f"project:{project.pk}")
    return protocol


@transaction.atomic
def open_cases(*, project: Project, studies: Sequence[Study], by: Any, is_practice: bool = False) -> list[Case]:
    """Make each study a case and deal it. All of them or none.

    Raises LaminaError 409 no_protocol, study_has_case (naming them), not_enough_readers; 422 no_volume.
    """
    for study in sorted(studies, key=lambda one: one.pk):
        hold_study(study.pk)
    protocol = Protocol.objects.select_for_update().filter(project=project).first()
    if protocol is None:
        raise LaminaError("no_protocol", _("Say first how this project reads."), 409)
    ids = [study.pk for study in studies]
    if known := list(Case.objects.filter(study_id__in=ids).values_list("study_id", flat=True)):
        message = _("These studies are cases already.")
        raise LaminaError("study_has_case", message, 409, studies=[str(one) for one in known])
    series = {study.pk: _series_of(study) for study in studies}
    if missing := [str(pk) for pk, one in series.items() if one is None]:
        message = _("These studies hold no volume that could be outlined.")
        raise LaminaError("no_volume", message, 422, studies=missing)
    dealer = Dealer(protocol)
    due = due_on(project, protocol.due_days)
    cases = []
    for study in studies:
        protocol.last_number += 1
        case = Case.objects.create(
            study=study, series=series[study.pk], project=project, number=protocol.last_number,
            is_blind=protocol.is_sealed, is_practice=is_practice, due_on=due,
        )  # fmt: skip
        readers = dealer.deal(protocol.readers_per_case)
        for reader_id, letter in zip(readers, letters(len(readers)), strict=True):
            Reading.objects.create(case=case, reader_id=reader_id, letter=letter, due_on=due)
        audit.record(
            by, "case.opened", case, number=case.number, readers=sorted(map(str, readers)), sealed=case.is_blind
        )
        cases.append(case)
    protocol.save(update_fields=["last_number", "modified_at"])
    for case in cases:
        publish(CaseMoved(case_id=case.pk), stream=case.study.stream)
        if case.is_blind:
            # What was told before names people and results: whoever may come back to it loads the study instead.
            erase_stream(sealing.stream_of(case.study_id, None))
    assigned = Reading.objects.filter(case__in=cases).order_by("reader_id", "created_at")
    for reading in assigned.select_related("case"):
        told = ReadingAssigned(reading_id=reading.pk, study_id=reading.case.study_id)
        publish(told, stream=f"user:{reading.reader_id}")
    for case in cases[:1]:
        tell_people(case)
    recheck_members(project.pk)
    return cases


def _series_of(study: Study) -> Series | None:
    """What is outlined: the volume with the most slices."""
    volumes = study.series.filter(is_volume=True, shape__isnull=False)
    return volumes.order_by("-slices", "number", "id").first()
