"""What a person waits for is loaded before they ask: a first surface or a first grown segment would else begin with
seconds of libraries and compiled loops. A ball of a few millimetres goes once through both."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from recon_engine.contract import Code, RefineRequest, SegmentWanted, SurfacesRequest
from recon_engine.pieces import IMAGE, LABELMAP, RECORD

SIDE = 16  # voxels of 1 mm
RADIUS = 5.0
NOBODY = Code(value="0", scheme="99LAMINA", meaning="ball")


def warm_up() -> None:
    """Run `refine` and `surfaces` once on nobody's ball, in a folder that is gone afterwards."""
    from recon_engine import refine, surfaces

    with tempfile.TemporaryDirectory(prefix="lamina-warm-") as name:
        folder = Path(name)
        piece = _ball(folder / "piece")
        middle = [[SIDE / 2] * 3]
        prompt = {"kind": "grow", "segment": 2, "seeds_mm": middle, "radius_mm": RADIUS, "over": None}
        refine(RefineRequest(labelmap=str(piece), prompt=prompt, out=str(folder / "grown")))
        segment = SegmentWanted(number=1, label="ball", colour="#FB9202", category=NOBODY, type=NOBODY)
        surfaces(SurfacesRequest(labelmap=str(piece), segments=(segment,), out=str(folder / "surface")))


def _ball(folder: Path) -> Path:
    folder.mkdir()
    away = np.indices((SIDE,) * 3) - SIDE / 2
    inside = (away**2).sum(0) < RADIUS**2
    affine = [[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    record = {"shape": [SIDE] * 3, "affine": affine, "image": {"slope": 1.0, "intercept": 0.0}}
    (folder / RECORD).write_text(json.dumps(record), encoding="utf-8")
    (folder / LABELMAP).write_bytes(inside.astype(np.uint8).tobytes())
    (folder / IMAGE).write_bytes((100 * inside).astype("<i2").tobytes())
    return folder
