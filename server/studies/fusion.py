"""May one series be laid over another? The rule, and the sentence that says why or why not.

Two images may lie over each other when their millimetres mean the same place: the same frame of reference (DICOM
PS3.3 C.7.4.1), or a stored transform between the two. Everything else is refused, however alike the pictures look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from server.studies.models import Series, Transform, frame_key_of

IDENTITY: list[list[float]] = np.eye(4).tolist()


@dataclass(frozen=True)
class Fusion:
    """The answer for one pair. `matrix` takes LPS mm of the moving series to LPS mm of the fixed one."""

    moving: Series
    how: str  # same_frame | transform | refused
    sentence: str
    reason: str | None = None
    matrix: list[list[float]] | None = None
    transform: Transform | None = None
    inverted: bool = False

    @property
    def allowed(self) -> bool:
        return self.how != "refused"


def name_of(series: Series) -> str:
    """Short, as the page names it: "MR · Series 3"."""
    if series.number is None:
        return series.modality or _("Series")
    return " · ".join(filter(None, [series.modality, _("Series %(number)s") % {"number": series.number}]))


def _dated(series: Series, beside: Series) -> str:
    """With its date where the two are of different studies: series of two dates often have one name."""
    date = series.study.study_date if series.study_id != beside.study_id else None
    return f"{name_of(series)} · {date.isoformat()}" if date else name_of(series)


def refusal(fixed: Series, moving: Series) -> tuple[str, str] | None:
    """Code and sentence where no transform could help."""
    names = {"moving": name_of(moving), "fixed": name_of(fixed)}
    if fixed.pk == moving.pk:
        return "same_series", _("A series is not laid over itself.")
    if fixed.study.patient_id != moving.study.patient_id:
        return "other_patient", _("%(moving)s belongs to another patient.") % names
    for one in (moving, fixed):
        named = {"name": name_of(one)}
        if not one.is_volume:
            return "no_volume", _("%(name)s is not a volume.") % named
        if one.spacing_mm is None:
            return "spacing_unknown", _("The spacing of %(name)s is not known, so nothing can be laid over it.") % named
    return None


def fusion_of(fixed: Series, moving: Series, transforms: Iterable[Transform]) -> Fusion:
    """The answer for one pair; `transforms` newest first. Both series bring their study."""
    if refused := refusal(fixed, moving):
        return Fusion(moving, "refused", refused[1], refused[0])
    to, origin = frame_key_of(fixed), frame_key_of(moving)
    if to == origin:
        return Fusion(moving, "same_frame", _("Same frame of reference."), matrix=IDENTITY)
    for one in transforms:
        if (one.moving_frame, one.fixed_frame) == (origin, to):
            return Fusion(moving, "transform", provenance(one), matrix=one.matrix, transform=one)
        if (one.moving_frame, one.fixed_frame) == (to, origin):
            inverse = np.linalg.inv(np.asarray(one.matrix, float)).tolist()
            return Fusion(moving, "transform", provenance(one), matrix=inverse, transform=one, inverted=True)
    unnamed = next((one for one in (moving, fixed) if not one.frame_of_reference_uid), None)
    if unnamed is not None:
        sentence = _("The files of %(name)s name no frame of reference, and no transform is stored for it.")
        return Fusion(moving, "refused", sentence % {"name": name_of(unnamed)}, "frame_unknown")
    sentence = _("%(moving)s has another frame of reference than %(fixed)s, and no transform between them is stored.")
    names = {"moving": _dated(moving, fixed), "fixed": _dated(fixed, moving)}
    return Fusion(moving, "refused", sentence % names, "other_frame")


def provenance(transform: Transform) -> str:
    """Date, author and error of a stored transform in one sentence."""
    facts = {
        "date": localtime(transform.created_at).date().isoformat(),
        "author": transform.author.display_name if transform.author else _("someone who left"),
        "method": transform.get_method_display(),
    }
    found = transform.facts
    if found.get("algorithm"):
        facts["algorithm"] = f"{found['algorithm']} {found.get('version', '')}".strip()
        error = float(found.get("error_mm") or 0)
        facts["error"] = f"{error:.1f}" if error >= 0.05 else "< 0.1"
        sentence = _("By %(algorithm)s of %(date)s, accepted by %(author)s, error %(error)s\u202fmm.")
        return sentence % facts
    if transform.landmark_error_mm is None:
        return _("By transform of %(date)s, %(author)s (%(method)s), error not measured.") % facts
    facts["error"] = f"{transform.landmark_error_mm:.1f}"
    return _("By transform of %(date)s, %(author)s (%(method)s), landmark error %(error)s\u202fmm.") % facts


def transforms_between(series: Sequence[Series]) -> list[Transform]:
    """Stored transforms that touch a frame of these series (of one patient), newest first."""
    keys = {frame_key_of(one) for one in series}
    patients = {one.study.patient_id for one in series}
    touching = Q(moving_frame__in=keys) | Q(fixed_frame__in=keys)
    rows = Transform.objects.filter(touching, moving_series__study__patient_id__in=patients)
    return list(rows.select_related("author", "moving_series__study", "fixed_series").order_by("-created_at", "-id"))
