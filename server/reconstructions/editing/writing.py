"""Writing one operation of an edited segmentation, inside a transaction and under its locks.

What it did to the voxels is worked out here, once; rows, counts, audit, event and the job for surfaces follow from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from django.utils.translation import gettext as _

from server.core import audit
from server.core.errors import LaminaError
from server.core.secrets import Box, keyed_digest
from server.realtime.services import lock_stream, publish
from server.reconstructions.editing import derivation, labelmaps, table
from server.reconstructions.editing.labelmaps import context_of, voxel_count
from server.reconstructions.editing.runs import Effect, Spans, effect_of, pack_effect, union, unpack_effect
from server.reconstructions.editing.serializers import operation_json, segment_rows_json
from server.reconstructions.editing.steps import (
    Layer,
    Step,
    between,
    effects_in,
    pack_step,
    replay,
    replay_at,
    tally,
    unpack_step,
)
from server.reconstructions.events import SegmentationEdited
from server.reconstructions.models import Edit, Operation, Segment, Segmentation
from server.studies.models import Series, Study, StudyState
from server.studies.sealing import check_write

UNDO, REDO, RESTORE = "undo", "redo", "restore"
SETTLE = "take-theirs"  # follows from a decision, and goes with it
LIST_ONLY = frozenset({"segment-add", "segment-change", "segment-order"})
NOTHING = effect_of(np.zeros(0, np.int64), np.zeros(0, np.uint8))


@dataclass
class Edited:
    """One operation as it stands now, and the rows of the list it changed."""

    operation: Operation
    rows: list[dict[str, Any]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    repeated: bool = False


@dataclass(frozen=True)
class Sent:
    """An operation as its author sends it; `payload` by kind (checks.py)."""

    client_id: UUID
    kind: str
    name: str
    base_seq: int
    payload: Mapping[str, Any] = field(default_factory=dict)


def hold_study(study_id: UUID) -> Study:
    """Hold the study's stream, then read it. Raises LaminaError where it lies in the bin."""
    lock_stream(f"study:{study_id}")
    study = Study.objects.get(pk=study_id)
    if study.state != StudyState.ACTIVE:
        raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    return study


