"""The verb `evaluate`: an algorithm's own path over labelled cases, one object per case and a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recon_engine import metrics, recipes
from recon_engine.contract import ENGINE_VERSION, EngineError, OnProgress, Progress, no_progress
from recon_engine.recipes.base import Context
from recon_engine.recipes.grids import oriented
from recon_engine.training import sets
from recon_engine.training.sources import phantom_seeds
from recon_engine.volume import Volume

UNSEEN_PHANTOMS = "phantoms:9001-9006"  # training takes low seeds

Case = tuple[str, Callable[[], tuple[Volume, Volume]]]
"""A case's name and what reads its image and truth."""


@dataclass(frozen=True)
class Task:
    """What an algorithm is scored on. `segments` maps a name to the SegmentNumbers it joins, in result and truth."""

    algorithm: str
    set_name: str  # the folder of its set, and its key in a splits file; "" for phantoms
    modality: str
    segments: dict[str, tuple[int, ...]]
    metrics: tuple[str, ...] = ("dice", "hd95_mm", "assd_mm", "volume_error_percent")


def tasks() -> tuple[Task, ...]:
    """Every algorithm that was trained on a set."""
    from recon_engine.recipes.phantom_organs_ct import SEGMENTS

    hippocampus = {"anterior": (1,), "posterior": (2,), "whole": (1, 2)}
    organs = {label.lower().replace(" ", "_"): (n,) for n, (label, *_) in enumerate(SEGMENTS, 1)}
    return (
        Task("hippocampus-mr", "hippocampus_mri", "MR", hippocampus),
        Task("phantom-organs-ct", "", "CT", organs | {"all": tuple(range(1, len(SEGMENTS) + 1))}),
    )


def task_of(algorithm: str) -> Task:
    """Raises EngineError("not_found") for an algorithm that was not trained on a set."""
    for task in tasks():
        if task.algorithm == algorithm:
            return task
    known = ", ".join(task.algorithm for task in tasks())
    raise EngineError("not_found", f"{algorithm} has no labelled set to be scored on. These have one: {known}.")


def _cases(task: Task, data: str | Path, names: Sequence[str] | None) -> list[Case]:
    if task.set_name:
        folder = Path(data)
        if not folder.is_dir():
            raise EngineError("not_found", f"The set {folder.name} is no folder.")
        known = sets.hippocampus_cases(folder)
        wanted = list(names) if names is not None else known
        if missing := [name for name in wanted if name not in set(known)]:
            raise EngineError("not_found", f"The set has no case {missing[0]} ({len(missing)} missing in all).")
        return [(name, partial(sets.hippocampus_case, folder, name)) for name in wanted]
    seeds = phantom_seeds(str(data))
    return [(f"phantom_{seed}", partial(_phantom, seed)) for seed in seeds if names is None or str(seed) in names]


def _phantom(seed: int) -> tuple[Volume, Volume]:
    from recon_engine.phantoms import torso_phantom

    ct, labels, _ = torso_phantom(seed)
    return ct, labels


def score_case(task: Task, found: Volume, truth: Volume) -> dict[str, float | None]:
    """All metrics of all segments of one case, keyed "segment.metric"."""
    scores: dict[str, float | None] = {}
    for name, numbers in task.segments.items():
        one = metrics.compare(np.isin(found.voxels, numbers), np.isin(truth.voxels, numbers), truth.spacing_mm)
        if one["truth_volume_ml"] == 0 and one["volume_ml"] == 0:
            continue
        scores |= {f"{name}.{metric}": value for metric, value in one.items()}
    return scores


def score(
    task: Task,
    cases: Iterable[Case],
    *,
    device: str = "",
    threads: int = 0,
    folder: Path | None = None,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Run and score cases. `folder` takes other weights than the shipped ones."""
    from recon_engine.inference import choose_device

    recipe = recipes.find(task.algorithm)
    context = Context(device=choose_device(device), threads=threads or 2)
    other = {"folder": folder} if folder else {}
    rows = []
    listed = list(cases)
    for number, (name, read) in enumerate(listed):
        on_progress(
            Progress(phase="evaluate", fraction=number / len(listed), detail=f"case {number + 1} of {len(listed)}")
        )
        image, truth = read()
        try:
            labels = recipe.run({task.modality: image}, {}, context, **other).labelmap
        except EngineError as error:
            if error.code != "not_found":
                raise
            labels = image.with_voxels(np.zeros(image.shape, np.uint8))  # found nothing: scored as such
        rows.append({"case": name} | score_case(task, oriented(labels), oriented(truth)))
    on_progress(Progress(phase="evaluate", fraction=1.0, detail=f"case {len(listed)} of {len(listed)}"))
    keys = [f"{segment}.{metric}" for segment in task.segments for metric in task.metrics]
    return {
        "algorithm": task.algorithm,
        "version": recipe.DESCRIPTION.version,
        "engine_version": ENGINE_VERSION,
        "weights_sha256": recipe.DESCRIPTION.weights_sha256,
        "cases": rows,
        "summary": metrics.summarise(rows, keys),
    }


def evaluate(
    algorithm: str,
    data: str | Path,
    *,
    cases: Sequence[str] | None = None,
    splits: str | Path | None = None,
    part: str = "",
    device: str = "",
    threads: int = 0,
    folder: Path | None = None,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Score one algorithm on its set, on named cases of it, or on one part of a split.

    Raises EngineError: not_found (algorithm, set or case), bad_request (a split without its part), parse_error.
    """
    task = task_of(algorithm)
    if splits and cases is not None:
        raise EngineError("bad_request", "Give the cases or the splits, not both.")
    if bool(splits) != bool(part):
        raise EngineError("bad_request", "A part belongs to a splits file: give --splits FILE --part val.")
    if splits and task.set_name:
        cases = sets.split_part(Path(splits), task.set_name, part)
    return score(
        task,
        _cases(task, data, cases),
        device=device,
        threads=threads,
        folder=folder,
        on_progress=on_progress,
    )


def evaluate_all(
    root: str | Path,
    *,
    splits: str | Path | None = None,
    part: str = "",
    device: str = "",
    threads: int = 0,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Score every algorithm whose set lies under `root`; phantoms need no set. Missing sets are named in `skipped`."""
    answers, skipped = {}, {}
    for task in tasks():
        data: str | Path = Path(root) / task.set_name if task.set_name else UNSEEN_PHANTOMS
        if task.set_name and not Path(data).is_dir():
            skipped[task.algorithm] = f"There is no folder {task.set_name} in {Path(root).name}."
            continue
        chosen = {"splits": splits, "part": part} if task.set_name else {}
        answers[task.algorithm] = evaluate(
            task.algorithm,
            data,
            device=device,
            threads=threads,
            on_progress=on_progress,
            **chosen,  # type: ignore[arg-type]
        )
    if not answers:
        raise EngineError("not_found", f"{Path(root).name} holds none of the sets an algorithm was trained on.")
    return {"algorithms": answers, "skipped": skipped}
