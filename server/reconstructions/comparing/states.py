"""One segmentation as it was after one of its operations: its labels and its list of segments."""

from __future__ import annotations

import gzip

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from server.core import storage
from server.core.errors import LaminaError
from server.reconstructions.editing import labelmaps, services, table, writing
from server.reconstructions.models import Edit, Segmentation, SegmentationKind


def newest_seq(segmentation: Segmentation) -> int:
    """The number of its newest operation; 0 for a result."""
    return Edit.objects.filter(pk=segmentation.pk).values_list("head", flat=True).first() or 0


def checked_seq(segmentation: Segmentation, seq: int | None) -> int:
    """`seq`, or the newest where it is None. Raises LaminaError where there is no such version."""
    newest = newest_seq(segmentation)
    if seq is None:
        return newest
    if not 0 <= seq <= newest:
        raise LaminaError("no_such_version", _("There is no such version."), 422)
    return seq


def labels_at(segmentation: Segmentation, seq: int) -> NDArray:
    """uint8 (k, j, i) on the grid of the series."""
    shape = tuple(segmentation.series.shape)
    if segmentation.kind == SegmentationKind.EDITED:
        return labelmaps.at_seq(segmentation, seq).reshape(shape)
    flat = np.frombuffer(gzip.decompress(storage.read(segmentation.labelmap_ref)), np.uint8)
    if len(flat) != labelmaps.voxel_count(segmentation):
        raise storage.IntegrityError(segmentation.labelmap_ref)
    return flat.reshape(shape)


def rows_at(segmentation: Segmentation, seq: int) -> list[table.Row]:
    """The list of segments as it was."""
    if segmentation.kind == SegmentationKind.EDITED:
        return writing.table_at(segmentation, Edit.objects.get(pk=segmentation.pk), seq)
    return services.base_rows(segmentation)
