"""Two segmentations of one patient's studies brought together: volumes then and now, paired as comparisons pair them.

Volumes are those of each one's own voxels; no worker is needed for them. Distances come with the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.reconstructions.comparing import pairs, selectors, services, states
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.editing.table import Row
from server.reconstructions.following.growth import Growth, growth
from server.reconstructions.models import Segmentation
from server.studies.fusion import Fusion, fusion_of, name_of, transforms_between
from server.studies.models import StudyState

ABNORMAL = "49755003"  # SCT, Morphologically Abnormal Structure: what a doubling time is said of


@dataclass(frozen=True)
class Side:
    """One segmentation as it is now."""

    segmentation: Segmentation
    seq: int
    rows: list[Row]
    volumes: dict[int, float | None]  # mL by number

    def volume(self, numbers: list[int]) -> float | None:
        known = [self.volumes.get(number) for number in numbers]
        return None if not known or any(one is None for one in known) else sum(one or 0.0 for one in known)


@dataclass(frozen=True)
class Changed:
    """One segment on both dates."""

    number: int  # of the open one
    label: str
    colour: str
    is_lesion: bool
    earlier_ml: float | None
    later_ml: float | None
    growth: Growth


@dataclass(frozen=True)
class FollowUp:
    """`opened` is the one that is looked at, `other` what it is held against; dates say which is earlier."""

    opened: Side
    other: Side
    earlier: Side
    later: Side
    days: int | None
    fusion: Fusion
    segments: list[Changed]
    unpaired: list[dict[str, Any]]
    comparison: Comparison | None


def follow_up(opened: Segmentation, other: Segmentation) -> FollowUp:
    """Both with study and series. Whether the person may see both is asked by who calls.

    Raises LaminaError: study_in_bin, same_study, other_patient, no_volume, spacing_unknown, other_modality,
    nothing_in_common.
    """
    _check(opened, other)
    sides = side_of(opened), side_of(other)
    found, alone = pairs.paired(sides[0].rows, sides[1].rows, related=False)
    if not found:
        raise LaminaError("nothing_in_common", _("The two have no segment in common, by number, name or type."), 422)
    dates = opened.study.study_date, other.study.study_date
    earlier, later = sides if dates[0] and dates[1] and dates[0] < dates[1] else sides[::-1]
    days = abs((dates[0] - dates[1]).days) if dates[0] and dates[1] else None
    is_opened_later = later is sides[0]
    lesions = {row["number"] for row in sides[0].rows if row["category"]["value"] == ABNORMAL}
    segments = []
    for pair in found:
        volumes = sides[0].volume(pair["left"]), sides[1].volume(pair["right"])
        before, after = volumes[::-1] if is_opened_later else volumes
        segments.append(
            Changed(
                number=pair["number"],
                label=pair["label"],
                colour=pair["colour"],
                is_lesion=pair["number"] in lesions,
                earlier_ml=before,
                later_ml=after,
                growth=growth(before, after, days),
            )
        )
    unpaired = [
        {
            "number": one["number"],
            "label": one["label"],
            "is_earlier": (one["side"] == "a") != is_opened_later,
            "volume_ml": sides[0 if one["side"] == "a" else 1].volume([one["number"]]),
        }
        for one in alone
    ]
    fusion = fusion_of(opened.series, other.series, transforms_between([opened.series, other.series]))
    made = selectors.ready(opened, sides[0].seq, other, sides[1].seq)
    matrix = fusion.matrix if fusion.how == "transform" else None
    return FollowUp(
        opened=sides[0],
        other=sides[1],
        earlier=earlier,
        later=later,
        days=days,
        fusion=fusion,
        segments=segments,
        unpaired=unpaired,
        comparison=made if made and fusion.allowed and services.is_of(made, matrix) else None,
    )


def side_of(segmentation: Segmentation) -> Side:
    seq = states.newest_seq(segmentation)
    volumes = dict(segmentation.segments.values_list("number", "volume_ml"))
    return Side(segmentation, seq, states.rows_at(segmentation, seq), volumes)


def _check(opened: Segmentation, other: Segmentation) -> None:
    for one in (opened, other):
        if one.study.state != StudyState.ACTIVE:
            raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    if opened.study_id == other.study_id:
        raise LaminaError("same_study", _("Both lie in one study: there is no time between them."), 422)
    if opened.study.patient_id != other.study.patient_id:
        raise LaminaError("other_patient", _("%(name)s belongs to another patient.") % _named(other), 422)
    for one in (opened, other):
        if one.series.spacing_mm is None:
            message = _("The spacing of %(name)s is not known: there are no millilitres to compare.")
            raise LaminaError("spacing_unknown", message % _named(one), 422)
    if opened.series.modality != other.series.modality:
        message = _("The two are of different modalities: a change between them is no growth.")
        raise LaminaError("other_modality", message, 422)


def _named(segmentation: Segmentation) -> dict[str, str]:
    return {"name": name_of(segmentation.series)}
