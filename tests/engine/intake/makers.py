"""A DICOM writer of our own, so that the tests do not believe pydicom, and can write what no library would.

A slice is a dictionary of tag -> (VR, value); `to_bytes` puts it into a file of any uncompressed or encapsulated
transfer syntax. Values are bytes, text, numbers (US, SS by VR) or a list of items for SQ.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

IMPLICIT, EXPLICIT, DEFLATED, BIG = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".1.99", ".2"))
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
LONG = ("OB", "OD", "OF", "OL", "OW", "SQ", "UN", "UT", "UC", "UR")
ROWS, COLUMNS = 16, 12
Slice = dict[int, tuple[str, Any]]


def raw(vr: str, value: Any, order: str, explicit: bool) -> bytes:
    if vr == "SQ":
        items = [dataset(item, explicit, order) for item in value]
        return b"".join(struct.pack(order + "HHL", 0xFFFE, 0xE000, len(item)) + item for item in items)
    if isinstance(value, bytes):
        data = value
    elif vr in ("US", "SS", "UL", "FD"):
        numbers = value if isinstance(value, (list, tuple)) else [value]
        code = {"US": "H", "SS": "h", "UL": "L", "FD": "d"}[vr]
        data = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
    else:
        data = str(value).encode("latin-1", "replace")
    if len(data) % 2:
        data += b"\0" if vr in ("UI", "OB", "UN") else b" "
    return data


def element(tag: int, vr: str, value: Any, explicit: bool = True, order: str = "<", length: int | None = None) -> bytes:
    data = raw(vr, value, order, explicit)
    count = len(data) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack(order + "L", count) + data
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "L", count) + data
    return head + vr.encode() + struct.pack(order + "H", count) + data


def dataset(tags: Slice, explicit: bool = True, order: str = "<") -> bytes:
    return b"".join(element(tag, vr, value, explicit, order) for tag, (vr, value) in sorted(tags.items()))


def encapsulated(frames: Sequence[bytes]) -> bytes:
    """The PixelData element with one fragment per frame and an empty offset table."""
    out = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    for frame in frames:
        frame += b"\0" * (len(frame) % 2)
        out += struct.pack("<HHL", 0xFFFE, 0xE000, len(frame)) + frame
    return out + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def to_bytes(tags: Slice, syntax: str = EXPLICIT, pixels: bytes | None = None, preamble: bytes = bytes(128)) -> bytes:
    """A whole file. `pixels` replaces the PixelData element with raw bytes."""
    meta = element(0x00020010, "UI", syntax)
    if 0x00080016 in tags:
        meta = element(0x00020002, "UI", tags[0x00080016][1]) + element(0x00020003, "UI", tags[0x00080018][1]) + meta
    meta = element(0x00020000, "UL", len(meta)) + meta
    order = ">" if syntax == BIG else "<"
    explicit = syntax != IMPLICIT
    if pixels is not None:
        tags = {tag: value for tag, value in tags.items() if tag != 0x7FE00010}
    body = dataset(tags, explicit, order) + (pixels or b"")
    if syntax == DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(body) + packer.flush()
    return preamble + b"DICM" + meta + body


def values(k: int, rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Known stored values of slice k: a ramp that tells every voxel of a series from every other."""
    j, i = np.mgrid[0:rows, 0:columns]
    return (k * 100 + j * 5 + i).astype(np.int16)


def ct_slice(k: int, stored: np.ndarray | None = None, **changes: Any) -> Slice:
    """Slice k of a CT of 1 x 1 x 2 mm voxels; `changes` by name, see the lines below."""
    stored = values(k) if stored is None else stored
    signed = stored.dtype.kind == "i"
    given: dict[str, Any] = {
        "series": "1.2.3.4.1",
        "study": "1.2.3.4",
        "uid": f"1.2.3.4.1.{k + 1}",
        "patient": "ID-77",
        "name": "Doe^Jane",
        "modality": "CT",
        "sop_class": CT_STORAGE,
        "position": (0.0, 0.0, 2.0 * k),
        "orientation": (1, 0, 0, 0, 1, 0),
        "spacing": (1.0, 1.0),
        "frame": "1.2.3.4.9",
        "slope": 1,
        "intercept": 0,
        "bits": 16,
        "photometric": "MONOCHROME2",
        "number": k + 1,
        "image_type": "ORIGINAL\\PRIMARY\\AXIAL",
    } | changes

    def listed(numbers: Any) -> str:
        return numbers if isinstance(numbers, str) else "\\".join(f"{n:g}" if n == n else "nan" for n in numbers)

    tags: Slice = {
        0x00080008: ("CS", given["image_type"]),
        0x00080016: ("UI", given["sop_class"]),
        0x00080018: ("UI", given["uid"]),
        0x00080020: ("DA", "20190823"),
        0x00080060: ("CS", given["modality"]),
        0x0008103E: ("LO", "Thorax axial"),
        0x00100010: ("PN", given["name"]),
        0x00100020: ("LO", given["patient"]),
        0x0020000D: ("UI", given["study"]),
        0x0020000E: ("UI", given["series"]),
        0x00200013: ("IS", given["number"]),
        0x00200032: ("DS", listed(given["position"])),
        0x00200037: ("DS", listed(given["orientation"])),
        0x00200052: ("UI", given["frame"]),
        0x00280002: ("US", 1),
        0x00280004: ("CS", given["photometric"]),
        0x00280010: ("US", stored.shape[0]),
        0x00280011: ("US", stored.shape[1]),
        0x00280030: ("DS", listed(given["spacing"])),
        0x00280100: ("US", stored.dtype.itemsize * 8),
        0x00280101: ("US", given["bits"]),
        0x00280102: ("US", given["bits"] - 1),
        0x00280103: ("US", int(signed)),
        0x00281052: ("DS", given["intercept"]),
        0x00281053: ("DS", given["slope"]),
        0x7FE00010: ("OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes()),
    }
    for tag, value in changes.get("tags", {}).items():
        if value is None:
            tags.pop(tag, None)
        else:
            tags[tag] = value
    return tags


def write_series(
    folder: Path,
    count: int = 10,
    syntax: str = EXPLICIT,
    change: Callable[[int], dict[str, Any]] | None = None,
    skip: Sequence[int] = (),
    **everywhere: Any,
) -> Path:
    """Write `count` slices with shuffled names into `folder`; `change(k)` gives the changes of slice k."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        if k in skip:
            continue
        tags = ct_slice(k, **(everywhere | (change(k) if change else {})))
        (folder / f"IM{(k * 7) % count:04d}_{k}.dcm").write_bytes(to_bytes(tags, syntax))
    return folder
