"""A labelmap, or a box cut out of one, as a folder on disk: what the verbs of editing read.

    piece.json     shape, affine, spacing_known, frame_of_reference_uid; image: slope, intercept, unit, or null
    labelmap.u8    uint8, C order (k, j, i)
    image.i16      little-endian int16 on the same grid, where there is an image; value = stored * slope + intercept

A NIfTI labelmap is read as well, with its image beside it on the same grid.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recon_engine.contract import EngineError
from recon_engine.volume import Volume

RECORD, LABELMAP, IMAGE = "piece.json", "labelmap.u8", "image.i16"


@dataclass(frozen=True)
class Piece:
    """`labelmap` has uint8 voxels; `image` lies on the same grid, or is None."""

    labelmap: Volume
    image: Volume | None = None


def read_piece(labelmap: str | Path, image: str | Path = "") -> Piece:
    """Raises EngineError not_found, parse_error or bad_request (an image on another grid)."""
    path = Path(labelmap)
    piece = _read_folder(path) if path.is_dir() else Piece(_read_nifti(path))
    if not image:
        return piece
    from recon_engine.intake import read_volume

    volume, _finding = read_volume(image)
    if not volume.same_grid(piece.labelmap):
        raise EngineError("bad_request", "The image does not lie on the grid of the labelmap. Give the image it is of.")
    return Piece(piece.labelmap, volume)


def _read_folder(folder: Path) -> Piece:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        shape = tuple(int(n) for n in record["shape"])
        affine, known = np.array(record["affine"], np.float64), bool(record.get("spacing_known", True))
        frame = record.get("frame_of_reference_uid")
        voxels = np.fromfile(folder / LABELMAP, np.uint8).reshape(shape)
        labelmap = Volume(voxels, affine, frame, spacing_known=known)
        if (values := record.get("image")) is None:
            return Piece(labelmap)
        stored = np.fromfile(folder / IMAGE, "<i2").reshape(shape)
        real = stored.astype(np.float32) * np.float32(values["slope"]) + np.float32(values["intercept"])
        return Piece(labelmap, Volume(real, affine, frame, unit=values.get("unit", ""), spacing_known=known))
    except FileNotFoundError:
        raise EngineError("not_found", f"There is no piece of a labelmap in {folder.name}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError("parse_error", f"The piece of a labelmap is damaged ({type(error).__name__}).") from None


def _read_nifti(path: Path) -> Volume:
    from recon_engine.intake import read_volume

    if not path.is_file():
        raise EngineError("not_found", f"There is no labelmap at {path.name}.")
    volume, _finding = read_volume(path)
    voxels = np.asarray(volume.voxels)
    if voxels.min() < 0 or voxels.max() > 255 or (voxels != np.rint(voxels)).any():
        raise EngineError("bad_request", "A labelmap holds whole numbers from 0 to 255.")
    return Volume(
        voxels.astype(np.uint8), volume.affine, volume.frame_of_reference_uid, spacing_known=volume.spacing_known
    )
