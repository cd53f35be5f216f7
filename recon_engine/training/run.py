"""The verb `train`: a recipe and its set become a weights folder, measured where a split leaves cases for it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from recon_engine import weights
from recon_engine.contract import ENGINE_VERSION, EngineError, OnProgress, Progress, no_progress
from recon_engine.recipes import (
    hippocampus_localiser,
    hippocampus_mr,
    lv_cine_mr,
    phantom_organs_ct,
    phantom_organs_overview,
)
from recon_engine.recipes.configuration import Recipe
from recon_engine.training import cine, crossing, evaluation, sets, sources
from recon_engine.training.checkpoint import write_atomically
from recon_engine.training.loop import Source, train_network

RECIPES: dict[str, Callable[[], Recipe]] = {
    hippocampus_mr.NAME: hippocampus_mr.recipe,
    "hippocampus-localiser": hippocampus_localiser.recipe,
    "phantom-organs-overview": phantom_organs_overview.recipe,
    phantom_organs_ct.NAME: phantom_organs_ct.recipe,
    lv_cine_mr.NAME: lv_cine_mr.recipe,
}
# Networks that serve another one lie beside it under a name of their own.
FILES = {
    "hippocampus-localiser": "localiser.safetensors",
    "phantom-organs-overview": phantom_organs_overview.WEIGHTS,
}


def source_for(recipe: Recipe, data: str | Path, splits: str | Path | None, out: Path) -> tuple[Source, str]:
    """Where a recipe's samples come from, and that in words for the card. Raises EngineError for a missing set.

    `out` is where the training goes: a network that guides this one is taken from there.
    """
    if recipe.data == "hippocampus":
        folder = Path(data)
        names = sets.hippocampus_cases(folder)
        if splits:
            names = sets.split_part(Path(splits), "hippocampus_mri", "train")
        return sources.hippocampus(recipe, folder, names), f"{len(names)} cases of {folder.name}"
    if recipe.data == "cine":
        folder = Path(data)
        names = sets.split_part(Path(splits), "sunnybrook_cardiac_mri", "train") if splits else list(cine.cases(folder))
        return sources.cine_slices(recipe, folder, names), f"{len(names)} patients of {folder.name}"
    if recipe.data == "heads":
        return sources.heads(recipe, Path(data)), "heads drawn from the ICBM 152 average brain"
    if recipe.data in ("phantoms", "phantom overviews"):
        seeds = sources.phantom_seeds(str(data))
        if recipe.data == "phantoms":
            bring(phantom_organs_overview.WEIGHTS, phantom_organs_ct.FOLDER, out)
            source = sources.phantoms(recipe, seeds, phantom_organs_ct.overview_runner("cpu", 0, out))
        else:
            source = sources.phantom_overviews(recipe, seeds)
        return source, f"{len(seeds)} torso phantoms, seeds {seeds[0]} to {seeds[-1]}"
    raise EngineError("bad_request", f"Nothing reads sets of kind {recipe.data!r}.")


def train(
    name: str,
    data: str | Path,
    splits: str | Path | None,
    out: str | Path,
    *,
    across: bool = False,
    device: str = "",
    threads: int = 0,
    on_progress: OnProgress = no_progress,
) -> dict[str, Any]:
    """Train a recipe into the folder `out`, which a run cut short goes on with.

    `across` trains one network per fold instead and writes what each says of the patients it has not seen.
    `data` is the set's folder, the average brain's file for hippocampus-localiser, or phantoms:SEEDS. `splits` leaves
    its part "val" out of training. Returns the weights' hash and, with a split, the summary measured on "val".
    Raises EngineError: not_found for recipe or set, bad_request, cancelled.
    """
    import torch

    from recon_engine.inference import choose_device

    if name not in RECIPES:
        raise EngineError("not_found", f"There is no recipe {name!r}. There are: {', '.join(RECIPES)}.")
    recipe, out = RECIPES[name](), Path(out)
    where = choose_device(device)
    torch.set_num_threads(threads or min(os.cpu_count() or 1, 8))
    if across:
        crossed = crossing.cross(recipe, data, out, device=where, threads=threads, on_progress=on_progress)
        return {"recipe": name, "out": str(out), "out_of_fold": str(out / crossing.FILE), "summary": crossed["summary"]}
    source, trained_on = source_for(recipe, data, splits, out)
    made = []
    for member in range(recipe.members):
        own = dataclasses.replace(recipe, seed=recipe.seed + member)

        def report(progress: Progress, member: int = member) -> None:
            share = 0.95 / recipe.members
            on_progress(dataclasses.replace(progress, fraction=share * (member + progress.fraction)))

        made.append(train_network(own, source, out / f"{name}-{member}", device=where, on_progress=report))
    sha256 = package(recipe, made, out, FILES.get(name, weights.WEIGHTS))
    answer: dict[str, Any] = {"recipe": name, "out": str(out), "weights_sha256": sha256, "trained_on": trained_on}
    if splits and name == hippocampus_mr.NAME:
        measured = evaluation.evaluate(
            name, data, splits=splits, part="val", device=device, threads=threads, folder=out, on_progress=on_progress
        )
        write_card(out, trained_on, f"part val of {Path(splits).name}", measured)
        answer["summary"] = measured["summary"]
    return answer


def package(recipe: Recipe, members: list[dict[str, Tensor]], out: Path, name: str = weights.WEIGHTS) -> str:
    """Write one weights file and its line in recipe.json; returns its SHA-256."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {f"{index}.{key}": value for index, member in enumerate(members) for key, value in member.items()}
    metadata = {
        "recipe": recipe.to_json(),
        "segments": json.dumps(recipe.segments),
        "engine_version": ENGINE_VERSION,
        "format": "pt",
    }
    write_atomically(tensors, out / name, metadata)
    table = weights.manifest(out)
    sha256 = weights.sha256_of(out / name)
    table.setdefault("files", {})[name] = sha256
    table["recipe" if name == weights.WEIGHTS else Path(name).stem] = recipe.to_dict()
    (out / "recipe.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
    return sha256


def bring(name: str, shipped: Path, out: Path) -> None:
    """Put a shipped network beside the one in the making, unless `out` holds its own."""
    if (out / name).exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped / name, out / name)
    table, of = weights.manifest(out), weights.manifest(shipped)
    table.setdefault("files", {})[name] = of["files"][name]
    table[Path(name).stem] = of[Path(name).stem]
    (out / "recipe.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


def write_card(out: Path, trained_on: str, measured_on: str, measured: dict[str, Any]) -> None:
    """card.json: what was measured, on what, when; anything else a person wrote into the card stays."""
    card = weights.card(out) | {
        "trained_on": trained_on,
        "measured_on": measured_on,
        "measured": datetime.now(UTC).date().isoformat(),
        "engine_version": ENGINE_VERSION,
        "summary": measured["summary"],
        "cases": measured["cases"],
    }
    (out / "card.json").write_text(json.dumps(card, indent=1, sort_keys=True) + "\n")
