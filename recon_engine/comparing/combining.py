"""Several readers' labelmaps to one: union, majority, or STAPLE.

STAPLE: S. K. Warfield, K. H. Zou, W. M. Wells, "Simultaneous Truth and Performance Level Estimation (STAPLE): an
algorithm for the validation of image segmentation", IEEE TMI 23 (2004) 903-921, the binary case without a spatial
prior: expectation maximisation over what is hidden (the truth of each voxel) and each reader's sensitivity p and
specificity q. Voxels on which all readers say the same are alike to it, so it runs over the at most 2^R patterns of R
readers with their counts, exactly as over voxels. Each segment is worked on in the box round all its outlines, one
voxel wider; its prior is the mean of what the readers said there.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.comparing import kernels
from recon_engine.comparing.grids import box_round, member_of
from recon_engine.contract import (
    CombineRequest,
    CombineResult,
    EngineError,
    OnProgress,
    Progress,
    ReaderPerformance,
    no_progress,
)
from recon_engine.pieces import read_piece
from recon_engine.results import ResultFolder, labelmap_files

METHODS = ("union", "majority", "staple")
MOST_READERS = 8  # one bit of a byte each
START = 0.99999  # p and q of the first round, as Warfield 2004, section III
ENOUGH, MOST_ROUNDS = 1e-9, 1000
LABELMAP = "labelmap.u8"


def combine(request: CombineRequest, on_progress: OnProgress = no_progress) -> CombineResult:
    """Read, combine, write `labelmap.u8` (C order, the readers' grid). Raises EngineError."""
    began = time.monotonic()
    if request.method not in METHODS:
        raise EngineError("bad_request", f"There is no way {request.method!r}. There are: {', '.join(METHODS)}.")
    if not 2 <= len(request.labelmaps) <= MOST_READERS:
        raise EngineError("bad_request", f"Between 2 and {MOST_READERS} labelmaps can be combined.")
    on_progress(Progress(phase="read", fraction=0.0))
    maps = [read_piece(path).labelmap for path in request.labelmaps]
    if not all(maps[0].same_grid(one) for one in maps[1:]):
        raise EngineError("bad_request", "The labelmaps do not lie on one grid. Combine outlines of the same series.")
    boxes = [kernels.label_boxes(one.voxels) for one in maps]
    present = np.zeros(256, bool)
    for table in boxes:
        present |= table[:, 3] > 0
    numbers = [int(n) for n in (request.segments or np.flatnonzero(present)) if present[n]]
    out = np.zeros(maps[0].shape, np.uint8)
    best = np.zeros(maps[0].shape, np.float32)
    performances: list[ReaderPerformance] = []
    for done, number in enumerate(numbers):
        on_progress(Progress(phase="combine", fraction=0.1 + 0.8 * done / len(numbers), detail=f"segment {number}"))
        member = member_of([number])
        low, high = box_round([(table, member) for table in boxes])  # type: ignore[misc]
        cut = tuple(
            slice(max(int(a) - 1, 0), min(int(b) + 1, size))
            for a, b, size in zip(low, high, maps[0].shape, strict=True)
        )
        patterns = np.zeros(tuple(part.stop - part.start for part in cut), np.uint8)
        for reader, one in enumerate(maps):
            patterns |= (one.voxels[cut] == number).astype(np.uint8) << reader
        weight, found = _weights(patterns, len(maps), request.method)
        performances += [ReaderPerformance(number=number, reader=r, sensitivity=p, specificity=q) for r, p, q in found]
        share = weight[patterns]
        wins = share > best[cut]  # of equals the lowest number, which came first
        out[cut][wins] = number
        best[cut][wins] = share[wins]
    on_progress(Progress(phase="write", fraction=0.9))
    with ResultFolder(Path(request.out)) as folder:
        folder.write(LABELMAP, out.tobytes())
        if request.whole:
            folder.write("labelmap.nii.gz", labelmap_files(maps[0].with_voxels(out))[0])
        folder.publish()
        files = dict(folder.hashes)
    counts = np.bincount(out.reshape(-1), minlength=256)
    return CombineResult(
        method=request.method,
        voxels={str(number): int(counts[number]) for number in numbers},
        performances=tuple(performances),
        files=files,
        seconds={"all": round(time.monotonic() - began, 4)},
    )


def _weights(patterns: NDArray, readers: int, method: str) -> tuple[NDArray, list[tuple[int, float, float]]]:
    """(256,) float32: how much each pattern speaks for the segment, 0 where it does not belong to the result."""
    every = np.arange(256)
    said = (every[:, None] >> np.arange(readers)) & 1  # (256, R)
    votes = said.sum(1)
    if method == "staple":
        counts = np.bincount(patterns.reshape(-1), minlength=256)
        chance, p, q = staple(said, counts)
        weight = np.where(chance > 0.5, chance, 0.0)
        return weight.astype(np.float32), [(r, float(p[r]), float(q[r])) for r in range(readers)]
    needed = 0 if method == "union" else readers / 2
    return np.where(votes > needed, votes / readers, 0.0).astype(np.float32), []


def staple(said: NDArray, counts: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """said (n, R) 0 or 1: n patterns of R readers; counts (n,): how many voxels have each.

    -> chance of each pattern's voxels to belong to the truth (n,), sensitivities p (R,), specificities q (R,).
    """
    said = said.astype(np.float64)
    counts = counts.astype(np.float64)
    prior = float((counts @ said).sum() / (counts.sum() * said.shape[1]))
    p, q = np.full(said.shape[1], START), np.full(said.shape[1], START)
    chance = np.zeros(len(said))
    for _ in range(MOST_ROUNDS):
        with np.errstate(divide="ignore"):
            yes = np.log(prior) + said @ np.log(p) + (1 - said) @ np.log1p(-p)
            no = np.log1p(-prior) + said @ np.log1p(-q) + (1 - said) @ np.log(q)
        yes, no = np.nan_to_num(yes, nan=-np.inf), np.nan_to_num(no, nan=-np.inf)
        top = np.maximum(yes, no)
        top[~np.isfinite(top)] = 0.0
        a, b = np.exp(yes - top), np.exp(no - top)
        chance = np.divide(a, a + b, out=np.zeros_like(a), where=a + b > 0)
        in_truth, out_of_it = counts * chance, counts * (1 - chance)
        new_p = (in_truth @ said) / in_truth.sum() if in_truth.sum() else p
        new_q = (out_of_it @ (1 - said)) / out_of_it.sum() if out_of_it.sum() else q
        # Never quite 0 or 1: a reader who was never wrong yet may be.
        new_p, new_q = np.clip(new_p, 1e-12, 1 - 1e-12), np.clip(new_q, 1e-12, 1 - 1e-12)
        moved = max(np.abs(new_p - p).max(), np.abs(new_q - q).max())
        p, q = new_p, new_q
        if moved < ENOUGH:
            break
    return chance, p, q
