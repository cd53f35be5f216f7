"""Beginning to edit, one operation more, taking back, doing again, restoring.

Every change is one transaction that holds the study's stream first and the edit's row second (lock order: job, stream
counter, rows), so operations of one segmentation are accepted one after the other and numbers have no gap. What it did
to the voxels is worked out here, once, and sent to everybody as its effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from server import engine
from server.core import audit
from server.core.errors import LaminaError
from server.realtime.services import publish
from server.reconstructions.editing import checks, labelmaps, table
from server.reconstructions.editing.labelmaps import voxel_count
from server.reconstructions.editing.steps import (
    Step,
)
from server.reconstructions.editing.writing import (
    REDO,
    RESTORE,
    SETTLE,
    UNDO,
    Edited,
    Sent,
    Writer,
    hold_study,
    voxel_ml_of,
)
from server.reconstructions.events import SegmentationReady, VersionSaved
from server.reconstructions.models import Edit, Operation, SavePoint, Segment, Segmentation, SegmentationKind, Surface
from server.reconstructions.selectors import complete
from server.reconstructions.serializers import segmentation_json
from server.studies import sealing
from server.studies.models import Series

# --- beginning ----------------------------------------------------------------------------------------------------


def begin_edit(*, segmentation: Segmentation, by: Any) -> tuple[Segmentation, bool]:
    """(the working copy of a result, whether it is new). Of a working copy: itself."""
    if segmentation.kind == SegmentationKind.EDITED:
        return segmentation, False
    return _begin(series=segmentation.series, based_on=segmentation, by=by)


def begin_empty(*, series: Series, by: Any, rows: Sequence[table.Row] = ()) -> tuple[Segmentation, bool]:
    """(the working segmentation of a series that began from nothing, whether it is new).

    `rows` is the list a new one begins with: segments without a voxel.
    """
    return _begin(series=series, based_on=None, by=by, empty_rows=rows)


@transaction.atomic
def _begin(
    *, series: Series, based_on: Segmentation | None, by: Any, empty_rows: Sequence[table.Row] = ()
) -> tuple[Segmentation, bool]:
    study = hold_study(series.study_id)
    if not series.is_volume or not series.shape:
        raise LaminaError("not_a_volume", _("The series is kept as pictures; nothing can be outlined on it."), 422)
    audience = sealing.audience_for(by, study.pk)
    sealing.check_write(by, study.pk, audience)  # also before an answer that what is shared exists already
    own = Segmentation.objects.filter(series=series, audience=audience)
    known = complete(own.filter(based_on=based_on, kind=SegmentationKind.EDITED))
    if (there := known.first()) is not None:
        return there, False
    made = Segmentation.objects.create(
        study=study,
        series=series,
        audience=audience,
        kind=SegmentationKind.EDITED,
        based_on=based_on,
        author=by,
        labelmap_ref=based_on.labelmap_ref if based_on else "",
        labelmap_nii_ref=based_on.labelmap_nii_ref if based_on else "",
        surfaces_ref=based_on.surfaces_ref if based_on else "",
        surfaces_plain_ref=based_on.surfaces_plain_ref if based_on else "",
    )
    rows = base_rows(based_on) if based_on else [table.Row(**row) for row in empty_rows]
    edit = Edit(
        segmentation=made,
        base_ref=made.labelmap_ref,
        base_segments=rows,
        last_number=max((row["number"] for row in rows), default=0),
        files_seq=0 if based_on else None,
    )
    edit.save(force_insert=True)
    with labelmaps.base(made) as flat:
        counts = np.bincount(flat, minlength=256)
    edit.counts = {str(n): int(counts[n]) for n in np.flatnonzero(counts) if n}
    edit.save(update_fields=["counts"])
    if based_on:
        _copy_segments(based_on, made, rows)
    else:
        voxel_ml = voxel_ml_of(series)
        for place, row in enumerate(rows):
            values = {name: row[name] for name in table.FIELDS}  # type: ignore[literal-required]
            volume = None if voxel_ml is None else 0.0
            Segment.objects.create(
                segmentation=made, number=row["number"], voxels=0, volume_ml=volume, place=place, **values
            )
    audit.record(by, "segmentation.begun", made, project_id=study.project_id, based_on=based_on and based_on.pk)
    made = complete(Segmentation.objects.filter(pk=made.pk)).get()
    publish(SegmentationReady(segmentation=segmentation_json(made)), stream=made.stream)
    return made, True


def base_rows(result: Segmentation) -> list[table.Row]:
    encloses = engine.encloses(result.algorithm_version.algorithm.name) if result.algorithm_version else {}
    return [
        table.Row(
            number=segment.number,
            label=segment.label,
            colour=segment.colour,
            category=segment.category,
            type=segment.type,
            encloses=list(encloses.get(segment.number, ())),
        )
        for segment in sorted(result.segments.all(), key=lambda segment: segment.number)
    ]


def _copy_segments(source: Segmentation, made: Segmentation, rows: Sequence[table.Row]) -> None:
    """The result's rows with their surfaces: nodes of the GLB that both share."""
    places = {row["number"]: place for place, row in enumerate(rows)}
    for segment in source.segments.select_related("surface"):
        surface = getattr(segment, "surface", None)
        copy = Segment.objects.create(
            segmentation=made,
            number=segment.number,
            label=segment.label,
            colour=segment.colour,
            category=segment.category,
            type=segment.type,
            voxels=segment.voxels,
            volume_ml=segment.volume_ml,
            place=places[segment.number],
        )
        if surface is not None:
            Surface.objects.create(
                segment=copy,
                node=surface.node,
                triangles=surface.triangles,
                centroid_mm=surface.centroid_mm,
                bounds_mm=surface.bounds_mm,
            )


# --- one operation more -------------------------------------------------------------------------------------------


