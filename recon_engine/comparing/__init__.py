"""The door: two labelmaps to how far apart their outlines are, and where; several to one they agree on.

compare    agreement of each pair of segments, the places where they differ, both surfaces painted with distances
combine    union, majority or STAPLE of several readers' labelmaps

`left` is A and `right` is B. A vertex's distance is positive where it lies outside the other surface; a place's is
positive where B goes further.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine import metrics
from recon_engine.comparing import kernels
from recon_engine.comparing.agreement import compare_pair
from recon_engine.comparing.combining import combine
from recon_engine.comparing.grids import labels_of, member_of, on_grid_of, placed
from recon_engine.comparing.painting import LEFT, RIGHT, paint, painted_glb
from recon_engine.comparing.places import Place
from recon_engine.contract import (
    CompareRequest,
    CompareResult,
    EngineError,
    OnProgress,
    PlaceOfDifference,
    Progress,
    SegmentPair,
    no_progress,
)
from recon_engine.parallel import Slabs
from recon_engine.pieces import read_piece
from recon_engine.results import ResultFolder
from recon_engine.volume import Volume

__all__ = ["combine", "compare"]

MOST_PLACES = 200  # told one by one, largest first; the rest is thin and counted
SURFACES, PLACES = ("left.browser.glb", "right.browser.glb"), "places.i64"
LABELS = "left.u8.gz", "right.u8.gz"


def compare(request: CompareRequest, on_progress: OnProgress = no_progress) -> CompareResult:
    """Read, measure, write. Raises EngineError; a failed run leaves nothing in `request.out`."""
    began = time.monotonic()
    on_progress(Progress(phase="read", fraction=0.0))
    if not request.pairs:
        raise EngineError("bad_request", "There is no pair of segments to compare.")
    left = read_piece(request.left).labelmap
    right = placed(read_piece(request.right).labelmap, request.right_to_left)
    counted = right if left.same_grid(right) else on_grid_of(left, right)
    known = left.spacing_known and right.spacing_known
    witnesses = {name: _witness(path, left) for name, path in request.witnesses.items()}
    read_at = time.monotonic()

    def report(fraction: float, detail: str) -> None:
        on_progress(Progress(phase="surface", fraction=0.05 + 0.55 * fraction, detail=detail))

    with Slabs(request.threads) as slabs:
        painted = paint((left, right), request.pairs, slabs, report) if known else {}
        painted_at = time.monotonic()
        boxes = kernels.label_boxes(left.voxels), kernels.label_boxes(counted.voxels)
        rows, places = [], []
        for n, pair in enumerate(request.pairs):
            detail = f"segment {n + 1} of {len(request.pairs)}"
            on_progress(Progress(phase="compare", fraction=0.6 + 0.3 * n / len(request.pairs), detail=detail))
            both = painted.get((n, LEFT)), painted.get((n, RIGHT))
            row, found = compare_pair(n, pair, (left, counted), boxes, both, known, slabs)
            rows.append(row)
            places += found
    compared_at = time.monotonic()
    on_progress(Progress(phase="write", fraction=0.9))
    places.sort(key=lambda place: (-(np.inf if place.mm is None else place.mm), -len(place.at)))
    told, rest = places[:MOST_PLACES], places[MOST_PLACES:]
    with ResultFolder(Path(request.out)) as folder:
        folder.write(PLACES, runs_of(told, left.shape).tobytes())
        for side, labelmap in ((LEFT, left), (RIGHT, counted)):
            numbered = labels_of(request.pairs, side)[labelmap.voxels]
            folder.write(LABELS[side], gzip.compress(numbered.tobytes(), 1, mtime=0))
        for side in (LEFT, RIGHT) if known else ():
            folder.write(SURFACES[side], painted_glb(request.pairs, painted, side, left.frame_of_reference_uid))
        folder.publish()
        files = dict(folder.hashes)
    ends = {"read": read_at, "surface": painted_at, "compare": compared_at, "write": time.monotonic()}
    begins = [began, *list(ends.values())[:-1]]
    return CompareResult(
        segments=tuple(rows),
        regions=tuple(_told(n + 1, place, left, known, witnesses, request.pairs) for n, place in enumerate(told)),
        regions_left_out=len(rest),
        voxels_left_out=sum(len(place.at) for place in rest),
        definitions={name: metrics.DEFINITIONS[name][0] for name in ("dice", "hd95_mm", "assd_mm")},
        files=files,
        seconds={name: round(end - start, 4) for (name, end), start in zip(ends.items(), begins, strict=True)},
    )


def runs_of(places: list[Place], shape: tuple[int, ...]) -> NDArray:
    """(n, 3) little-endian int64: start, length and place number of every run of voxels, C order of the left grid."""
    pieces = [np.zeros((0, 3), "<i8")]
    for n, place in enumerate(places):
        flat = np.sort(np.ravel_multi_index(tuple(place.at.astype(np.int64).T), shape))
        starts = np.flatnonzero(np.diff(flat, prepend=-2) != 1)
        lengths = np.diff(starts, append=len(flat))
        pieces.append(np.stack([flat[starts], lengths, np.full(len(starts), n + 1)], 1).astype("<i8"))
    return np.concatenate(pieces)


def _witness(path: str, grid: Volume) -> NDArray:
    labelmap = read_piece(path).labelmap
    if not labelmap.same_grid(grid):
        raise EngineError("bad_request", "A witness does not lie on the grid of the left labelmap.")
    return labelmap.voxels


def _told(
    n: int,
    place: Place,
    grid: Volume,
    known: bool,
    witnesses: Mapping[str, NDArray],
    pairs: Sequence[SegmentPair],
) -> PlaceOfDifference:
    def mm(values: NDArray) -> tuple[float, ...] | None:
        return tuple(round(float(v), 3) for v in values) if known else None

    a_only = place.side == kernels.LEFT
    k, j, i = place.at.T
    said = {}
    for name, voxels in witnesses.items():
        pair = pairs[place.pair]
        has = float(member_of(pair.left or pair.right)[voxels[k, j, i]].mean())
        said[name] = {"like_a": has if a_only else 1 - has, "like_b": 1 - has if a_only else has}
    lowest = int(np.ravel_multi_index(tuple(place.at.astype(np.int64).T), grid.shape).min())
    return PlaceOfDifference(
        n=n,
        key=f"{pairs[place.pair].number}:{lowest}",
        number=pairs[place.pair].number,
        label=pairs[place.pair].label,
        side="a_only" if a_only else "b_only",
        voxels=len(place.at),
        volume_ml=round(len(place.at) * grid.voxel_volume_ml, 6) if known else None,
        max_mm=None if place.mm is None else round(-place.mm if a_only else place.mm, 4),
        centroid_mm=mm(place.centroid),
        point_mm=mm(place.point),
        middle_mm=mm(place.middle),
        bounds_mm=mm(np.array(place.bounds)),
        witnesses=said,
    )
