"""How a result folder is written: every file under a temporary name beside it, one rename at the end.

And what a result says of each of its segments.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import uuid
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError, SegmentDescription, SegmentResult, SegmentWanted
from recon_engine.volume import Volume

if TYPE_CHECKING:
    from recon_engine.surface import Surface

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LEVEL = 4  # of deflate: labels shrink no further above it


class ResultFolder:
    """A folder that appears whole or not at all.

        with ResultFolder(out) as folder:
            folder.write("labelmap.nii.gz", data)
            folder.publish()

    Leaving the block without `publish` removes what was written.
    """

    def __init__(self, out: str | Path) -> None:
        self.out = Path(out)
        self.hashes: dict[str, str] = {}

    def __enter__(self) -> ResultFolder:
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise EngineError("bad_request", f"{self.out.name} is there already. Name a folder that is new or empty.")
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self.path = self.out.parent / f".{self.out.name}.{uuid.uuid4().hex[:8]}.partial"
            self.path.mkdir(mode=0o700)
        except OSError as error:
            raise EngineError(
                "bad_request",
                f"No result can be written to {self.out.parent}: {error.strerror}. Choose another folder.",
            ) from None
        return self

    def write(self, name: str, data: bytes) -> None:
        """Write one file and keep its SHA-256."""
        if Path(name).name != name or name in self.hashes:
            raise ValueError(f"a result file has a plain name of its own, not {name!r}")
        with open(self.path / name, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.hashes[name] = hashlib.sha256(data).hexdigest()

    def publish(self) -> None:
        """Give the folder its name."""
        _sync_folder(self.path)
        if self.out.is_dir():
            self.out.rmdir()  # an empty folder makes room; a filled one was refused above
        self.path.rename(self.out)
        _sync_folder(self.out.parent)

    def __exit__(self, *_: object) -> None:
        if self.path.exists():
            shutil.rmtree(self.path, ignore_errors=True)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def labelmap_files(labelmap: Volume, stored: Any = None) -> tuple[bytes, bytes]:
    """(labelmap.nii.gz, labelmap.u8.gz). Equal input gives equal bytes.

    `stored` is `facts["nifti"]` of a NIfTI source: the file then has its axes, so the arrays lie voxel on voxel.
    Otherwise NIfTI's i runs fastest, as in a C-ordered (k, j, i) array: both files hold one stream, packed once, behind
    different headers.
    """
    voxels = np.ascontiguousarray(labelmap.voxels, np.uint8)
    body = _deflated(voxels)
    data = memoryview(voxels.reshape(-1))
    raw = _gzip(body, zlib.crc32(data), len(data))
    affine, axes = _LPS_TO_RAS @ labelmap.affine[:, [2, 1, 0, 3]], voxels.transpose(2, 1, 0)
    if stored and (turned := _as_stored(labelmap, stored)):
        affine, axes = turned
        voxels = np.ascontiguousarray(axes.transpose(2, 1, 0))
        body, data = _deflated(voxels), memoryview(voxels.reshape(-1))
    header = nifti_header(axes.shape, affine, labelmap.spacing_known)
    opening = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    first = opening.compress(header) + opening.flush(zlib.Z_FULL_FLUSH)  # ends on a byte, refers to nothing before
    return _gzip(first + body, zlib.crc32(data, zlib.crc32(header)), len(header) + len(data)), raw


def _as_stored(labelmap: Volume, stored: Any) -> tuple[NDArray, NDArray] | None:
    """(affine to RAS, voxels) on the axes of the source file, or None where the labelmap is not on its grid."""
    from recon_engine.nifti import affine_to_volume

    own, shape = np.asarray(stored["affine"], dtype=np.float64), tuple(stored["shape"])
    order, turned, here = affine_to_volume(own, shape)
    if tuple(shape[axis] for axis in order) != labelmap.shape or not np.allclose(here, labelmap.affine, atol=1e-3):
        return None
    back = labelmap.voxels[tuple(slice(None, None, -1) if flip else slice(None) for flip in turned)]
    return own, back.transpose(np.argsort(order))


def _deflated(voxels: NDArray) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    data, step = memoryview(voxels.reshape(-1)), 1 << 24
    return b"".join(packer.compress(data[p : p + step]) for p in range(0, len(data), step)) + packer.flush()


def _gzip(deflated: bytes, checksum: int, length: int) -> bytes:
    """A gzip file (RFC 1952) without name or time, so that it does not depend on when it was made."""
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + deflated + struct.pack("<II", checksum & 0xFFFFFFFF, length & 0xFFFFFFFF)


def nifti_header(shape: tuple[int, ...], affine: NDArray, in_mm: bool = True) -> bytes:
    """352 bytes: a NIfTI-1 header for uint8 voxels (i, j, k) with `affine` to RAS mm, and an empty extension."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    header.set_sform(affine, code="scanner")
    try:
        header.set_qform(affine, code="scanner", strip_shears=False)
    except nibabel.spatialimages.HeaderDataError:
        header.set_qform(affine, code="unknown", strip_shears=True)  # sheared axes have no quaternion
    header.set_xyzt_units("mm" if in_mm else "unknown")
    header["intent_code"] = 1002  # NIFTI_INTENT_LABEL
    header.set_slope_inter(1, 0)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    return header.binaryblock + b"\0\0\0\0"


def segment_result(
    segment: SegmentDescription | SegmentWanted,
    encloses: Iterable[int],
    surface: Surface,
    labelmap: Volume,
    sums: NDArray,
    counts: NDArray,
    names: Mapping[int, str],
) -> SegmentResult:
    """What a result says of one segment: its size, its middle in LPS mm and the box of its surface.

    `encloses` are numbers inside it that count as part of it. `sums` and `counts` are label_sums of the labelmap;
    `names` maps a segment's number to its node. Where spacing is unknown there are no mL and no mm.
    """
    group = sorted({segment.number, *(encloses if counts[segment.number] else ())})
    voxels, known = int(counts[group].sum()), labelmap.spacing_known
    centre = labelmap.to_mm(sums[group].sum(0) / voxels) if voxels and known else None
    box = None
    if known and not surface.mesh.empty:
        low, high = surface.mesh.vertices.min(0), surface.mesh.vertices.max(0)
        box = tuple(round(float(v), 3) for pair in zip(low, high, strict=True) for v in pair)
    return SegmentResult(
        number=segment.number,
        label=segment.label,
        colour=segment.colour,
        category=segment.category,
        type=segment.type,
        voxels=voxels,
        volume_ml=round(voxels * labelmap.voxel_volume_ml, 4) if known else None,
        triangles=len(surface.mesh.triangles),
        node=names.get(segment.number, ""),
        centroid_mm=None if centre is None else tuple(round(float(v), 3) for v in centre),  # type: ignore[arg-type]
        bounds_mm=box,
    )
