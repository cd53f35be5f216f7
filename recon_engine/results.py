"""How a result folder is written: every file under a temporary name beside it, one rename at the end."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.volume import Volume

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


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


def labelmap_files(labelmap: Volume) -> tuple[bytes, bytes]:
    """(labelmap.nii.gz, labelmap.u8.gz). Both hold the same voxels, which are packed once.

    NIfTI stores i fastest, as a C-ordered (k, j, i) array does, so both files are one stream behind different headers.
    """
    voxels = np.ascontiguousarray(labelmap.voxels, np.uint8)
    data = memoryview(voxels.reshape(-1))
    header = nifti_header(labelmap)
    packer = zlib.compressobj(4, zlib.DEFLATED, -15)
    step = 1 << 24
    body = b"".join(packer.compress(data[p : p + step]) for p in range(0, len(data), step)) + packer.flush()
    opening = zlib.compressobj(4, zlib.DEFLATED, -15)
    first = opening.compress(header) + opening.flush(zlib.Z_FULL_FLUSH)  # ends on a byte, refers to nothing before
    raw = _gzip(body, zlib.crc32(data), len(data))
    nifti = _gzip(first + body, zlib.crc32(data, zlib.crc32(header)), len(header) + len(data))
    return nifti, raw


def _gzip(deflated: bytes, checksum: int, length: int) -> bytes:
    """A gzip file (RFC 1952) without name or time, so that it does not depend on when it was made."""
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + deflated + (checksum & 0xFFFFFFFF).to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")


def nifti_affine(volume: Volume) -> NDArray:
    """(4, 4) from NIfTI's (i, j, k, 1) to its RAS mm."""
    return _LPS_TO_RAS @ volume.affine[:, [2, 1, 0, 3]]


def nifti_header(volume: Volume) -> bytes:
    """352 bytes: NIfTI-1 header for uint8 voxels on the volume's grid, and an empty extension."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(volume.shape[::-1])
    affine = nifti_affine(volume)
    header.set_sform(affine, code="scanner")
    try:
        header.set_qform(affine, code="scanner", strip_shears=False)
    except nibabel.spatialimages.HeaderDataError:
        header.set_qform(affine, code="unknown", strip_shears=True)  # sheared axes have no quaternion
    header.set_xyzt_units("mm" if volume.spacing_known else "unknown")
    header["intent_code"] = 1002  # NIFTI_INTENT_LABEL
    header.set_slope_inter(1, 0)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    return header.binaryblock + b"\0\0\0\0"