class Writer:
    """Writes one operation of one segmentation, inside a transaction and under its locks."""

    def __init__(self, segmentation: Segmentation, by: Any, sent: Sent) -> None:
        self.study = hold_study(segmentation.study_id)
        self.segmentation = segmentation
        self.edit = Edit.objects.select_for_update().get(pk=segmentation.pk)
        self.by = by
        self.sent = sent
        self.seq = self.edit.head + 1
        self.box = Box(self.study.pk, self.study.project_id)
        self.rows = self._table()

    @property
    def numbers(self) -> set[int]:
        return {row["number"] for row in self.rows}

    @property
    def digest(self) -> str:
        content = [str(getattr(self.by, "pk", "")), self.sent.kind, self.sent.name, dict(self.sent.payload)]
        plain = json.dumps(content, sort_keys=True, default=str).encode()
        return keyed_digest(self.study.project_id, hashlib.sha256(plain).digest())

    def earlier(self) -> Edited | None:
        """The operation that was sent under this id before. Raises LaminaError where it was another one."""
        first = Operation.objects.filter(segmentation=self.segmentation, client_id=self.sent.client_id).first()
        if first is None:
            return None
        if first.digest != self.digest:
            raise LaminaError("id_used", _("Another change was sent under this id. Use a new id for each."), 409)
        numbers = {first.number} if first.number else set()
        return Edited(first, segment_rows_json(self.segmentation, numbers), sorted(numbers - self.numbers), True)

    def refuse_conflict(self, kind: str, params: Mapping[str, Any]) -> None:
        """Two people gave one segment different names without knowing of each other: the second one is asked."""
        if kind != "segment-change":
            return
        others = Operation.objects.filter(
            segmentation=self.segmentation,
            seq__gt=self.sent.base_seq,
            kind=kind,
            number=params["number"],
            undone_by=None,
        ).exclude(author=self.by)
        for other in others:
            both = [name for name in table.FIELDS if name in params and name in other.params]
            if any(params[name] != other.params[name] for name in both):
                current = segment_rows_json(self.segmentation, {params["number"]})[0]
                message = _("%(person)s changed this segment at the same time. Look again.")
                person = getattr(other.author, "display_name", "")
                raise LaminaError("edit_conflict", message % {"person": person}, 409, current=current, fields=both)

    def add(self, step: Step, params: Mapping[str, Any], number: int | None) -> Edited:
        """Append it, and do to rows and counts what it does."""
        with labelmaps.at_head(self.segmentation) as (flat, seq):
            self._must_be_head(seq)
            effect, before = step.effect_on(flat)
        kind = self.sent.kind
        if kind in table.TABLE_KINDS:
            self.rows = table.fold(self.rows, [(kind, params)])
        where = _box_of(step, self.segmentation.series.shape)
        return self._write(effect, before, step=step, params=params, number=number, box=where)

    def flip(self, target: Operation, *, back: bool) -> Edited:
        """Take `target` back or let it count again."""
        effect, before = (self._quick_undo(target) if back else None) or self._difference(target, back)
        Operation.objects.filter(pk=target.pk).update(undone_by=self.seq if back else None)
        if target.kind in table.TABLE_KINDS:
            self.rows = self._table()
        return self._write(
            effect,
            before,
            params={"of": target.kind},
            number=target.number,
            box=target.box,
            target=target.seq,
            name=target.name,
        )

    def bring_back(self, seq: int) -> Edited:
        wanted = labelmaps.at_seq(self.segmentation, seq)
        with labelmaps.at_head(self.segmentation) as (flat, head):
            self._must_be_head(head)
            effect, before = between(flat, wanted)
        self.rows = self._table(until=seq)
        layers = [
            Layer(int(label), _where(effect, int(label))) for label in np.unique(effect.labels)
        ]  # whatever is there now
        step = Step(tuple(layers))
        params = {"seq": seq, "table": self.rows}
        where = _box_of(step, self.segmentation.series.shape)
        return self._write(effect, before, step=step, params=params, box=where, target=seq)

    # --- voxels ---------------------------------------------------------------------------------------------------

    def _quick_undo(self, target: Operation) -> tuple[Effect, Effect] | None:
        """What was there before, where nobody has touched the place since. Most undos are of this kind."""
        if not target.changed:
            return None
        since = Operation.objects.filter(segmentation=self.segmentation, seq__gt=target.seq)
        for kind, params, box in since.values_list("kind", "params", "box"):
            if params.get("of", kind) in LIST_ONLY:
                continue
            if box is None or target.box is None or _overlap(box, target.box):
                return None
        count = voxel_count(self.segmentation)
        return (
            unpack_effect(self._open(target, "before"), count),
            unpack_effect(self._open(target, "effect"), count),
        )

    def _difference(self, target: Operation, back: bool) -> tuple[Effect, Effect]:
        """Replay the base and every step that counts, without `target` or with it, where `target` speaks of."""
        count = voxel_count(self.segmentation)
        packed = self._open(target, "step")
        if not packed:  # it spoke of the list only
            return NOTHING, NOTHING
        step = unpack_step(packed, count)
        active = Operation.objects.filter(segmentation=self.segmentation, undone_by=None).exclude(step=b"")
        active = active.exclude(pk=target.pk) if back else active | Operation.objects.filter(pk=target.pk)
        rows = [
            one
            for one in active.order_by("seq").only("seq", "box", "step", "segmentation_id")
            if step.mapping or one.box is None or (target.box and _overlap(one.box, target.box))
        ]
        steps = (unpack_step(self._open(one, "step"), count) for one in rows)
        if step.mapping:
            with labelmaps.base(self.segmentation) as base:
                wanted = replay(base, steps)
            with labelmaps.at_head(self.segmentation) as (flat, seq):
                self._must_be_head(seq)
                return between(flat, wanted)
        touched, active_steps = step.touches(), list(steps)
        with (
            labelmaps.base(self.segmentation) as base,
            labelmaps.at_head(self.segmentation) as (flat, seq),
        ):
            self._must_be_head(seq)
            return effects_in(
                touched,
                lambda low, high: touched.within(low, high).indices(),
                lambda indices: (flat[indices], replay_at(base, indices, active_steps)),
            )

    def _must_be_head(self, seq: int) -> None:
        if seq != self.edit.head:  # cannot happen under the locks; better no edit than a wrong one
            raise LaminaError("busy", _("The segmentation changed meanwhile. Try again."), 409)

    def _open(self, operation: Operation, column: str) -> bytes:
        sealed = bytes(getattr(operation, column))
        return self.box.open(sealed, context_of(self.segmentation.pk, operation.seq, column)) if sealed else b""

    def _seal(self, data: bytes, column: str) -> bytes:
        return self.box.seal(data, context_of(self.segmentation.pk, self.seq, column)) if data else b""

    # --- rows -----------------------------------------------------------------------------------------------------

    def _table(self, until: int | None = None) -> list[table.Row]:
        return table_at(self.segmentation, self.edit, until)

    def _write(
        self,
        effect: Effect,
        before: Effect,
        *,
        step: Step | None = None,
        params: Mapping[str, Any] | None = None,
        number: int | None = None,
        box: list[int] | None = None,
        target: int | None = None,
        name: str = "",
    ) -> Edited:
        check_write(self.by, self.study.pk, self.segmentation.audience)
        pairs = tally(before, effect)
        counts = {int(label): voxels for label, voxels in self.edit.counts.items()}
        for (old, new), voxels in pairs.items():
            counts[old] = counts.get(old, 0) - voxels
            counts[new] = counts.get(new, 0) + voxels
        self.edit.counts = {str(label): voxels for label, voxels in sorted(counts.items()) if label and voxels}
        if orphans := {int(label) for label in self.edit.counts} - self.numbers:
            message = _("Others have drawn in this segment since. Remove their part first, or keep it.")
            raise LaminaError("used_by_others", message, 409, numbers=sorted(orphans))
        packed = pack_step(step) if step is not None and (step.layers or step.mapping) else b""
        operation = Operation.objects.create(
            segmentation=self.segmentation,
            seq=self.seq,
            client_id=self.sent.client_id,
            digest=self.digest,
            author=self.by,
            base_seq=min(self.sent.base_seq or self.edit.head, self.edit.head),
            kind=self.sent.kind,
            name=name or self.sent.name,
            params=dict(params or {}),
            number=number,
            target=target,
            changed=effect.count,
            contested=self._contested(effect),
            box=box,
            step=self._seal(packed, "step"),
            effect=self._seal(pack_effect(effect), "effect"),
            before=self._seal(pack_effect(before), "before"),
        )
        self.edit.head = self.seq
        self.edit.last_number = max([self.edit.last_number, *self.numbers])
        self.edit.save(update_fields=["head", "counts", "last_number"])
        changed, removed = self._write_rows(pairs)
        facts = {"operation": self.sent.kind, "seq": self.seq, "voxels": effect.count}
        audit.record(self.by, "segmentation.edited", self.segmentation, project_id=self.study.project_id, **facts)
        rows = segment_rows_json(self.segmentation, changed)
        event = SegmentationEdited(
            segmentation_id=self.segmentation.pk,
            operation=operation_json(operation),
            segments=rows,
            removed=sorted(removed),
        )
        publish(event, stream=self.segmentation.stream)
        derivation.ask_for_surfaces(self.segmentation, self.study, self.by)
        return Edited(operation, rows, sorted(removed))

    def _contested(self, effect: Effect) -> int:
        """Voxels of it that others changed after what the author had seen."""
        if not self.sent.base_seq or self.sent.base_seq >= self.edit.head or not effect.count:
            return 0
        others = Operation.objects.filter(segmentation=self.segmentation, seq__gt=self.sent.base_seq, changed__gt=0)
        theirs = [
            unpack_effect(self._open(other, "effect"), voxel_count(self.segmentation)).where
            for other in others.exclude(author=self.by).order_by("seq")
        ]
        return effect.where.overlap(union(theirs))

    def _write_rows(self, pairs: Mapping[tuple[int, int], int]) -> tuple[set[int], set[int]]:
        """Make the Segment rows equal to the table; returns (numbers changed or new, numbers removed)."""
        voxel_ml = voxel_ml_of(self.segmentation.series)
        there = {segment.number: segment for segment in Segment.objects.filter(segmentation=self.segmentation)}
        changed: set[int] = set()
        for place, row in enumerate(self.rows):
            voxels = table.voxels_of(row, self.edit.counts)
            values = {
                **{name: row[name] for name in table.FIELDS},  # type: ignore[literal-required]
                "place": place,
                "voxels": voxels,
                "volume_ml": None if voxel_ml is None else round(voxels * voxel_ml, 4),
            }
            segment = there.get(row["number"])
            if segment is None:
                segment = Segment(segmentation=self.segmentation, number=row["number"])
                values["touched_seq"] = self.seq
            elif table.touched(row, pairs):
                values["touched_seq"] = self.seq
            if segment._state.adding or any(getattr(segment, name) != value for name, value in values.items()):
                for name, value in values.items():
                    setattr(segment, name, value)
                segment.save()
                changed.add(row["number"])
        removed = set(there) - self.numbers
        Segment.objects.filter(segmentation=self.segmentation, number__in=removed).delete()
        return changed, removed


