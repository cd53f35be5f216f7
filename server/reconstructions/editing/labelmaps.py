"""The labelmap of an edited segmentation at its newest operation, kept unpacked in this process.

The truth is the base and the operations. A process that asks again applies only what came since; one that asks for the
first time reads the newest snapshot and what came after it. Nothing is written here inside a transaction that may still
roll back: the kept array moves on only by effects it reads from the database.

Locks: the array's own lock is the innermost. Whoever holds it takes no lock of the database.
"""

from __future__ import annotations

import gzip
import io
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from server.core import storage
from server.core.secrets import Box
from server.realtime.services import lock_stream
from server.reconstructions.editing.runs import unpack_effect
from server.reconstructions.models import Edit, Operation, Segmentation, SegmentationKind

PACKING = 1  # of gzip: labels are long runs, and somebody waits


@dataclass
class _Held:
    lock: threading.RLock = field(default_factory=threading.RLock)
    seq: int = -1  # -1: not read yet
    tip: UUID | None = None  # the id of operation `seq`
    flat: NDArray = field(default_factory=lambda: np.zeros(0, np.uint8))


_held: OrderedDict[tuple[UUID, str], _Held] = OrderedDict()
_guard = threading.Lock()


def context_of(segmentation_id: UUID, seq: int, column: str) -> str:
    """What `Box` binds a sealed column of an operation to."""
    return f"operation:{segmentation_id}:{seq}:{column}"


def voxel_count(segmentation: Segmentation) -> int:
    return math.prod(segmentation.series.shape)


@contextmanager
def at_head(segmentation: Segmentation) -> Iterator[tuple[NDArray, int]]:
    """(flat uint8 labelmap, its operation number) at the newest committed operation. Only to be read, only inside."""
    held = _entry(segmentation, "head")
    with held.lock:
        _catch_up(segmentation, held)
        yield held.flat, held.seq


@contextmanager
def base(segmentation: Segmentation) -> Iterator[NDArray]:
    """The flat labelmap the operations begin from. Only to be read, only inside."""
    held = _entry(segmentation, "base")
    with held.lock:
        if held.seq < 0:
            held.flat = _read(segmentation, Edit.objects.get(pk=segmentation.pk).base_ref)
            held.seq = 0
        yield held.flat


@contextmanager
def shown(segmentation: Segmentation) -> Iterator[tuple[NDArray, int]]:
    """(flat labelmap, operation number) of any segmentation: an edited one as it is now, a result as it came."""
    if segmentation.kind == SegmentationKind.EDITED:
        with at_head(segmentation) as (flat, seq):
            yield flat, seq
        return
    held = _entry(segmentation, "result")
    with held.lock:
        if held.seq < 0:
            held.flat, held.seq = _read(segmentation, segmentation.labelmap_ref), 0
        yield held.flat, 0


def at_seq(segmentation: Segmentation, seq: int) -> NDArray:
    """A flat labelmap of its own as it was after operation `seq`."""
    with base(segmentation) as flat:
        own = flat.copy()
    _apply(segmentation, own, 0, seq)
    return own


def snapshot(segmentation: Segmentation) -> tuple[str, int]:
    """(reference, operation number) of the labelmap as one gzip file, made anew where operations came since."""
    edit = Edit.objects.select_related("segmentation").get(pk=segmentation.pk)  # both as of one moment
    if edit.segmentation.labelmap_ref and edit.snapshot_seq == edit.head:
        return edit.segmentation.labelmap_ref, edit.head
    with at_head(segmentation) as (flat, seq):
        copy = flat.tobytes()
    ref = storage.put(segmentation.study_id, segmentation.study.project_id, io.BytesIO(gzip.compress(copy, PACKING)))
    _keep_snapshot(segmentation, ref, seq)
    return ref, seq


@transaction.atomic
def _keep_snapshot(segmentation: Segmentation, ref: str, seq: int) -> None:
    lock_stream(segmentation.study.stream)
    edit = Edit.objects.select_for_update().get(pk=segmentation.pk)
    row = Segmentation.objects.get(pk=segmentation.pk)
    if row.labelmap_ref and edit.snapshot_seq >= seq:
        return  # somebody was quicker; ours is named by nobody and goes with the study
    obsolete, edit.snapshot_before_ref, edit.snapshot_seq = edit.snapshot_before_ref, row.labelmap_ref, seq
    edit.save(update_fields=["snapshot_before_ref", "snapshot_seq"])
    Segmentation.objects.filter(pk=segmentation.pk).update(labelmap_ref=ref)
    if obsolete and obsolete not in {ref, edit.base_ref, edit.snapshot_before_ref}:
        transaction.on_commit(lambda: storage.remove(obsolete), robust=True)


# --- inside -------------------------------------------------------------------------------------------------------


def _entry(segmentation: Segmentation, which: str) -> _Held:
    """The kept array; the longest unused ones go when they are too many bytes together."""
    budget = int(getattr(settings, "LAMINA_LABELMAP_CACHE_MIB", 256)) * 2**20
    with _guard:
        held = _held.setdefault((segmentation.pk, which), _Held())
        _held.move_to_end((segmentation.pk, which))
        used = sum(one.flat.nbytes for one in _held.values()) + voxel_count(segmentation) * (not held.flat.size)
        for key in list(_held):
            if used <= budget or _held[key] is held:
                break
            used -= _held.pop(key).flat.nbytes  # who is using it keeps it until done
        return held


def _catch_up(segmentation: Segmentation, held: _Held) -> None:
    edit = Edit.objects.select_related("segmentation").get(pk=segmentation.pk)  # both as of one moment
    if held.seq > 0 and held.tip != _tip(segmentation, held.seq):
        held.seq = -1  # read inside a transaction that rolled back, or the database is an older one restored
    if held.seq < 0:
        held.flat, held.seq = _begin(segmentation, edit, edit.segmentation.labelmap_ref)
    if held.seq < edit.head:
        _apply(segmentation, held.flat, held.seq, edit.head)
        held.seq = edit.head
    held.tip = _tip(segmentation, held.seq)


def _tip(segmentation: Segmentation, seq: int) -> UUID | None:
    return (
        Operation.objects.filter(segmentation_id=segmentation.pk, seq=seq).values_list("client_id", flat=True).first()
    )


def _begin(segmentation: Segmentation, edit: Edit, ref: str) -> tuple[NDArray, int]:
    """The newest snapshot, or the base where there is none or it is damaged: nothing is lost with a snapshot."""
    if ref:
        try:
            return _read(segmentation, ref), edit.snapshot_seq
        except storage.IntegrityError:
            if ref == edit.base_ref:
                raise
    return _read(segmentation, edit.base_ref), 0


def _read(segmentation: Segmentation, ref: str) -> NDArray:
    count = voxel_count(segmentation)
    if not ref:
        return np.zeros(count, np.uint8)
    flat = np.frombuffer(gzip.decompress(storage.read(ref)), np.uint8)
    if len(flat) != count:
        raise storage.IntegrityError(ref)
    return flat.copy()


def _apply(segmentation: Segmentation, flat: NDArray, after: int, until: int) -> None:
    rows = Operation.objects.filter(segmentation_id=segmentation.pk, seq__gt=after, seq__lte=until, changed__gt=0)
    box: Box | None = None
    for seq, sealed in rows.order_by("seq").values_list("seq", "effect").iterator(chunk_size=200):
        box = box or Box(segmentation.study_id)
        data = box.open(bytes(sealed), context_of(segmentation.pk, seq, "effect"))
        unpack_effect(data, len(flat)).apply(flat)
