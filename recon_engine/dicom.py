"""A DICOM series as a Volume, fast: one read per slice straight into the volume.

The slices come in the order of a `Plan` (intake/geometry.py). Where the values fit they stay int16 and are shifted
in place while they are warm in the cache; otherwise they become float32. Compressed frames are decoded in threads,
since the codecs release the interpreter. Everything else is left to pydicom (intake/frames.py). Values are voxel
by voxel those of pydicom's `pixel_array * RescaleSlope + RescaleIntercept`, except padding, which is cleared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.intake import tags
from recon_engine.intake.frames import (
    PixelFormat,
    clean_bits,
    pixel_format,
    read_native,
    stored_frame,
    through_modality_lut,
)
from recon_engine.intake.geometry import Plan
from recon_engine.intake.header import Header, read_header
from recon_engine.intake.resample import place_slices
from recon_engine.intake.syntaxes import NATIVE
from recon_engine.volume import Volume

AIR_HU = -1024
PLAUSIBLE_HU = (-1000, 3071)  # a CT padding value in here could be tissue and is left alone


@dataclass(frozen=True)
class SliceSource:
    """One frame to read: its header, its frame number, and the rescale that makes real values of it."""

    header: Header
    frame: int = 0
    slope: float = 1.0
    intercept: float = 0.0


def has_table(header: Header) -> bool:
    """True where a modality table takes the place of slope and intercept."""
    return bool(header.values.get(tags.MODALITY_LUT))


def rescale_of(header: Header) -> tuple[float, float]:
    """RescaleSlope and RescaleIntercept of one instance; 1 and 0 where they are missing (PS3.3 C.11.1.1.2).

    Raises EngineError parse_error for a rescale that is no finite number.
    """
    return _rescale(header.values.get(tags.RESCALE_SLOPE, b""), header.values.get(tags.RESCALE_INTERCEPT, b""))


@lru_cache(maxsize=1024)
def _rescale(slope: bytes, intercept: bytes) -> tuple[float, float]:
    values = []
    for raw, default in ((slope.strip(b" \0"), 1.0), (intercept.strip(b" \0"), 0.0)):
        number = tags.decimals(raw) if raw else (default,)
        if not number or not np.isfinite(number[0]):
            raise EngineError("parse_error", "RescaleSlope or RescaleIntercept is no number.")
        values.append(number[0])
    if values[0] == 0:
        raise EngineError("parse_error", "RescaleSlope is 0: every voxel would be the same.")
    return values[0], values[1]


def read_voxels(
    sources: Sequence[SliceSource],
    plan: Plan,
    modality: str,
    scale: float = 1.0,
    on_slice: Callable[[int, int], None] | None = None,
) -> NDArray:
    """(k, j, i) real values on the grid of the plan; int16 where they fit exactly, else float32.

    `sources` are in stored order, the plan sorts them; `scale` multiplies real values (Bq/mL to SUV). Raises
    EngineError pixel_data_truncated, pixel_decode_failed, transfer_syntax_unsupported.
    """
    ordered = [sources[n] for n in plan.order]
    form = pixel_format(ordered[0].header)
    shape = (len(ordered), form.rows, form.columns)
    tables = any(has_table(s.header) for s in ordered)
    integral = not tables and scale == 1.0 and all(s.slope == 1.0 and s.intercept == int(s.intercept) for s in ordered)
    values = _read_int16(ordered, form, shape, modality, on_slice) if integral else None
    if values is None:
        values = _read_float(ordered, shape, modality, scale, on_slice)
        if scale == 1.0 and all(float(s.slope).is_integer() and float(s.intercept).is_integer() for s in ordered):
            values = to_int16_where_exact(values)
    return values if plan.is_direct else place_slices(values, plan, _outside(modality, values))


def _outside(modality: str, values: NDArray) -> float:
    """What lies beyond the stored pixels: air in CT, nothing elsewhere."""
    return AIR_HU if modality == "CT" else min(0.0, float(values.min()))


def to_int16_where_exact(values: NDArray) -> NDArray:
    """Whole numbers that fit become int16; anything else stays as it is."""
    if values.min() < -32768 or values.max() > 32767:
        return values
    whole = values.astype(np.int16)
    return whole if np.array_equal(whole, values) else values


def _read_int16(
    sources: Sequence[SliceSource],
    form: PixelFormat,
    shape: tuple[int, int, int],
    modality: str,
    on_slice: Callable[[int, int], None] | None,
) -> NDArray | None:
    """The fast path: slope 1 and whole intercepts. None where a value does not fit int16."""
    volume = np.empty(shape, np.int16)
    padded: list[tuple[int, NDArray]] = []

    def one(k: int) -> bool:
        source = sources[k]
        header, out = source.header, volume[k]
        mine = pixel_format(header)
        if header.syntax in NATIVE and mine.is_plain and mine.bits_allocated == 16 and mine.frames == 1:
            stored = out.view(mine.dtype)
            read_native(header, mine, stored)
            clean_bits(stored, mine)
        else:
            stored = stored_frame(header, mine, source.frame)
        if stored.dtype.kind not in "iu":
            return False
        padding = padding_mask(stored, header, mine, modality, source)
        stored = invert(stored, mine, modality)
        add = int(source.intercept)
        low, high = mine.stored_range
        if low + add < -32768 or high + add > 32767:
            inside = stored if padding is None else stored[~padding]
            # only the end towards which the values move can leave the range
            if inside.size and low + add < -32768 and int(inside.min()) + add < -32768:
                return False
            if inside.size and high + add > 32767 and int(inside.max()) + add > 32767:
                return False
        if stored.dtype.itemsize == 2:
            # the sum is taken modulo 2^16: right, because the result is known to fit; nothing to do where the values
            # were read in place and stay as they are
            if add or stored.base is not volume:
                np.add(stored.view(np.int16), np.array(add).astype(np.int16), out=out)
        else:
            np.add(stored, add, out=out, casting="unsafe", dtype=np.int32)
        if padding is not None:
            padded.append((k, padding))
        if on_slice is not None:
            on_slice(k, shape[0])
        return True

    if not _each(one, shape[0], _threads(sources)):
        return None
    fill_padding(volume, padded, modality)
    return volume


def _read_float(
    sources: Sequence[SliceSource],
    shape: tuple[int, int, int],
    modality: str,
    scale: float,
    on_slice: Callable[[int, int], None] | None,
) -> NDArray:
    volume = np.empty(shape, np.float32)
    padded: list[tuple[int, NDArray]] = []

    def one(k: int) -> bool:
        source = sources[k]
        form = pixel_format(source.header)
        stored = stored_frame(source.header, form, source.frame)
        padding = padding_mask(stored, source.header, form, modality, source)
        turned = invert(stored, form, modality)
        if has_table(source.header):
            volume[k] = through_modality_lut(turned, source.header) * scale
        else:
            volume[k] = (turned.astype(np.float64) * source.slope + source.intercept) * scale
        if padding is not None:
            padded.append((k, padding))
        if on_slice is not None:
            on_slice(k, shape[0])
        return True

    _each(one, shape[0], _threads(sources))
    fill_padding(volume, padded, modality)
    return volume


def _threads(sources: Sequence[SliceSource]) -> int:
    """Decoding pays for threads; plain reading is bound by memory, and a second thread only costs more of it."""
    return 1 if sources[0].header.syntax in NATIVE else max(1, min(8, len(os.sched_getaffinity(0))))


def _each(work: Callable[[int], bool], count: int, threads: int) -> bool:
    """Run `work` for 0 .. count-1; False as soon as one says so."""
    if threads == 1:
        return all(work(k) for k in range(count))
    with ThreadPoolExecutor(threads) as pool:
        blocks = [range(start, count, threads) for start in range(threads)]
        return all(pool.map(lambda block: all(work(k) for k in block), blocks))


def invert(stored: NDArray, form: PixelFormat, modality: str) -> NDArray:
    """MONOCHROME1 shows low values bright. Quantities (HU, Bq/mL) keep theirs; grey values of other images turn."""
    if form.photometric != "MONOCHROME1" or modality in ("CT", "PT"):
        return stored
    low, high = form.stored_range
    return np.subtract(low + high, stored, dtype=stored.dtype)


def padding_mask(
    stored: NDArray, header: Header, form: PixelFormat, modality: str, source: SliceSource
) -> NDArray | None:
    """Where PixelPaddingValue (to PixelPaddingRangeLimit) stands, PS3.3 C.7.5.1.1.2; None where nowhere."""
    raw = header.values.get(tags.PADDING)
    if not raw:
        return None
    first = tags.short(raw, header.little, form.signed)
    last = tags.short(header.values.get(tags.PADDING_LIMIT, b""), header.little, form.signed)
    if first is None:
        return None
    real = first * source.slope + source.intercept
    if modality == "CT" and (real == AIR_HU or PLAUSIBLE_HU[0] <= real <= PLAUSIBLE_HU[1]):
        return None
    if last is None or last == first:
        mask = stored == first
    else:
        mask = (stored >= min(first, last)) & (stored <= max(first, last))
    return mask if mask.any() else None


def fill_padding(volume: NDArray, padded: Sequence[tuple[int, NDArray]], modality: str) -> None:
    """Padding becomes air in CT; elsewhere 0, or the lowest real value where that is above or below 0."""
    if not padded:
        return
    if modality == "CT":
        fill: float = AIR_HU
    else:
        masks = dict(padded)
        lows = [
            volume[k][~masks[k]].min() if k in masks else volume[k].min()
            for k in range(volume.shape[0])
            if k not in masks or not masks[k].all()
        ]
        fill = min(lows) if lows and min(lows) < 0 else 0
    for k, mask in padded:
        volume[k][mask] = fill


def read_series(files: Sequence[str | Path], modality: str = "") -> Volume:
    """A list of files of one series -> Volume, with every rule of intake. Raises EngineError with the refusing code."""
    from recon_engine.intake.inspection import examine_headers, load

    examined = examine_headers([read_header(path) for path in files])
    if len(examined) != 1:
        raise EngineError("bad_request", f"The files hold {len(examined)} series. Name the files of one series.")
    return load(examined[0], modality)
