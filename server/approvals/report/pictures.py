"""A PNG from a browser, taken apart and put together again: only what makes the picture stays (PNG 3rd ed., 11)."""

from __future__ import annotations

import struct
import zlib

from django.utils.translation import gettext as _

from server.core.errors import LaminaError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = (b"IHDR", b"IDAT", b"IEND")
LARGEST_SIDE = 4096
MOST_BYTES = 6 * 2**20
CHANNELS = {2: 3, 6: 4}  # colour type -> bytes per pixel


def clean_png(data: bytes) -> tuple[bytes, int, int]:
    """The same picture without texts, times, profiles: (bytes, width, height).

    Raises LaminaError not_a_picture for what is no 8-bit RGB or RGBA PNG, is too large, or does not unpack to
    exactly its size.
    """
    if len(data) > MOST_BYTES or not data.startswith(SIGNATURE):
        raise _wrong()
    out = [SIGNATURE]
    at, width, height, colour = len(SIGNATURE), 0, 0, 0
    packed = []
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if len(body) != length or check != struct.pack(">I", zlib.crc32(kind + body)):
            raise _wrong()
        if kind == b"IHDR":
            width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", body) if length == 13 else (0,) * 7
            if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
                raise _wrong()
            if depth != 8 or colour not in CHANNELS or any(rest):
                raise _wrong()
        if kind == b"IDAT":
            packed.append(body)
        if kind in KEPT:
            out.append(data[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            break
    whole = height * (1 + width * CHANNELS.get(colour, 0))
    if not whole or _unpacked(b"".join(packed), whole) != whole:
        raise _wrong()
    return b"".join(out), width, height


def _unpacked(packed: bytes, whole: int) -> int:
    """How many bytes come out, never unpacking more than the picture holds."""
    try:
        unpacker = zlib.decompressobj()
        size = len(unpacker.decompress(packed, whole + 1))
        return size if unpacker.eof else -1
    except zlib.error:
        return -1


def _wrong() -> LaminaError:
    return LaminaError("not_a_picture", _("This is no picture the server takes: a PNG of up to 6 MB."), 422)
