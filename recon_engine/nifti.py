"""NIfTI to a Volume, in LPS millimetres.

NIfTI counts in RAS (x to the right, y to the front), so x and y change sign. Voxels come out as (k, j, i) with k
nearest to S, j nearest to P and i nearest to L: the axes are swapped and turned, never interpolated, and the affine
follows. `affine_to_volume` says how, so that a labelmap can be put back on the file's own axes (results.py).
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.intake import limits
from recon_engine.volume import Volume

HEAD_BYTES, PIECE_BYTES, SLACK_BYTES = 4096, 8 << 20, 1 << 20
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class StoredImage:
    """A NIfTI file as it lies on disk: its header, its voxels (x, y, z) and the RAS affine of those axes."""

    header: Any
    voxels: NDArray  # (x, y, z), real values, one volume of a 4D file
    affine: NDArray  # (4, 4) to RAS mm
    volumes: int  # that may be read
    nonfinite: int


def read_bytes(path: str | Path, needed: Callable[[bytes], int] | None = None) -> bytes:
    """The whole file, inflated where it is gzip.

    `needed` says from the first bytes how many there should be: a gzip that holds more by over 1 MiB is refused, as is
    one of over 4 GiB. Raises EngineError inflated_size_over_limit, declared_size_over_limit, pixel_data_truncated (cut
    gzip), parse_error (damaged gzip).
    """
    with open(path, "rb") as file:
        if file.read(2) != b"\x1f\x8b":
            if os.fstat(file.fileno()).st_size > limits.DECLARED_BYTES:
                raise EngineError("declared_size_over_limit", "The file is larger than 4 GiB.")
            file.seek(0)
            return file.read()
    try:
        with gzip.open(path, "rb") as stream:
            return _inflated(stream, needed)
    except EOFError:
        raise EngineError("pixel_data_truncated", "The compressed file ends too early.") from None
    except (gzip.BadGzipFile, zlib.error):
        raise EngineError("parse_error", "The compressed file is damaged.") from None


def _inflated(stream: gzip.GzipFile, needed: Callable[[bytes], int] | None) -> bytes:
    pieces = [stream.read(HEAD_BYTES)]
    total = len(pieces[0])
    most = limits.INFLATED_BYTES
    if needed is not None:
        most = min(most, needed(pieces[0]) + SLACK_BYTES)
    while piece := stream.read(PIECE_BYTES):
        total += len(piece)
        if total > most:
            raise EngineError("inflated_size_over_limit", "The file inflates to more than its header declares.")
        pieces.append(piece)
    return b"".join(pieces)


def read_header(data: bytes) -> Any:
    """The nibabel header of NIfTI-1 or NIfTI-2 bytes, without trusting any of it. Raises EngineError parse_error."""
    import nibabel

    kind = nibabel.Nifti2Header if data[4:7] in (b"n+2", b"ni2") else nibabel.Nifti1Header
    try:
        return kind(data[: kind.sizeof_hdr], check=False)  # the extensions behind it are not looked at
    except Exception as error:
        raise EngineError("parse_error", f"The NIfTI header is damaged ({type(error).__name__}).") from None


def affine_to_volume(affine: NDArray, shape: tuple[int, int, int]) -> tuple[tuple[int, ...], tuple[bool, ...], NDArray]:
    """How stored axes (x, y, z) become (k, j, i).

    Returns the stored axis for each of k, j, i, whether it is turned round, and the (4, 4) affine of (k, j, i) to LPS.
    """
    import nibabel

    lps = RAS_TO_LPS @ affine
    orientation = nibabel.orientations.io_orientation(lps)  # row per stored axis: world axis, direction
    order, turned = [0, 0, 0], [False, False, False]
    for axis in range(3):
        world, direction = int(orientation[axis, 0]), orientation[axis, 1]
        order[2 - world] = axis
        turned[2 - world] = direction < 0
    result = np.eye(4)
    origin = lps[:3, 3].copy()
    for place, axis in enumerate(order):
        step = lps[:3, axis]
        if turned[place]:
            origin = origin + step * (shape[axis] - 1)
            step = -step
        result[:3, place] = step
    result[:3, 3] = origin
    return tuple(order), tuple(turned), result


def to_volume(image: StoredImage, modality: str | None, unit: str = "") -> Volume:
    """The stored image on (k, j, i) axes."""
    order, turned, affine = affine_to_volume(image.affine, image.voxels.shape)  # type: ignore[arg-type]
    voxels = image.voxels.transpose(order)
    voxels = voxels[tuple(slice(None, None, -1) if flip else slice(None) for flip in turned)]
    return Volume(np.ascontiguousarray(voxels), affine, None, modality, unit)


def read_volume(path: str | Path, modality: str | None = None) -> Volume:
    """A NIfTI file -> Volume, with the rules of intake. Raises EngineError with the refusing code."""
    from recon_engine.intake.inspection import load
    from recon_engine.intake.niftirules import examine_nifti

    return load(examine_nifti(str(path), Path(path).name, modality))


def with_modality(volume: Volume, modality: str) -> Volume:
    """A NIfTI volume of which somebody has said what it is: CT then holds HU."""
    return replace(volume, modality=modality, unit="HU" if modality == "CT" else volume.unit)
