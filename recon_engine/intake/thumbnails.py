"""A small picture of a series while it is only inspected: one frame is read, not the volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon_engine.contract import EngineError
from recon_engine.intake.frames import pixel_format
from recon_engine.intake.inspection import Examined
from recon_engine.intake.pictures import read_grey
from recon_engine.intake.stored_pictures import shown_frame
from recon_engine.intake.volumefiles import automatic_window, sampled, windowed, write_small_picture


def write(examined: Examined, folder: Path, name: str) -> str | None:
    """Write `folder/name` and return the name; None where there is nothing that can be shown."""
    try:
        if examined.headers:
            return _of_dicom(examined, folder, name)
        if examined.pictures:
            grey = read_grey(examined.pictures[len(examined.pictures) // 2])
            small = grey if grey.dtype == np.uint8 else windowed(grey, automatic_window(sampled(grey[None])))
            write_small_picture(small, (1.0, 1.0), folder / name)
            return name
        if examined.load is not None and examined.is_volume:
            volume = examined.load()
            plane = volume.voxels[volume.shape[0] // 2]
            grey = windowed(plane, automatic_window(sampled(volume.voxels)))
            write_small_picture(grey, volume.spacing_mm[1:], folder / name)
            return name
    except (EngineError, ValueError, OSError):
        return None
    return None


def _of_dicom(examined: Examined, folder: Path, name: str) -> str | None:
    if "derived_object_not_source" in examined.finding.reasons or "no_pixel_data" in examined.finding.reasons:
        return None
    if examined.plan is not None:
        source = examined.sources[examined.plan.order[len(examined.plan.order) // 2]]
        header, number = source.header, source.frame
    else:
        header, number = examined.headers[len(examined.headers) // 2], 0
    form = pixel_format(header)
    picture = shown_frame(header, form, number)
    if picture.ndim == 3:
        picture = picture.astype(np.float32).mean(axis=2).astype(np.uint8)
    spacing = examined.plan.spacing_mm[1:] if examined.plan is not None else (1.0, 1.0)
    write_small_picture(picture, spacing, folder / name, inverted=examined.finding.modality == "PT")
    return name
