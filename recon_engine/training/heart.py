"""`lv-cine-mr` measured: each patient answered by a network that has not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recon_engine import metrics
from recon_engine.postprocess import largest
from recon_engine.training import cine

if TYPE_CHECKING:
    from recon_engine.inference import Runner

KEYS = ("ed.dice", "es.dice", "slice.dice", "ef_error")


def outlined(runner: Runner, image: NDArray) -> NDArray:
    """The endocardium (j, i) bool of one slice (j, i): the largest piece of what the network marks."""
    from recon_engine.recipes.grids import centred, standardised

    box, into, out_of = centred(standardised(image)[None], runner.recipe.box)
    found = runner.window(box[None])
    labels = np.zeros((1, *image.shape), np.uint8)
    labels[out_of] = found[into]
    return largest(labels == 1)[0]


def score(runner: Runner, found: Sequence[cine.CineSlice]) -> dict[str, Any]:
    """One case: Dice over all its slices at end-diastole and end-systole, mean Dice of a slice, error of the EF.

    Truth says which phase is which; the ejection fraction takes the larger and the smaller of what was found.
    """
    phases: dict[int, list[tuple[NDArray, NDArray]]] = {}
    for one in found:
        phases.setdefault(one.phase_index, []).append((outlined(runner, one.image), one.endocardium))
    true = {phase: sum(int(t.sum()) for _, t in pairs) for phase, pairs in phases.items()}
    made = {phase: sum(int(f.sum()) for f, _ in pairs) for phase, pairs in phases.items()}
    joined = {
        phase: metrics.dice(np.stack([f for f, _ in pairs]), np.stack([t for _, t in pairs]))
        for phase, pairs in phases.items()
    }
    ed, es = max(true, key=true.__getitem__), min(true, key=true.__getitem__)
    own, truth = cine.beat(made).ejection_fraction, cine.beat(true).ejection_fraction
    return {
        "case": found[0].case,
        "slices": len(found),
        "ed.dice": joined[ed],
        "es.dice": joined[es],
        "slice.dice": float(np.mean([metrics.dice(f, t) for pairs in phases.values() for f, t in pairs])),
        "ef": own,
        "true_ef": truth,
        "ef_error": None if own is None or truth is None else abs(own - truth),
    }


def score_all(runner: Runner, folder: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """`score` of each case, in order."""
    return [score(runner, cine.slices(folder, [name])) for name in names]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over patients with bootstrap intervals and the worst case."""
    return metrics.summarise(rows, KEYS)
