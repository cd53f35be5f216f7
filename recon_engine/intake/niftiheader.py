"""A NIfTI file without the text in its header: nobody's name, no path of the machine it was made on."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

from recon_engine.nifti import read_bytes

# (offset, length) of the text fields of nifti1.h and nifti2.h, and of the old Analyze fields before `dim`
_TEXT_1 = ((4, 10), (14, 18), (32, 4), (36, 2), (148, 80), (228, 24), (328, 16))
_TEXT_2 = ((240, 80), (320, 24), (508, 16), (524, 15))


def write_cleaned_nifti(source: str | Path, target: Path) -> str:
    """Write `source` as .nii.gz with its text fields and extensions cleared, voxels byte for byte.

    Returns the SHA-256 of the cleaned bytes before compression. Raises EngineError as `nifti.read_bytes`.
    """
    data = bytearray(read_bytes(source))
    second = data[4:7] == b"n+2"
    big = struct.unpack_from(">i", data)[0] in (348, 540)
    order = ">" if big else "<"
    for start, length in _TEXT_2 if second else _TEXT_1:
        data[start : start + length] = bytes(length)
    size = 540 if second else 348
    offset = int(struct.unpack_from(order + ("q" if second else "f"), data, 168 if second else 108)[0]) or size + 4
    voxels = bytes(data[max(offset, size + 4) :])
    head = data[:size]
    struct.pack_into(order + ("q" if second else "f"), head, 168 if second else 108, size + 4)
    cleaned = bytes(head) + b"\0\0\0\0" + voxels
    with open(target, "wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as stream:
        stream.write(cleaned)
    return hashlib.sha256(cleaned).hexdigest()
