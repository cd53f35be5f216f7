"""One frame's stored values: read them as they lie, or decode them, never more than the header declares.

Stored values are what DICOM calls them before the modality LUT (PS3.3 C.7.6.3.1): integers of BitsStored bits in
BitsAllocated. Bits above BitsStored may hold anything and are cut off here; the sign is the header's.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.intake import codestreams, limits, tags
from recon_engine.intake.header import DEFLATED, UNDEFINED, Header, dataset_start, inflate
from recon_engine.intake.syntaxes import CODECS, NATIVE, UNCOMPRESSED


@dataclass(frozen=True)
class PixelFormat:
    """The Image Pixel module in numbers; missing ones are None and named by the rules."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str

    @cached_property
    def frame_bytes(self) -> int:
        return (self.rows * self.columns * self.samples * self.bits_allocated + 7) // 8

    @cached_property
    def dtype(self) -> np.dtype:
        """Of the stored values, little endian."""
        kind = "i" if self.signed else "u"
        return np.dtype(f"<{kind}{max(1, self.bits_allocated // 8)}")

    @cached_property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that BitsStored can hold."""
        if self.signed:
            return -(1 << (self.bits_stored - 1)), (1 << (self.bits_stored - 1)) - 1
        return 0, (1 << self.bits_stored) - 1

    @cached_property
    def is_plain(self) -> bool:
        """Grey, 8 or 16 bits allocated, lowest bits used: what our own reader takes."""
        return (
            self.samples == 1
            and self.bits_allocated in (8, 16)
            and 1 <= self.bits_stored <= self.bits_allocated
            and self.high_bit == self.bits_stored - 1
        )


_FORMAT_TAGS = (
    tags.ROWS,
    tags.COLUMNS,
    tags.BITS_ALLOCATED,
    tags.BITS_STORED,
    tags.HIGH_BIT,
    tags.SAMPLES_PER_PIXEL,
    tags.PIXEL_REPRESENTATION,
    tags.NUMBER_OF_FRAMES,
    tags.PHOTOMETRIC,
)


def pixel_format(header: Header) -> PixelFormat:
    """Raises EngineError missing_required_tag naming what is missing. The slices of a series share one answer."""
    get = header.values.get
    return _format(header.little, tuple([get(tag, b"") for tag in _FORMAT_TAGS]))


@lru_cache(maxsize=1024)
def _format(little: bool, raw: tuple[bytes, ...]) -> PixelFormat:
    rows, columns, allocated, stored, high, samples, signed = (tags.short(value, little) for value in raw[:7])
    needed = {"Rows": rows, "Columns": columns, "BitsAllocated": allocated}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise EngineError("missing_required_tag", f"{', '.join(missing)} is missing or 0.")
    allocated = allocated or 16
    stored = stored or allocated
    if allocated not in (1, 8, 16, 32, 64) or stored > allocated:
        raise EngineError("missing_required_tag", f"BitsAllocated {allocated} with BitsStored {stored} is no pixel.")
    frames = tags.integer(raw[7]) if raw[7] else None
    return PixelFormat(
        rows=rows or 0,
        columns=columns or 0,
        samples=samples or 1,
        frames=1 if frames is None else frames,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high is None else high,
        signed=bool(signed),
        photometric=tags.text(raw[8]) or "MONOCHROME2",
    )


def clean_bits(values: NDArray, form: PixelFormat) -> NDArray:
    """Cut off what lies above BitsStored and extend the sign, in place."""
    spare = form.bits_allocated - form.bits_stored
    if spare <= 0:
        return values
    if form.signed:
        np.left_shift(values, spare, out=values)
        np.right_shift(values, spare, out=values)
    else:
        np.bitwise_and(values, (1 << form.bits_stored) - 1, out=values)
    return values


def read_native(header: Header, form: PixelFormat, out: NDArray) -> None:
    """Read the only frame of an uncompressed little endian file into `out` (rows, columns), C order.

    Raises EngineError pixel_data_truncated where the file is shorter than its header.
    """
    descriptor = os.open(header.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        view = memoryview(out.data).cast("B")
        count = os.preadv(descriptor, [view], header.pixel_offset)
        while 0 < count < len(view):
            more = os.preadv(descriptor, [view[count:]], header.pixel_offset + count)
            if not more:
                break
            count += more
    finally:
        os.close(descriptor)
    if count < len(view):
        raise EngineError("pixel_data_truncated", f"{count} of {len(view)} bytes of pixel data are there.")


def stored_frame(header: Header, form: PixelFormat, number: int = 0) -> NDArray:
    """The stored values of one frame, (rows, columns), or (rows, columns, samples) for colour.

    Raises EngineError pixel_data_truncated, pixel_decode_failed, transfer_syntax_unsupported.
    """
    if form.is_plain and header.pixel_tag == tags.PIXEL_DATA:
        if header.syntax in NATIVE and form.frames == 1:
            out = np.empty((form.rows, form.columns), form.dtype)
            read_native(header, form, out)
            return clean_bits(out, form)
        if header.syntax in UNCOMPRESSED and (header.little or form.bits_allocated == 16):
            return clean_bits(_uncompressed(header, form, number), form)
        if header.syntax in CODECS:
            return clean_bits(_decoded(header, form, number), form)
    if header.syntax not in CODECS and header.syntax not in UNCOMPRESSED:
        raise EngineError("transfer_syntax_unsupported", "The transfer syntax is not read here.")
    return by_pydicom(header, form, number)


def _uncompressed(header: Header, form: PixelFormat, number: int) -> NDArray:
    start = header.pixel_offset + number * form.frame_bytes
    if header.syntax == DEFLATED:
        data = inflated_dataset(header)[start : start + form.frame_bytes]
    else:
        with open(header.path, "rb") as file:
            file.seek(start)
            data = file.read(form.frame_bytes)
    if len(data) < form.frame_bytes:
        raise EngineError("pixel_data_truncated", f"{len(data)} of {form.frame_bytes} bytes of a frame are there.")
    stored = form.dtype if header.little else form.dtype.newbyteorder(">")
    return np.frombuffer(data, stored).astype(form.dtype).reshape(form.rows, form.columns)


def inflated_dataset(header: Header) -> bytes:
    """The data set of a deflated file; positions in its header count from here."""
    with open(header.path, "rb") as file:
        data = file.read()
    return inflate(data[dataset_start(data) :])


def fragments(header: Header) -> list[tuple[int, int]]:
    """(start, length) in the file of each fragment of encapsulated pixel data, the offset table left out.

    Raises EngineError pixel_data_truncated (PS3.5 section A.4).
    """
    found: list[tuple[int, int]] = []
    position, first = header.pixel_offset, True
    with open(header.path, "rb") as file:
        while len(found) <= limits.ELEMENTS:
            file.seek(position)
            raw = file.read(8)
            if len(raw) < 8:
                break
            group, element, length = struct.unpack("<HHL", raw)
            if (group, element) == (0xFFFE, 0xE0DD):
                return found
            if (group, element) != (0xFFFE, 0xE000) or position + 8 + length > header.size:
                break
            if not first:
                found.append((position + 8, length))
            first = False
            position += 8 + length
    raise EngineError("pixel_data_truncated", "The compressed pixel data ends too early.")


def _decoded(header: Header, form: PixelFormat, number: int) -> NDArray:
    if header.pixel_length != UNDEFINED:
        raise EngineError("pixel_decode_failed", "Compressed pixel data has no frames.")
    pieces = fragments(header)
    if form.frames > 1:
        if len(pieces) != form.frames:
            return by_pydicom(header, form, number)
        pieces = [pieces[number]]
    with open(header.path, "rb") as file:
        data = b"".join(_read(file, start, length) for start, length in pieces)
    return decode(data, header.syntax, form)


def _unrolled(data: bytes, form: PixelFormat) -> NDArray:
    """DICOM RLE (PS3.5 annex G). It names no size, so what comes out is measured."""
    import imagecodecs

    out = imagecodecs.dicomrle_decode(data, dtype=form.dtype.str)
    expected = form.rows * form.columns * form.dtype.itemsize
    if len(out) != expected:
        raise EngineError("pixel_decode_failed", f"A frame unpacks to {len(out):,} of {expected:,} bytes.")
    return np.frombuffer(out, form.dtype).reshape(form.rows, form.columns)


def _read(file: Any, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def decode(data: bytes, syntax: str, form: PixelFormat) -> NDArray:
    """One compressed frame -> (rows, columns) stored values. Raises EngineError pixel_decode_failed."""
    import imagecodecs

    codec = CODECS[syntax]
    shape = (form.rows, form.columns)
    size = codestreams.declared_size(data, codec)
    if size is not None and size != (form.rows, form.columns, 1):
        raise EngineError("pixel_decode_failed", f"A frame claims {size[0]} x {size[1]}, its header another size.")
    try:
        if codec == "rle":
            values = _unrolled(data, form)
        elif codec == "jpeg_ls":
            values = imagecodecs.jpegls_decode(data)
        elif codec == "jpeg_2000":
            values = imagecodecs.jpeg2k_decode(data)
        elif codec == "htj2k":
            values = imagecodecs.htj2k_decode(data)
        elif codec == "jpeg_lossless":
            values = imagecodecs.ljpeg_decode(data)
        else:
            values = imagecodecs.jpeg8_decode(data)
    except EngineError:
        raise
    except Exception as error:  # each codec has its own exception type; all mean the same here
        raise EngineError("pixel_decode_failed", f"A frame does not decode ({type(error).__name__}).") from None
    if values.shape != shape or values.dtype.kind not in "iu":
        raise EngineError(
            "pixel_decode_failed", f"A frame decodes to {values.shape} instead of {shape[0]} x {shape[1]} grey values."
        )
    if values.dtype.itemsize > form.dtype.itemsize:
        low, high = int(values.min()), int(values.max())
        if low < -(1 << (form.bits_allocated - 1)) or high >= 1 << form.bits_allocated:
            raise EngineError("pixel_decode_failed", "A frame decodes to more bits than its header allows.")
    return np.ascontiguousarray(values.astype(form.dtype, copy=True))


def through_modality_lut(stored: NDArray, header: Header) -> NDArray:
    """Real values by the table of ModalityLUTSequence (PS3.3 C.11.1), which stands in for slope and intercept.

    Raises EngineError parse_error for a table that cannot be applied.
    """
    import pydicom
    from pydicom.pixels import apply_modality_lut

    try:
        dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
        return np.asarray(apply_modality_lut(stored, dataset))
    except Exception as error:
        raise EngineError("parse_error", f"The modality table is damaged ({type(error).__name__}).") from None


def by_pydicom(header: Header, form: PixelFormat, number: int = 0) -> NDArray:
    """The truth and the fallback: slow, and it trusts the file, so only for what our reader does not take."""
    import pydicom
    from pydicom.pixels import pixel_array

    try:
        dataset = pydicom.dcmread(header.path, force=True)
        values = pixel_array(dataset, index=number) if form.frames > 1 else dataset.pixel_array
    except (MemoryError, RecursionError):
        raise
    except NotImplementedError:
        raise EngineError("transfer_syntax_unsupported", "The transfer syntax is not read here.") from None
    except Exception as error:
        raise EngineError("pixel_decode_failed", f"The pixel data does not decode ({type(error).__name__}).") from None
    if values.shape[:2] != (form.rows, form.columns):
        raise EngineError("pixel_decode_failed", f"The pixel data decodes to {values.shape}.")
    return np.array(values)
