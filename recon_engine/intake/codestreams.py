"""The size a compressed frame claims, read before any decoder allocates memory for it."""

from __future__ import annotations

import struct

from recon_engine.contract import EngineError

_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xDA)))
_FRAME_MARKERS = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7))


def declared_size(data: bytes, codec: str) -> tuple[int, int, int] | None:
    """(rows, columns, components) of a codestream; None for RLE, which claims nothing.

    Raises EngineError pixel_decode_failed where the codestream has no readable head.
    """
    if codec == "rle":
        return None
    size = _jpeg_2000(data) if codec in ("jpeg_2000", "htj2k") else _jpeg(data)
    if size is None:
        raise EngineError("pixel_decode_failed", "A compressed frame has no readable head.")
    return size


def _jpeg_2000(data: bytes) -> tuple[int, int, int] | None:
    """The SIZ marker (ISO/IEC 15444-1 A.5.1), inside a JP2 box where there is one."""
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or len(data) < start + 44:
        return None
    _, width, height, left, top = struct.unpack_from(">HLLLL", data, start + 6)
    components = struct.unpack_from(">H", data, start + 40)[0]
    return height - top, width - left, components


def _jpeg(data: bytes) -> tuple[int, int, int] | None:
    """The first frame header of JPEG (ISO/IEC 10918-1 B.2.2) or JPEG-LS."""
    position = 2
    if data[:2] != b"\xff\xd8":
        return None
    while position + 9 < len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _NO_LENGTH:
            position += 2
        elif marker in _FRAME_MARKERS:
            rows, columns, components = struct.unpack_from(">HHB", data, position + 5)
            return rows, columns, components
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    return None
