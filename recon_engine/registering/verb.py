"""The verb: starts, repeated runs, how far they agree, and when the answer is refused.

An answer is refused rather than given with a large error, because what is laid over something is believed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from recon_engine.contract import EngineError, OnProgress, Progress, no_progress
from recon_engine.contract.registering import NAME, VERSION, RegisterRequest, RegisterResult
from recon_engine.registering.aligning import Ladder, Run, align, moved, sampled
from recon_engine.registering.bodies import body_of
from recon_engine.volume import Volume

SMALLEST_OVERLAP = 0.5  # of the smaller body
# Correlation of details inside both bodies. Measured: CT of two people 0.17 at most, of two torso phantoms 0.38; of one
# person moved, resampled and noisy 0.92, bent by 6 mm as well 0.73.
LEAST_ALIKE = 0.45
LARGEST_ERROR_MM = 3.0
LOOK_MM = 1.5, 8.0  # what is compared: values after a blur that noise does not pass, less a wider one: edges, not bulk
LOOK_POINTS = 30_000
NUDGE_MM, NUDGE_DEGREES = 5.0, 4.0  # how far repeated runs begin from the answer
STARTING_DEGREES = (-20.0, 20.0)  # about each axis, beside none


def register(request: RegisterRequest, on_progress: OnProgress = no_progress) -> RegisterResult:
    """Raises EngineError: other_modality, spacing_unknown, sheared, nothing_there, too_little_overlap, not_alike,
    not_better, not_consistent, and what reading raises."""
    from recon_engine.intake import read_volume

    began = time.monotonic()
    on_progress(Progress(phase="read", fraction=0.0))
    volumes = [read_volume(path)[0] for path in (request.fixed, request.moving)]
    return registered(volumes[0], volumes[1], request.seed, on_progress, began)


def registered(
    fixed: Volume, moving: Volume, seed: int = 0, on_progress: OnProgress = no_progress, began: float | None = None
) -> RegisterResult:
    """The same of two volumes in memory."""
    began = time.monotonic() if began is None else began
    if fixed.modality != moving.modality:
        modalities = fixed.modality or "?", moving.modality or "?"
        raise EngineError(
            "other_modality",
            f"Only volumes of one modality are registered by their values: {modalities[0]} and "
            f"{modalities[1]} are not.",
        )
    read_at = time.monotonic()
    on_progress(Progress(phase="preprocess", fraction=0.05))
    look = _Look(Ladder(body_of(fixed, "fixed")), Ladder(body_of(moving, "moving")))
    prepared_at = time.monotonic()
    runs = _Runs(look.fixed, look.moving, seed, on_progress)
    start = _start(look, runs)
    found = runs.run(Run(start, seed, first=1))
    after, overlap = look.alike(found), look.overlap(found)
    _judge(look.alike(start), after, overlap)
    first_at = time.monotonic()
    repeat, inverse, farthest = _agreement(look, found, seed, runs)
    error = max(repeat, inverse)
    if error > LARGEST_ERROR_MM:
        raise EngineError(
            "not_consistent",
            f"Repeated runs end {error:.1f} mm apart on average; {LARGEST_ERROR_MM:.1f} mm is the most that is "
            "trusted. Use landmarks.",
            error_mm=error,
        )
    before = look.alike(np.eye(4))
    matrix = np.linalg.inv(found)
    ends = {"read": read_at, "preprocess": prepared_at, "align": first_at, "repeat": time.monotonic()}
    begins = [began, *list(ends.values())[:-1]]
    middle = look.moving.body.middle
    return RegisterResult(
        matrix=tuple(tuple(float(v) for v in row) for row in matrix),
        algorithm=NAME,
        version=VERSION,
        seed=seed,
        error_mm=round(error, 4),
        repeat_mm=round(repeat, 4),
        inverse_mm=round(inverse, 4),
        farthest_mm=round(farthest, 4),
        similarity_before=None if before is None else round(before, 4),
        similarity_after=round(after or 0.0, 4),
        overlap=round(overlap, 4),
        rotation_degrees=round(_degrees(matrix), 3),
        shift_mm=round(float(np.linalg.norm(moved(matrix, middle[None])[0] - middle)), 3),
        runs=runs.done,
        working_mm=tuple(round(s, 3) for s in look.fixed.body.volume.spacing_mm),
        seconds={name: round(end - start_, 3) for (name, end), start_ in zip(ends.items(), begins, strict=True)},
    )


def _judge(began: float | None, after: float | None, overlap: float) -> None:
    """Raises EngineError where the answer is not to be trusted."""
    if overlap < SMALLEST_OVERLAP or after is None:
        raise EngineError(
            "too_little_overlap",
            f"Too little of the two overlaps: {overlap:.0%} of the smaller body, {SMALLEST_OVERLAP:.0%} is needed. "
            "They may show different parts of the body.",
            overlap=overlap,
        )
    if after < LEAST_ALIKE:
        raise EngineError(
            "not_alike",
            f"The two do not look like one body: their values correlate by {after:.2f} at best, {LEAST_ALIKE:.2f} is "
            "needed. Use landmarks.",
            similarity=after,
        )
    if began is not None and after < began - 1e-3:
        raise EngineError(
            "not_better",
            f"No place was found where the two agree better than where they began ({began:.2f}, then {after:.2f}).",
            before=began,
            after=after,
        )


# --- runs -----------------------------------------------------------------------------------------------------------


class _Runs:
    """Runs one after another, with one bar over all of them."""

    planned = 12  # starts, the answer, two repeats and the way back

    def __init__(self, fixed: Ladder, moving: Ladder, seed: int, on_progress: OnProgress) -> None:
        self.fixed, self.moving, self.seed, self.on_progress, self.done = fixed, moving, seed, on_progress, 0

    def run(self, run: Run, *, back: bool = False) -> NDArray:
        """`back`: the moving volume stands still and the fixed one is looked for in it."""
        fixed, moving = (self.moving, self.fixed) if back else (self.fixed, self.moving)

        def told(share: float) -> None:
            fraction = 0.1 + 0.85 * min(1.0, (self.done + share) / self.planned)
            detail = f"run {min(self.done + 1, self.planned)} of {self.planned}"
            self.on_progress(Progress(phase="align", fraction=fraction, detail=detail))

        found = align(fixed, moving, run, told)
        self.done += 1
        return found


def _starts(look: _Look) -> Iterator[NDArray]:
    """As both lie and middle on middle, each straight and turned about each axis. Fixed to moving."""
    middle = look.fixed.body.middle
    together = np.eye(4)
    together[:3, 3] = look.moving.body.middle - middle
    yield np.eye(4)
    yield together
    for degrees in STARTING_DEGREES:
        for axis in np.eye(3):
            yield together @ _turned(degrees * axis, middle)


def _start(look: _Look, runs: _Runs) -> NDArray:
    """The start that leads to the most alike, by runs on the coarsest level."""
    best, most = np.eye(4), -np.inf
    for start in _starts(look):
        found = runs.run(Run(start, runs.seed, last=0))
        alike = (look.alike(found) or -1.0) * min(1.0, look.overlap(found) / SMALLEST_OVERLAP)
        if alike > most:
            best, most = found, alike
    return best


def _agreement(look: _Look, found: NDArray, seed: int, runs: _Runs) -> tuple[float, float, float]:
    """Mean and largest distance in mm over the body: of repeated runs, of the way back, and the largest of all."""
    points = look.points
    rng = np.random.default_rng(seed)
    there = moved(found, points)
    repeats, farthest = [], 0.0
    for n in (1, 2):
        start = found @ _nudge(look.fixed.body.middle, rng)
        apart = np.linalg.norm(moved(runs.run(Run(start, seed + n, first=1)), points) - there, axis=1)
        repeats.append(float(apart.mean()))
        farthest = max(farthest, float(apart.max()))
    start = np.linalg.inv(found) @ _nudge(look.moving.body.middle, rng)
    back = runs.run(Run(start, seed, first=1), back=True)
    apart = np.linalg.norm(moved(back, there) - points, axis=1)
    return max(repeats), float(apart.mean()), max(farthest, float(apart.max()))


def _nudge(centre: NDArray, rng: np.random.Generator) -> NDArray:
    """A little turn and shift in a direction of chance."""
    axis, way = (v / np.linalg.norm(v) for v in rng.standard_normal((2, 3)))
    matrix = _turned(NUDGE_DEGREES * axis, centre)
    matrix[:3, 3] += NUDGE_MM * way
    return matrix


def _turned(degrees: NDArray, centre: NDArray) -> NDArray:
    """(4, 4): a turn about a point; `degrees` is a rotation vector."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(degrees)).as_matrix()
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    return matrix