def table_at(segmentation: Segmentation, edit: Edit, until: int | None = None) -> list[table.Row]:
    """The list of segments as it is, or as it was after operation `until`."""
    if until is None:
        active = Operation.objects.filter(segmentation=segmentation, kind__in=table.TABLE_KINDS, undone_by=None)
        return table.fold(edit.base_segments, active.order_by("seq").values_list("kind", "params"))
    history = Operation.objects.filter(segmentation=segmentation, seq__lte=until).order_by("seq")
    rows = list(history.filter(kind__in=table.TABLE_KINDS).values_list("seq", "kind", "params"))
    counts = {seq: True for seq, _kind, _params in rows}
    for kind, target in history.filter(kind__in=[UNDO, REDO]).values_list("kind", "target"):
        if target in counts:
            counts[target] = kind == REDO
    return table.fold(edit.base_segments, [(kind, params) for seq, kind, params in rows if counts[seq]])


def voxel_ml_of(series: Series) -> float | None:
    """Millilitres of one voxel; None where the spacing is unknown."""
    if series.spacing_mm is None:
        return None
    return float(abs(np.linalg.det(np.array(series.volume["affine"])[:3, :3])) / 1000)


def _where(effect: Effect, label: int) -> Spans:
    here = effect.labels == label
    return Spans(effect.starts[here], effect.lengths[here])


def _box_of(step: Step, shape: Sequence[int]) -> list[int] | None:
    boxes = [box for layer in step.layers if (box := layer.spans.box(tuple(shape))) is not None]  # type: ignore[arg-type]
    if not boxes or step.mapping:
        return None
    low, high = np.min(boxes, axis=0)[:3], np.max(boxes, axis=0)[3:]
    return [*map(int, low), *map(int, high)]


def _overlap(a: Sequence[int], b: Sequence[int]) -> bool:
    return all(a[n] < b[n + 3] and b[n] < a[n + 3] for n in range(3))
