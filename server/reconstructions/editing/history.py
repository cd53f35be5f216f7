"""Versions of an edited segmentation: where one can go back to, and how two of them differ."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.reconstructions.editing import labelmaps, table, writing
from server.reconstructions.editing.serializers import Seen, VersionSerializer
from server.reconstructions.models import Edit, Operation, SavePoint, Segmentation

PAUSE = timedelta(minutes=10)


def versions_of(segmentation: Segmentation, user: Any) -> list[dict[str, Any]]:
    """Newest first: now, the named ones, one after every pause of ten minutes, and the beginning."""
    seen = Seen(segmentation, user)
    head = Edit.objects.values_list("head", flat=True).get(pk=segmentation.pk)
    operations = list(
        Operation.objects.filter(segmentation=segmentation, seq__lte=head)
        .select_related("author")
        .only("seq", "created_at", "author__display_name")
        .order_by("seq")
    )
    made: dict[int, list[dict[str, Any]]] = {
        0: [_version(seen, 0, "begin", segmentation.author, segmentation.created_at)]
    }
    for here, after in itertools.pairwise(operations):
        if after.created_at - here.created_at > PAUSE:
            made.setdefault(here.seq, []).append(_version(seen, here.seq, "automatic", here.author, here.created_at))
    for point in segmentation.save_points.select_related("author").order_by("created_at"):
        if point.seq <= head:
            named = _version(seen, point.seq, "named", point.author, point.created_at, point.name)
            made[point.seq] = [one for one in made.get(point.seq, []) if one["kind"] != "automatic"] + [named]
    if operations and head not in made:
        last = operations[-1]
        made[head] = [_version(seen, head, "now", last.author, last.created_at)]
    before = 0
    for seq in sorted(made):
        between = [one for one in operations if before < one.seq <= seq]
        people = (seen.author(one.author) for one in between)
        names = list(dict.fromkeys(person["name"] for person in people if person))
        for version in made[seq]:
            version["operations"], version["authors"] = len(between), names
        before = seq
    ordered = [version for seq in sorted(made, reverse=True) for version in reversed(made[seq])]
    return [dict(VersionSerializer(version).data) for version in ordered]


def save_point_json(point: SavePoint, user: Any = None) -> dict[str, Any]:
    """A named version as answers (with `user`) and events carry it; its operations are counted in the list."""
    version = _version(Seen(point.segmentation, user), point.seq, "named", point.author, point.created_at, point.name)
    last = SavePoint.objects.filter(segmentation=point.segmentation, seq__lt=point.seq).order_by("-seq").first()
    version["operations"] = point.seq - (last.seq if last else 0)
    return dict(VersionSerializer(version).data)


def _version(seen: Seen, seq: int, kind: str, author: Any, at: Any, name: str = "") -> dict[str, Any]:
    return {
        "seq": seq, "kind": kind, "name": name, "author": seen.author(author), "created_at": seen.time(at),
        "operations": 0, "authors": [],
    }  # fmt: skip


def compare(segmentation: Segmentation, a: int, b: int | None) -> dict[str, Any]:
    """Voxels, millilitres and Dice of each segment in two versions; `b` None is the newest."""
    edit = Edit.objects.get(pk=segmentation.pk)
    b = edit.head if b is None else b
    if not (0 <= a <= edit.head and 0 <= b <= edit.head):
        raise LaminaError("no_such_version", _("There is no such version."), 422)
    first, second = labelmaps.at_seq(segmentation, a), labelmaps.at_seq(segmentation, b)
    # One pass: how many voxels have each pair of labels.
    pairs = np.zeros(65536, np.int64)
    for start in range(0, len(first), 1 << 24):
        piece = first[start : start + (1 << 24)].astype(np.uint16) << 8 | second[start : start + (1 << 24)]
        pairs += np.bincount(piece, minlength=65536)
    joint = pairs.reshape(256, 256)
    voxel_ml = writing.voxel_ml_of(segmentation.series)
    rows_a = {row["number"]: row for row in writing.table_at(segmentation, edit, a)}
    rows_b = {row["number"]: row for row in writing.table_at(segmentation, edit, b)}
    segments = []
    for number in dict.fromkeys([*rows_b, *rows_a]):
        row = rows_b.get(number) or rows_a[number]
        group_a, group_b = _group(rows_a.get(number)), _group(rows_b.get(number))
        here, there = int(joint[group_a].sum()), int(joint[:, group_b].sum())
        both = int(joint[np.ix_(group_a, group_b)].sum())
        segments.append(
            {
                "number": number,
                "label": row["label"],
                "colour": row["colour"],
                "voxels_a": here,
                "voxels_b": there,
                "ml_a": None if voxel_ml is None else round(here * voxel_ml, 4),
                "ml_b": None if voxel_ml is None else round(there * voxel_ml, 4),
                "dice": round(2 * both / (here + there), 6) if here + there else None,
            }
        )
    return {"a": a, "b": b, "segments": segments}


def _group(row: table.Row | None) -> list[int]:
    return [row["number"], *row["encloses"]] if row else []
