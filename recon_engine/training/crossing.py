"""Out-of-fold results: one network per fold, each scored on the patients it has not seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon_engine.contract import ENGINE_VERSION, EngineError, OnProgress, Progress, no_progress
from recon_engine.recipes import lv_cine_mr
from recon_engine.recipes.configuration import Recipe
from recon_engine.training import cine, heart, sources
from recon_engine.training.folds import COUNT, SEED, folds
from recon_engine.training.loop import Source, train_network

if TYPE_CHECKING:
    from recon_engine.inference import Runner

FILE = "out_of_fold.json"


@dataclass(frozen=True)
class Crossed:
    """What a set needs to be crossed: its cases with their strata, its samples, and how a case is scored."""

    cases: Callable[[Path], Mapping[str, str]]
    source: Callable[[Recipe, Path, Sequence[str]], Source]
    score_all: Callable[[Runner, Path, Sequence[str]], list[dict[str, Any]]]
    summary: Callable[[Sequence[dict[str, Any]]], dict[str, Any]]


SETS: dict[str, Crossed] = {
    lv_cine_mr.NAME: Crossed(cine.cases, sources.cine_slices, heart.score_all, heart.summary),
}


def cross(
    recipe: Recipe,
    data: str | Path,
    out: str | Path,
    *,
    device: str,
    threads: int,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Train every fold, score what each left out, and write `out`/out_of_fold.json; a run cut short goes on.

    Returns what the file holds: recipe, folds, one row per case (with its fold) and the summary. Raises
    EngineError("bad_request") for a recipe whose set is large enough for a split of its own.
    """
    import torch

    from recon_engine import networks
    from recon_engine.inference import Runner

    if recipe.name not in SETS:
        raise EngineError("bad_request", f"{recipe.name} is measured on a split of its set, not on folds.")
    crossed, folder, target = SETS[recipe.name], Path(data), Path(out)
    strata = crossed.cases(folder)
    dealt = folds(list(strata), strata)
    rows: list[dict[str, Any]] = []
    for number, left_out in enumerate(dealt):

        def report(progress: Progress, number: int = number) -> None:
            done = (number + progress.fraction) / COUNT
            on_progress(replace(progress, fraction=done, detail=f"fold {number + 1} of {COUNT}, {progress.detail}"))

        file = target / f"fold-{number}" / "scores.json"
        if not file.exists():
            source = crossed.source(recipe, folder, sorted(set(strata) - set(left_out)))
            made = train_network(recipe, source, file.parent, device=device, on_progress=report)
            net = networks.build(recipe.network)
            net.load_state_dict(made)
            runner = Runner(recipe, [net.eval()], device=device, threads=threads or torch.get_num_threads())
            scored = [{**row, "fold": number} for row in crossed.score_all(runner, folder, left_out)]
            file.write_text(json.dumps(scored, indent=1) + "\n")
        rows += json.loads(file.read_text())
    answer = {
        "recipe": recipe.to_dict(),
        "engine_version": ENGINE_VERSION,
        "measured": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "folds": dealt,
        "cases": sorted(rows, key=lambda row: row["case"]),
        "summary": crossed.summary(rows),
    }
    (target / FILE).write_text(json.dumps(answer, indent=1, sort_keys=True) + "\n")
    return answer