def _degrees(matrix: NDArray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1))))


# --- judging --------------------------------------------------------------------------------------------------------


class _Look:
    """How alike two bodies are under a matrix (fixed to moving, LPS mm), apart from what a run climbs."""

    def __init__(self, fixed: Ladder, moving: Ladder) -> None:
        self.fixed, self.moving = fixed, moving
        self.points = fixed.some(LOOK_POINTS, 0)
        self.values = sampled(_details(fixed.body.volume), self.points)[0]
        self.other = _details(moving.body.volume)

    def overlap(self, matrix: NDArray) -> float:
        """Share of the smaller body that lies in the other."""
        sizes = self.fixed.body.volume_ml, self.moving.body.volume_ml
        both = float(self.moving.body.holds(moved(matrix, self.points)).mean()) * sizes[0]
        return min(1.0, both / min(sizes))

    def alike(self, matrix: NDArray) -> float | None:
        """Correlation of the values where both are body; None where that is next to nothing, or one is flat."""
        there = moved(matrix, self.points)
        values, held = sampled(self.other, there)
        held &= self.moving.body.holds(there)
        pair = self.values[held], values[held]
        if len(pair[0]) < 50 or min(one.std() for one in pair) < 1e-6:
            return None
        return float(np.corrcoef(*pair)[0, 1])


def _details(volume: Volume) -> Volume:
    """What two bodies of a kind do not share: edges and small things, without noise and without bulk."""
    fine, wide = (ndimage.gaussian_filter(volume.voxels, [mm / s for s in volume.spacing_mm]) for mm in LOOK_MM)
    return volume.with_voxels(fine - wide)
