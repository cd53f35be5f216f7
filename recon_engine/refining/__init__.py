"""The door: one prompt and a labelmap (with its image) to the voxels that shall change.

    {"kind": "grow", "segment": 3, "seeds_mm": [[x, y, z]], "radius_mm": 40, "range": null, "strictness": 0.5,
     "over": [0]}
    {"kind": "islands", "segment": 3, "keep": "largest" | "at-least", "voxels": 100}
    {"kind": "split", "segment": 3}
    {"kind": "margin", "segment": 3, "mm": 2.0, "range": null, "over": [0]}
    {"kind": "smooth", "segment": 3 | null, "mm": 1.5}
    {"kind": "fill-holes", "segment": 3}
    {"kind": "threshold", "segment": 3, "range": [100, 400], "over": [0]}

Points are LPS mm; a range counts in the image's unit; `over` says which labels may be overwritten (null: any).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import (
    EngineError,
    OnProgress,
    Progress,
    RefineLayer,
    RefineRequest,
    RefineResult,
    no_progress,
)
from recon_engine.pieces import Piece, read_piece
from recon_engine.refining import growing, shaping
from recon_engine.refining.layers import Change, Layers
from recon_engine.results import ResultFolder, labelmap_files

__all__ = ["Change", "refine", "work_out"]
LAYERS = "layers.u8"

_KINDS: Mapping[str, Callable[[Piece, Mapping[str, Any]], Layers]] = {
    "grow": growing.grow,
    "islands": shaping.islands,
    "split": shaping.split,
    "margin": shaping.margin,
    "smooth": shaping.smooth,
    "fill-holes": shaping.fill_holes,
    "threshold": shaping.threshold,
}


def work_out(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """The layers of a prompt on a labelmap in memory. Raises EngineError bad_request, nothing_to_do."""
    kind = str(prompt.get("kind", ""))
    if kind not in _KINDS:
        raise EngineError("bad_request", f"There is no prompt of kind {kind!r}. There are: {', '.join(_KINDS)}.")
    try:
        return _KINDS[kind](piece, prompt)
    except (KeyError, TypeError) as error:
        raise EngineError("bad_request", f"The prompt {kind!r} lacks {error}.") from None


def refine(request: RefineRequest, on_progress: OnProgress = no_progress) -> RefineResult:
    """Read, work out, write `layers.u8`. Raises EngineError; a failed run leaves nothing in `request.out`."""
    began = time.monotonic()
    on_progress(Progress(phase="read", fraction=0.0))
    piece = read_piece(request.labelmap, request.image)
    read_at = time.monotonic()
    on_progress(Progress(phase=str(request.prompt.get("kind", "")), fraction=0.2))
    made = work_out(piece, request.prompt)
    made_at = time.monotonic()
    on_progress(Progress(phase="write", fraction=0.9))
    box = _box_of([change.mask for change in made.changes], piece.labelmap.shape)
    cut = tuple(slice(box[n], box[n + 3]) for n in range(3))
    after = piece.labelmap.voxels[cut].astype(np.int16)
    before = after.copy()
    with ResultFolder(Path(request.out)) as folder:
        for change in made.changes:
            here = change.mask[cut]
            if change.over is not None:
                here = here & np.isin(after, change.over)
            after[here] = change.label
        folder.write(LAYERS, b"".join(change.mask[cut].astype(np.uint8).tobytes() for change in made.changes))
        if request.whole:
            whole = piece.labelmap.voxels.copy()
            whole[cut] = _numbered(after, int(whole.max()))
            folder.write("labelmap.nii.gz", labelmap_files(piece.labelmap.with_voxels(whole))[0])
        folder.publish()
    seconds = {"read": read_at - began, "work": made_at - read_at, "write": time.monotonic() - made_at}
    return RefineResult(
        layers=tuple(RefineLayer(label=change.label, over=change.over) for change in made.changes),
        box=box,
        changed=int((after != before).sum()),
        facts=dict(made.facts),
        seconds={name: round(value, 4) for name, value in seconds.items()},
    )


def _numbered(labels: NDArray, highest: int) -> NDArray:
    """Segments that are new (below 0) get the numbers above the highest there is."""
    out = np.where(labels < 0, highest - labels, labels)
    if out.max() > 255:
        raise EngineError("bad_request", "A labelmap holds at most 255 segments. Remove small pieces first.")
    return out.astype(np.uint8)


def _box_of(masks: Sequence[NDArray], shape: tuple[int, ...]) -> tuple[int, int, int, int, int, int]:
    """The smallest box round all masks; one voxel where they are empty."""
    low, high = list(shape), [0, 0, 0]
    for mask in masks:
        for axis in range(3):
            line = mask.any(axis=tuple(n for n in range(3) if n != axis))
            if line.any():
                low[axis] = min(low[axis], int(np.argmax(line)))
                high[axis] = max(high[axis], len(line) - int(np.argmax(line[::-1])))
    if high[0] == 0:
        return (0, 0, 0, 1, 1, 1)
    return (*low, *high)  # type: ignore[return-value]
