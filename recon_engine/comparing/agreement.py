"""One pair of segments: the numbers of their agreement and the places where they differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon_engine import metrics
from recon_engine.comparing import kernels
from recon_engine.comparing.grids import box_round, member_of
from recon_engine.comparing.painting import LEFT, RIGHT, Painted
from recon_engine.comparing.places import Place, Side, find_places
from recon_engine.contract import SegmentAgreement, SegmentPair
from recon_engine.parallel import Slabs
from recon_engine.volume import Volume


def compare_pair(
    n: int,
    pair: SegmentPair,
    maps: tuple[Volume, Volume],
    boxes: tuple[NDArray, NDArray],
    painted: tuple[Painted | None, Painted | None],
    known: bool,
    slabs: Slabs,
) -> tuple[SegmentAgreement, list[Place]]:
    """n: the pair's place in the request; maps: both on one grid; boxes: their `kernels.label_boxes`.

    known: whether mm may be said.
    """
    members = member_of(pair.left), member_of(pair.right)
    box = box_round(zip(boxes, members, strict=True))
    if box is None:
        return _row(pair, (0, 0, 0), None, (None, None), maps[0] if known else None), []
    low, high = box
    cut = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    codes = np.empty(tuple(int(n) for n in high - low), np.uint8)
    ours, theirs = (one.voxels[cut] for one in maps)
    slabs.run(kernels.mark, len(codes), ours, theirs, *members, codes)
    counts = np.bincount(codes.reshape(-1), minlength=4)
    distances = surface_distances(codes, maps[0].spacing_mm, slabs.threads) if known else None
    row = _row(pair, tuple(int(n) for n in counts[1:4]), distances, painted, maps[0] if known else None)
    sides = tuple(_side(code, painted[mine], painted[1 - mine]) for code, mine in ((1, LEFT), (2, RIGHT)))
    return row, find_places(codes, low, maps[0], sides, n, slabs)  # type: ignore[arg-type]


def surface_distances(codes: NDArray, spacing: tuple[float, ...], threads: int) -> tuple[NDArray, NDArray] | None:
    """As metrics.surface_distances, for codes of `kernels.mark` that end where the voxels of both do.

    The same numbers in a small part of the time: a voxel on both surfaces is no distance away, the others ask a tree.
    """
    from scipy.spatial import cKDTree

    edges = [kernels.border(codes, bit) for bit in (kernels.LEFT, kernels.RIGHT)]
    if not all(len(edge) for edge in edges):
        return None
    shape = np.array(codes.shape)
    flat = [np.ravel_multi_index(tuple(edge.T), tuple(shape)) for edge in edges]
    away = []
    for mine in (LEFT, RIGHT):
        apart = ~np.isin(flat[mine], flat[1 - mine], assume_unique=True)
        mm = np.zeros(len(apart))
        if apart.any():
            tree = cKDTree(edges[1 - mine] * np.array(spacing), compact_nodes=False, balanced_tree=False)
            mm[apart] = tree.query(edges[mine][apart] * np.array(spacing), workers=threads)[0]
        away.append(mm)
    return away[0], away[1]


def _side(code: int, mine: Painted | None, other: Painted | None) -> Side:
    tree = other.tree if other else None
    if mine is None or mine.mm is None:
        return Side(code, None, None, None, tree)
    return Side(code, mine.mesh.vertices.astype(np.float64), mine.found, mine.mm, tree)


def _row(
    pair: SegmentPair,
    counts: tuple[int, ...],
    distances: tuple[NDArray, NDArray] | None,
    painted: tuple[Painted | None, Painted | None],
    grid: Volume | None,
) -> SegmentAgreement:
    only_a, only_b, both = counts
    a, b = only_a + both, only_b + both
    farthest = [float(np.abs(one.mm).max()) for one in painted if one is not None and one.mm is not None]
    return SegmentAgreement(
        number=pair.number,
        label=pair.label,
        colour=pair.colour,
        voxels_a=a,
        voxels_b=b,
        dice=1.0 if a + b == 0 else 2 * both / (a + b),
        hd95_mm=metrics.hd95(distances) if distances else None,
        assd_mm=metrics.assd(distances) if distances else None,
        max_mm=max(farthest) if farthest else None,
        volume_a_ml=a * grid.voxel_volume_ml if grid else None,
        volume_b_ml=b * grid.voxel_volume_ml if grid else None,
        volume_difference_percent=(b - a) / a * 100 if a else None,
    )
