"""Storing and removing transforms between frames of reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from server.core import audit
from server.core.errors import LaminaError
from server.realtime.services import lock_stream, publish
from server.studies.events import TransformAdded, TransformRemoved
from server.studies.fusion import refusal
from server.studies.models import Series, StudyState, Transform, frame_key_of
from server.studies.serializers import transform_json

# A patient does not shrink or grow between two images by more; a larger factor is a matrix in other units.
SCALES = (0.5, 2.0)
FARTHEST_MM = 10_000.0


def checked_matrix(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """A 4 x 4 affine in millimetres, or LaminaError with the rule it breaks."""
    matrix = np.asarray(rows, float)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise LaminaError("bad_matrix", _("A transform is 4 rows of 4 finite numbers."), 422)
    if not np.allclose(matrix[3], [0, 0, 0, 1], atol=1e-9):
        raise LaminaError("bad_matrix", _("The last row of a transform is 0 0 0 1."), 422)
    scales = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if scales.min() < SCALES[0] or scales.max() > SCALES[1]:
        message = _(
            "The transform scales by %(least).2f to %(most).2f; %(low).1f to %(high).1f is allowed. Is it in mm?"
        )
        facts = {"least": scales.min(), "most": scales.max(), "low": SCALES[0], "high": SCALES[1]}
        raise LaminaError("bad_matrix", message % facts, 422)
    if np.linalg.det(matrix[:3, :3]) < 0:
        raise LaminaError("mirrored", _("The transform mirrors: left would become right."), 422)
    if np.abs(matrix[:3, 3]).max() > FARTHEST_MM:
        raise LaminaError("bad_matrix", _("The transform moves by more than 10 m. Is it in mm?"), 422)
    return matrix.tolist()


@transaction.atomic
def add_transform(
    *,
    moving: Series,
    fixed: Series,
    matrix: Sequence[Sequence[float]],
    method: str,
    by: Any,
    landmark_error_mm: float | None = None,
    note: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Transform:
    """Store how `moving` comes to lie over `fixed`. The newest transform between two frames counts."""
    if StudyState.BINNED in (moving.study.state, fixed.study.state):
        raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    if refused := refusal(fixed, moving):
        raise LaminaError(refused[0], refused[1], 422)
    if frame_key_of(moving) == frame_key_of(fixed):
        message = _("Both series have the same frame of reference: they lie over each other as they are.")
        raise LaminaError("same_frame", message, 422)
    if landmark_error_mm is not None and not (math.isfinite(landmark_error_mm) and landmark_error_mm >= 0):
        raise LaminaError("bad_error", _("A landmark error is a number of mm from 0 up, or nothing."), 422)
    streams = _lock(moving, fixed)
    transform = Transform.objects.create(
        moving_series=moving,
        fixed_series=fixed,
        moving_frame=frame_key_of(moving),
        fixed_frame=frame_key_of(fixed),
        matrix=checked_matrix(matrix),
        method=method,
        landmark_error_mm=landmark_error_mm,
        note=note,
        author=by,
        facts=dict(facts or {}),
    )
    audit.record(
        by, "transform.added", transform, moving=moving.pk, fixed=fixed.pk, method=method,
        landmark_error_mm=landmark_error_mm, error_mm=transform.facts.get("error_mm"),
    )  # fmt: skip
    for stream in streams:
        publish(TransformAdded(transform=transform_json(transform)), stream=stream)
    return transform


@transaction.atomic
def remove_transform(*, transform: Transform, by: Any) -> None:
    """Take a transform away. Its author or a project admin may (the view asks)."""
    streams = _lock(transform.moving_series, transform.fixed_series)
    transform_id = transform.pk
    audit.record(by, "transform.removed", transform, study_id=transform.fixed_series.study_id)
    transform.delete()
    for stream in streams:
        publish(TransformRemoved(transform_id=transform_id), stream=stream)


def _lock(moving: Series, fixed: Series) -> list[str]:
    """The streams to tell, locked in one order for everybody."""
    streams = sorted({moving.study.stream, fixed.study.stream})
    for stream in streams:
        lock_stream(stream)
    return streams
