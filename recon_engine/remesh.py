"""Surfaces of a labelmap that people edit: one file for each segment that was touched, or all files of a result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recon_engine.contract import (
    Code,
    OnProgress,
    Progress,
    SegmentWanted,
    SurfacesRequest,
    SurfacesResult,
    no_progress,
)
from recon_engine.pieces import read_piece
from recon_engine.results import ResultFolder, labelmap_files, segment_result
from recon_engine.surface import Part, Surface, Wanted, browser_glb, make_surfaces, node_names, plain_glb
from recon_engine.surface.kernels import label_sums
from recon_engine.volume import Volume

NAME = "surface-{number}.browser.glb"
COLOURS = ("#FB9202", "#90A6FF", "#78FFE2", "#FEEE3E", "#E14B09", "#D8D1FF",
           "#766AFC", "#4E9688", "#B4E29D", "#CB9BBC", "#9A7859", "#8677A4")  # fmt: skip
TISSUE = Code(value="85756007", scheme="SCT", meaning="Tissue")


def surfaces(request: SurfacesRequest, on_progress: OnProgress = no_progress) -> SurfacesResult:
    """Read, make, write. Raises EngineError; a failed run leaves nothing in `request.out`."""
    began = time.monotonic()
    on_progress(Progress(phase="read", fraction=0.0))
    labelmap = read_piece(request.labelmap).labelmap
    read_at = time.monotonic()
    sums, counts = label_sums(np.ascontiguousarray(labelmap.voxels))
    wanted = [Wanted(s.number, s.encloses if counts[s.number] else ()) for s in request.segments]

    def report(fraction: float, detail: str) -> None:
        on_progress(Progress(phase="surface", fraction=0.1 + 0.7 * fraction, detail=detail))

    made = make_surfaces(labelmap, wanted, request.threads, report)
    made_at = time.monotonic()
    parts = [Part(s.number, s.label, s.colour, m.mesh) for s, m in zip(request.segments, made, strict=True)]
    shown = [part for part in parts if not part.mesh.empty]
    names = dict(zip([p.number for p in shown], node_names(shown), strict=True))
    on_progress(Progress(phase="write", fraction=0.8))
    with ResultFolder(Path(request.out)) as folder:
        _write(folder, labelmap, parts, made, request.together)
        folder.publish()
        files = dict(folder.hashes)
    segments = tuple(
        segment_result(wanted_one, wanted_one.encloses, surface, labelmap, sums, counts, names)
        for wanted_one, surface in zip(request.segments, made, strict=True)
    )
    seconds = {"read": read_at - began, "surface": made_at - read_at, "write": time.monotonic() - made_at}
    return SurfacesResult(segments=segments, files=files, seconds={n: round(v, 4) for n, v in seconds.items()})


def segments_of(labelmap: str | Path, names: Mapping[int, str]) -> tuple[SegmentWanted, ...]:
    """The named segments of a labelmap file, or all it has where none is named; what they are nobody has said."""
    present = [int(n) for n in np.unique(read_piece(labelmap).labelmap.voxels) if n]
    return tuple(
        SegmentWanted(
            number=number,
            label=names.get(number, f"Segment {number}"),
            colour=COLOURS[(number - 1) % len(COLOURS)],
            category=TISSUE,
            type=TISSUE,
        )
        for number in (sorted(names) or present)
    )


def _write(folder: ResultFolder, labelmap: Volume, parts: list[Part], made: list[Surface], together: bool) -> None:
    extras = {
        "unit": "mm" if labelmap.spacing_known else "voxel",
        "frame": "LPS",
        "frame_of_reference_uid": labelmap.frame_of_reference_uid,
        "notice": "Not for clinical use",
    }
    if not together:
        for part, surface in zip(parts, made, strict=True):
            if surface.packed is not None:
                folder.write(NAME.format(number=part.number), browser_glb([part], extras, "", [surface.packed]))
        return
    nifti, raw = labelmap_files(labelmap)
    folder.write("labelmap.nii.gz", nifti)
    folder.write("labelmap.u8.gz", raw)
    folder.write("surfaces.glb", plain_glb(parts, extras))
    packed = [surface.packed for surface in made if surface.packed is not None]
    folder.write("surfaces.browser.glb", browser_glb(parts, extras, "", packed))
