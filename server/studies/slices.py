"""One slice of a stored volume, cut by the server: for browsers that cannot hold the volume themselves.

Slices across the stored order touch every piece of the file, so a whole block of neighbours is cut at once and kept
for a minute: scrolling on through them costs no further reading. Memory is bounded by `MOST_BYTES`.
"""

from __future__ import annotations

import io
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core import storage
from server.studies.models import Series

AXES = {"k": 0, "j": 1, "i": 2}
BLOCK = 16  # slices cut together
MOST_BYTES = 96 << 20  # kept in this process
KEEP_SECONDS = 60.0
_READ_BYTES = 8 << 20  # of the file at a time


@dataclass(frozen=True)
class Cut:
    """Neighbouring slices: `stored` has the slices along its first axis, then the other two axes in their order."""

    first: int
    stored: NDArray[np.int16]


class _Kept:
    """The last blocks, oldest out first. Two who ask for one block at the same time cut it once."""

    def __init__(self) -> None:
        self.blocks: OrderedDict[tuple[str, int, int], tuple[float, Cut]] = OrderedDict()
        self.lock = threading.Lock()
        self.cutting: dict[tuple[str, int, int], threading.Lock] = {}

    def get(self, key: tuple[str, int, int]) -> Cut | None:
        now = time.monotonic()
        with self.lock:
            for old in [k for k, (at, _) in self.blocks.items() if now - at > KEEP_SECONDS]:
                del self.blocks[old]
            found = self.blocks.pop(key, None)
            if found is None:
                return None
            self.blocks[key] = (now, found[1])
            return found[1]

    def put(self, key: tuple[str, int, int], cut: Cut) -> None:
        with self.lock:
            self.blocks[key] = (time.monotonic(), cut)
            while sum(one.stored.nbytes for _, one in self.blocks.values()) > MOST_BYTES and len(self.blocks) > 1:
                self.blocks.popitem(last=False)

    def turn(self, key: tuple[str, int, int]) -> threading.Lock:
        with self.lock:
            if len(self.cutting) > 256:
                self.cutting = {k: lock for k, lock in self.cutting.items() if lock.locked()}
            return self.cutting.setdefault(key, threading.Lock())


_kept = _Kept()


def stored_slice(series: Series, axis: int, number: int) -> NDArray[np.int16]:
    """Stored values of one slice, rows and columns being the other two of (k, j, i) in their order.

    Raises IndexError outside the volume, IntegrityError where the file is damaged.
    """
    shape = tuple(series.shape)
    if not 0 <= number < shape[axis]:
        raise IndexError(number)
    if axis == 0:
        return slab(series, number, 1)[0]
    block = number // BLOCK
    key = (series.voxels_ref, axis, block)
    cut = _kept.get(key)
    if cut is None:
        with _kept.turn(key):
            cut = _kept.get(key) or _cut(series, axis, block * BLOCK)
            _kept.put(key, cut)
    return cut.stored[number - cut.first]


def slab(series: Series, first: int, count: int, phase: int = 0) -> NDArray[np.int16]:
    """Neighbouring slices in the stored order (k) of one volume of the series. Raises IntegrityError."""
    _, rows, columns = series.shape
    size = rows * columns * 2
    ref = series.phase_refs[phase - 1] if phase else series.voxels_ref
    raw = b"".join(storage.open_range(ref, first * size, count * size))
    return np.frombuffer(raw, "<i2").reshape(count, rows, columns)


def _cut(series: Series, axis: int, first: int) -> Cut:
    slices, rows, columns = series.shape
    last = min(first + BLOCK, (rows, columns)[axis - 1])
    across = columns if axis == 1 else rows
    out = np.empty((last - first, slices, across), np.int16)
    step = max(1, _READ_BYTES // (rows * columns * 2))
    for k in range(0, slices, step):
        part = slab(series, k, min(step, slices - k))
        if axis == 1:
            out[:, k : k + len(part)] = part[:, first:last, :].transpose(1, 0, 2)
        else:
            out[:, k : k + len(part)] = part[:, :, first:last].transpose(2, 0, 1)
    return Cut(first, out)


def picture(
    series: Series, axis: int, number: int, window: tuple[float, float], *, inverted: bool = False, size: int = 0
) -> bytes:
    """One slice as an 8-bit grey PNG. `window` is (width, level) in the volume's unit; the grey is linear as in the
    browser's shader. `size` is the longest edge in px; 0 or more than the slice has leaves it as it is."""
    from PIL import Image

    volume = series.volume or {}
    width, level = window
    stored = stored_slice(series, axis, number).astype(np.float32)
    values = stored * np.float32(volume.get("slope", 1.0)) + np.float32(volume.get("intercept", 0.0))
    grey = np.clip((values - (level - width / 2)) / width, 0.0, 1.0)
    if inverted:
        grey = 1 - grey
    image = Image.fromarray((grey * 255 + 0.5).astype(np.uint8))
    longest = max(image.size)
    if 0 < size < longest:
        scale = size / longest
        wanted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(wanted, Image.Resampling.BOX)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
