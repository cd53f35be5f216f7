"""Cases that are read and settled, written as rows: what the pages about readers show is known beforehand.

Also run beside a site of the browser tests (`main`), which has no images here: nothing is opened but numbers.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from server.readings.models import Agreement, Case, Reading, Reliance
from server.studies.models import Patient, Series, Study
from server.studies.search import search_column

LIVER = {"number": 1, "label": "Liver", "colour": "#FB9202"}
RIM = {"number": 2, "label": "Rim", "colour": "#90A6FF"}


def row(segment: dict[str, Any], a_ml: float, b_ml: float, dice: float, distance: float | None = 2.0) -> dict[str, Any]:
    """One segment of a comparison; voxels of 1 mm³."""
    return {
        **segment, "voxels_a": round(a_ml * 1000), "voxels_b": round(b_ml * 1000), "dice": dice, "hd95_mm": distance,
        "assd_mm": None if distance is None else distance / 2, "max_mm": distance, "volume_a_ml": a_ml,
        "volume_b_ml": b_ml, "volume_difference_percent": (b_ml - a_ml) / a_ml * 100 if a_ml else None,
    }  # fmt: skip


def settled_case(project: Any, number: int, **values: Any) -> Case:
    """A case past its reading, open to everybody."""
    patient = Patient.objects.create(project=project, number=number)
    study = Study.objects.create(
        project=project, patient=patient, patient_number=number, study_instance_uid=f"2.25.{uuid.uuid4().int}",
        description=f"Settled {number}", modalities=["CT"],
    )  # fmt: skip
    Study.objects.filter(pk=study.pk).update(words=search_column(study.pseudonym, study.description))
    series = Series.objects.create(
        study=study, series_instance_uid=f"2.25.{uuid.uuid4().int}", modality="CT", is_volume=False, slices=1,
        finding={"verdict": "accept", "reasons": [], "message": "", "facts": {}}, content_digest="0" * 64,
    )  # fmt: skip
    given = {"stage": "approval", "state": "new", "is_blind": False, **values}
    return Case.objects.create(study=study, series=series, project=project, number=number, **given)


def submitted(case: Case, reader: Any, letter: str, **answers: Any) -> Reading:
    now = timezone.now()
    return Reading.objects.create(
        case=case, reader=reader, letter=letter, state="submitted", first_seq=1, first_answers=answers,
        committed_at=now, final_seq=1, final_answers=answers, submitted_at=now,
    )  # fmt: skip


def compared(left: Reading, right: Reading, *segments: dict[str, Any], within: bool = True) -> Agreement:
    return Agreement.objects.create(
        case=left.case, left=left, right=right, segments=list(segments), excesses=[], is_within=within,
        settled_at=timezone.now(),
    )  # fmt: skip


# Volumes of the liver as two people outlined it, in mL, and their Dice: the differences are 1, -1, 3 and 1. Bias 1,
# SD 1.633, so the limits of agreement are -2.2 and 4.2; the mean Dice is 0.80. Answers: kappa 0.50.
FIRST, SECOND, DICES = (10.0, 20.0, 30.0, 40.0), (9.0, 21.0, 27.0, 39.0), (0.9, 0.8, 0.7, 0.8)
SEEN = ((True, True), (True, True), (False, False), (True, False))


def four_cases(project: Any, first: Any, second: Any, *, blind: int = 0) -> list[Case]:
    """`first` comes before `second` by name. In every other case the letters are the other way round.

    `blind` numbers one that an adjudicator settled and nobody signed.
    """
    cases = []
    for number, (a_ml, b_ml, dice, seen) in enumerate(zip(FIRST, SECOND, DICES, SEEN, strict=True), start=1):
        case = settled_case(project, number, is_blind=number == blind)
        reads = [submitted(case, first, "A", seen=seen[0]), submitted(case, second, "B", seen=seen[1])]
        if number % 2:
            compared(*reads, row(LIVER, a_ml, b_ml, dice), within=dice >= 0.8)
        else:
            compared(*reversed(reads), row(LIVER, b_ml, a_ml, dice), within=dice >= 0.8)
        cases.append(case)
    return cases


def relied(reading: Reading, version: Any, changed: tuple[int, int], kept: tuple[int, int]) -> Reliance:
    """Places where the reader went over and kept the own outline: (algorithm right, algorithm wrong)."""
    return Reliance.objects.create(
        reading=reading, algorithm_version=version, case_version=1, changed_right=changed[0], changed_wrong=changed[1],
        kept_right=kept[0], kept_wrong=kept[1], seconds=[4.0],
    )  # fmt: skip
