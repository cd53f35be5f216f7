"""The engine's door: the verbs, each a thin function that loads its room when it is called.

Importing this package, `describe` and `inspect` load neither torch, vtk nor SimpleITK, so the web process may use
them. Every verb takes and gives the frozen records of `recon_engine.contract`; long ones take `on_progress`.
Refusals are `EngineError` with a stable code and a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recon_engine.contract import (
    ENGINE_VERSION,
    AlgorithmDescription,
    CombineRequest,
    CombineResult,
    CompareRequest,
    CompareResult,
    InspectResult,
    OnProgress,
    PrepareRequest,
    PrepareResult,
    ReconstructionRequest,
    ReconstructionResult,
    RefineRequest,
    RefineResult,
    RegisterRequest,
    RegisterResult,
    SurfacesRequest,
    SurfacesResult,
    no_progress,
)

__version__ = ENGINE_VERSION
__all__ = [
    "__version__",
    "combine",
    "compare",
    "describe",
    "evaluate",
    "inspect",
    "prepare",
    "reconstruct",
    "refine",
    "register",
    "surfaces",
    "train",
    "warm_up",
]


def describe() -> tuple[AlgorithmDescription, ...]:
    """Every algorithm this engine offers, in the order they are shown."""
    from recon_engine import recipes

    return recipes.descriptions()


def inspect(path: str | Path, *, changes: bool = False, out: str | Path | None = None) -> InspectResult:
    """What a file, folder or zip holds: one finding per series.

    With `changes` each finding's facts hold its before / after table; with `out`, a folder, a PNG of the middle slice.
    """
    from recon_engine import intake

    return intake.inspect(path, changes=changes, out=out)


def prepare(request: PrepareRequest, on_progress: OnProgress = no_progress) -> PrepareResult:
    """Make stored series of inspected ones: identifiers replaced, instances, volume and preview in `request.out`."""
    from recon_engine import intake

    return intake.prepare(request, on_progress)


def reconstruct(request: ReconstructionRequest, on_progress: OnProgress = no_progress) -> ReconstructionResult:
    """Run one algorithm and write its result folder `request.out`. A failed or cancelled run leaves nothing there."""
    from recon_engine.reconstruction import reconstruct as run

    return run(request, on_progress)


def refine(request: RefineRequest, on_progress: OnProgress = no_progress) -> RefineResult:
    """Work one change of a labelmap out from a prompt: grow, islands, margin, smooth, fill, threshold."""
    from recon_engine.refining import refine as run

    return run(request, on_progress)


def surfaces(request: SurfacesRequest, on_progress: OnProgress = no_progress) -> SurfacesResult:
    """Make surfaces of the segments of a labelmap and write them to `request.out`."""
    from recon_engine.remesh import surfaces as run

    return run(request, on_progress)


def compare(request: CompareRequest, on_progress: OnProgress = no_progress) -> CompareResult:
    """How far apart two labelmaps are: per segment, place by place, and painted on both surfaces."""
    from recon_engine.comparing import compare as run

    return run(request, on_progress)


def combine(request: CombineRequest, on_progress: OnProgress = no_progress) -> CombineResult:
    """Make one labelmap of several readers': union, majority or STAPLE."""
    from recon_engine.comparing import combine as run

    return run(request, on_progress)


def register(request: RegisterRequest, on_progress: OnProgress = no_progress) -> RegisterResult:
    """Where the body of one volume lies in another of the same modality: a rigid matrix and a stated error."""
    from recon_engine.registering.verb import register as run

    return run(request, on_progress)


def warm_up() -> None:
    """Load what `refine` and `surfaces` need, before somebody waits for them."""
    from recon_engine.warming import warm_up as run

    run()


def train(
    recipe: str,
    data: str | Path,
    splits: str | Path | None,
    out: str | Path,
    *,
    across: bool = False,
    device: str = "",
    threads: int = 0,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Train a recipe on a set and write its weights folder `out`; a run cut short goes on where it stopped.

    `across` trains one network per fold instead, each scored on the patients it left out.
    """
    from recon_engine.training.run import train as run

    return run(recipe, data, splits, out, across=across, device=device, threads=threads, on_progress=on_progress)


def evaluate(
    algorithm: str,
    data: str | Path,
    *,
    cases: Sequence[str] | None = None,
    splits: str | Path | None = None,
    part: str = "",
    device: str = "",
    threads: int = 0,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Score an algorithm on labelled cases: `cases` one by one and their `summary` with intervals and worst case."""
    from recon_engine.training.evaluation import evaluate as run

    return run(
        algorithm, data, cases=cases, splits=splits, part=part, device=device, threads=threads, on_progress=on_progress
    )