def apply_operation(*, segmentation: Segmentation, by: Any, sent: Sent) -> Edited:
    """Add what a person sent. Sending it again answers the first; raises LaminaError where it cannot stand."""
    with labelmaps.at_head(segmentation):
        pass  # a first reading of the volume takes its time before others have to wait
    with transaction.atomic():
        writer = Writer(segmentation, by, sent)
        if (done := writer.earlier()) is not None:
            return done
        wanted = checks.checked(writer.edit, writer.rows, sent.kind, sent.payload, voxel_count(segmentation))
        writer.refuse_conflict(sent.kind, wanted.params)
        return writer.add(wanted.step, wanted.params, wanted.number)


def add_worked_out(
    *, segmentation: Segmentation, by: Any, sent: Sent, step: Step, params: Mapping[str, Any], number: int | None
) -> Edited:
    """Add what the engine worked out for a person, inside the transaction of its job."""
    with transaction.atomic():
        writer = Writer(segmentation, by, sent)
        if (done := writer.earlier()) is not None:
            return done
        if number is not None and number not in writer.numbers:
            raise checks.segment_gone(number)
        return writer.add(step, params, number)


def undo(*, segmentation: Segmentation, by: Any, client_id: UUID) -> Edited:
    """Take back the person's own last step, as an operation. Others' work on the same voxels stays."""
    with transaction.atomic():
        writer = Writer(segmentation, by, Sent(client_id, UNDO, UNDO, 0))
        if (done := writer.earlier()) is not None:
            return done
        target = next_undo(segmentation, by)
        if target is None:
            raise LaminaError("nothing_to_undo", _("There is no step of yours to take back."), 409)
        return writer.flip(target, back=True)


def redo(*, segmentation: Segmentation, by: Any, client_id: UUID) -> Edited:
    """Do the person's own last taken-back step again, in its old place among the others."""
    with transaction.atomic():
        writer = Writer(segmentation, by, Sent(client_id, REDO, REDO, 0))
        if (done := writer.earlier()) is not None:
            return done
        target = next_redo(segmentation, by)
        if target is None:
            raise LaminaError("nothing_to_redo", _("There is no step of yours to do again."), 409)
        return writer.flip(target, back=False)


def settle(
    *,
    segmentation: Segmentation,
    by: Any,
    client_id: UUID,
    name: str,
    step: Step,
    number: int,
    params: Mapping[str, Any],
) -> Edited:
    """Add what follows from a decision of the person about a place, inside the transaction that keeps the decision.

    It is taken back with the decision (`take_back`), never by a bare undo.
    """
    sent = Sent(client_id, SETTLE, name[:80], 0, params)
    return add_worked_out(segmentation=segmentation, by=by, sent=sent, step=step, params=params, number=number)


def take_back(*, segmentation: Segmentation, by: Any, client_id: UUID, seq: int) -> Edited | None:
    """Take back the one operation `seq`, whatever was done since; None where it does not count any more."""
    with transaction.atomic():
        writer = Writer(segmentation, by, Sent(client_id, UNDO, UNDO, 0, {"seq": seq}))
        target = Operation.objects.filter(segmentation=segmentation, seq=seq, undone_by=None).first()
        return writer.flip(target, back=True) if target is not None else None


def restore(*, segmentation: Segmentation, by: Any, client_id: UUID, seq: int, name: str) -> Edited:
    """Make everything as it was after operation `seq`, as a new operation: nothing is lost."""
    with transaction.atomic():
        writer = Writer(segmentation, by, Sent(client_id, RESTORE, name, 0, {"seq": seq}))
        if (done := writer.earlier()) is not None:
            return done
        if not 0 <= seq <= writer.edit.head:
            raise LaminaError("no_such_version", _("There is no such version."), 422)
        return writer.bring_back(seq)


@transaction.atomic
def save_version(*, segmentation: Segmentation, by: Any, name: str) -> SavePoint:
    """Give the state as it is now a name."""
    from server.reconstructions.editing.history import save_point_json

    study = hold_study(segmentation.study_id)
    sealing.check_write(by, study.pk, segmentation.audience)
    edit = Edit.objects.select_for_update().get(pk=segmentation.pk)
    made = SavePoint.objects.create(segmentation=segmentation, seq=edit.head, name=name, author=by)
    audit.record(by, "version.saved", made, project_id=study.project_id, seq=edit.head)
    publish(VersionSaved(segmentation_id=segmentation.pk, version=save_point_json(made)), stream=segmentation.stream)
    return made


# --- whose step is next -------------------------------------------------------------------------------------------


def next_undo(segmentation: Segmentation, by: Any) -> Operation | None:
    """The person's own last step that still counts."""
    own = Operation.objects.filter(segmentation=segmentation, author=by).exclude(kind__in=[UNDO, REDO, SETTLE])
    return own.filter(undone_by=None).order_by("-seq").first()


def next_redo(segmentation: Segmentation, by: Any) -> Operation | None:
    """The person's own step taken back last; a new step of theirs ends what can be done again."""
    own = Operation.objects.filter(segmentation=segmentation, author=by).exclude(kind__in=[UNDO, REDO, SETTLE])
    newest = own.order_by("-seq").values_list("seq", flat=True).first()
    if newest is None:
        return None
    return own.filter(undone_by__gt=newest).order_by("-undone_by").first()


def steps_json(segmentation: Segmentation, by: Any) -> dict[str, Any]:
    """What Ctrl+Z and Ctrl+Y of this person would bring, by name."""

    def named(operation: Operation | None) -> dict[str, Any] | None:
        return operation and {"seq": operation.seq, "kind": operation.kind, "name": operation.name}

    return {"undo": named(next_undo(segmentation, by)), "redo": named(next_redo(segmentation, by))}
