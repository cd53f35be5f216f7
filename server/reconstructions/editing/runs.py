"""Sets of voxels, and what became of them, as runs along the fastest axis.

A voxel (k, j, i) of a grid (K, J, I) has the flat index (k*J + j)*I + i. All numbers are unsigned LEB128 varints (seven
bits a byte, lowest first, the eighth says that more follow):

    spans    repeated (gap, length): gap from the end of the span before, from 0 for the first
    effect   repeated (gap, length, label): these voxels have this label now
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 5  # of one varint: flat indices stay below 2**35
WINDOW = 1 << 22  # voxels that are looked at one by one at a time: a stroke may cover the whole volume


@dataclass(frozen=True)
class Spans:
    """Ascending runs that do not overlap; `starts` and `lengths` int64."""

    starts: NDArray
    lengths: NDArray

    @property
    def count(self) -> int:
        return int(self.lengths.sum())

    def indices(self) -> NDArray:
        """Every flat index, ascending, int64."""
        return expand(self.starts, self.lengths)

    def within(self, low: int, high: int) -> Spans:
        """The part in [low, high)."""
        ends = self.starts + self.lengths
        some = slice(np.searchsorted(ends, low, "right"), np.searchsorted(self.starts, high, "left"))
        starts = np.maximum(self.starts[some], low)
        return Spans(starts, np.minimum(ends[some], high) - starts)

    def windows(self) -> Iterator[tuple[int, int]]:
        """[low, high) of at most WINDOW voxels, as far as there are any."""
        if len(self.starts):
            end = int(self.starts[-1] + self.lengths[-1])
            for low in range(int(self.starts[0]), end, WINDOW):
                yield low, min(low + WINDOW, end)

    def overlap(self, other: Spans) -> int:
        """How many voxels both have."""
        if not len(self.starts) or not len(other.starts):
            return 0
        covered = np.concatenate([[0], np.cumsum(other.lengths)])

        def before(places: NDArray) -> NDArray:
            run = np.searchsorted(other.starts, places, "right")
            last = np.maximum(run - 1, 0)
            inside = np.where(run > 0, np.minimum(places - other.starts[last], other.lengths[last]), 0)
            return covered[last] * (run > 0) + inside

        return int((before(self.starts + self.lengths) - before(self.starts)).sum())

    def contains(self, indices: NDArray) -> NDArray:
        """Which of the ascending or unordered flat indices lie in a run."""
        if not len(self.starts):
            return np.zeros(len(indices), bool)
        place = np.searchsorted(self.starts, indices, "right") - 1
        inside = place >= 0
        place[~inside] = 0
        return inside & (indices < self.starts[place] + self.lengths[place])

    def box(self, shape: tuple[int, int, int]) -> list[int] | None:
        """[k0, j0, i0, k1, j1, i1], half-open; None for no voxel. Runs over several rows take the whole row."""
        if not len(self.starts):
            return None
        rows, plane = shape[2], shape[1] * shape[2]
        last = self.starts + self.lengths - 1
        k0, k1 = int(self.starts[0] // plane), int(last[-1] // plane)
        if bool((self.starts // plane != last // plane).any()):
            return [k0, 0, 0, k1 + 1, shape[1], shape[2]]
        j0 = int((self.starts % plane // rows).min())
        j1 = int((last % plane // rows).max())
        if bool((self.starts // rows != last // rows).any()):
            return [k0, j0, 0, k1 + 1, j1 + 1, shape[2]]
        return [k0, j0, int((self.starts % rows).min()), k1 + 1, j1 + 1, int((last % rows).max()) + 1]


@dataclass(frozen=True)
class Effect:
    """Runs with the label each has now; `labels` uint8."""

    starts: NDArray
    lengths: NDArray
    labels: NDArray

    @property
    def count(self) -> int:
        return int(self.lengths.sum())

    @property
    def where(self) -> Spans:
        return Spans(self.starts, self.lengths)

    def apply(self, flat: NDArray) -> None:
        """Write it into a flat uint8 labelmap."""
        for first, last in _parts(self.lengths):
            starts, lengths, labels = (a[first:last] for a in (self.starts, self.lengths, self.labels))
            if last - first == 1:
                flat[starts[0] : starts[0] + lengths[0]] = labels[0]
            else:
                flat[expand(starts, lengths)] = np.repeat(labels, lengths)


def expand(starts: NDArray, lengths: NDArray) -> NDArray:
    """starts and lengths -> every index, int64."""
    total = int(lengths.sum())
    if not total:
        return np.zeros(0, np.int64)
    before = np.cumsum(lengths) - lengths
    return np.arange(total, dtype=np.int64) + np.repeat(starts - before, lengths)


def _parts(lengths: NDArray) -> Iterator[tuple[int, int]]:
    """Ranges of runs with about WINDOW voxels each; a longer run stands alone."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        done = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, done + WINDOW, "right")), first + 1)
        yield first, last
        first = last


def union(several: Sequence[Spans]) -> Spans:
    """The voxels that any of them has."""
    starts = np.concatenate([one.starts for one in several] or [np.zeros(0, np.int64)])
    ends = np.concatenate([one.starts + one.lengths for one in several] or [np.zeros(0, np.int64)])
    if not len(starts):
        return Spans(starts, ends)
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    begins = np.concatenate([[True], starts[1:] > reach[:-1]])
    lasts = np.append(np.flatnonzero(begins)[1:] - 1, len(starts) - 1)
    return Spans(starts[begins], reach[lasts] - starts[begins])


def joined(several: Sequence[Effect]) -> Effect:
    """Effects of ascending, separate windows as one."""
    if len(several) == 1:
        return several[0]
    if not several:
        return Effect(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))
    return Effect(
        *(np.concatenate([getattr(one, name) for one in several]) for name in ("starts", "lengths", "labels"))
    )


def spans_of(indices: NDArray) -> Spans:
    """Ascending, unrepeated flat indices -> runs."""
    begins = _begins(indices)
    lengths = np.diff(np.append(begins, len(indices)))
    return Spans(indices[begins].astype(np.int64), lengths.astype(np.int64))


def effect_of(indices: NDArray, labels: NDArray) -> Effect:
    """Ascending, unrepeated flat indices with a label each -> runs."""
    begins = _begins(indices, labels)
    lengths = np.diff(np.append(begins, len(indices)))
    return Effect(indices[begins].astype(np.int64), lengths.astype(np.int64), labels[begins].astype(np.uint8))


def _begins(indices: NDArray, labels: NDArray | None = None) -> NDArray:
    if not len(indices):
        return np.zeros(0, np.int64)
    breaks = np.diff(indices) != 1
    if labels is not None:
        breaks |= np.diff(labels.astype(np.int16)) != 0
    return np.concatenate([[0], np.flatnonzero(breaks) + 1])


# --- bytes --------------------------------------------------------------------------------------------------------


def pack_spans(spans: Spans) -> bytes:
    return _pack(np.stack([_gaps(spans.starts, spans.lengths), spans.lengths], axis=1))


def pack_effect(effect: Effect) -> bytes:
    gaps = _gaps(effect.starts, effect.lengths)
    return _pack(np.stack([gaps, effect.lengths, effect.labels.astype(np.int64)], axis=1))


def unpack_spans(data: bytes, voxels: int) -> Spans:
    """Raises ValueError for bytes that are no spans of a grid with so many voxels."""
    starts, lengths, _rest = _runs(data, 2, voxels)
    return Spans(starts, lengths)


def unpack_effect(data: bytes, voxels: int) -> Effect:
    """Raises ValueError for bytes that are no effect on a grid with so many voxels."""
    starts, lengths, rest = _runs(data, 3, voxels)
    labels = rest[:, 0]
    if len(labels) and int(labels.max()) > 255:
        raise ValueError("a label is larger than 255")
    return Effect(starts, lengths, labels.astype(np.uint8))


def _gaps(starts: NDArray, lengths: NDArray) -> NDArray:
    ends = np.concatenate([[0], (starts + lengths)[:-1]]) if len(starts) else starts
    return starts - ends


def _pack(rows: NDArray) -> bytes:
    values = rows.ravel().astype(np.int64)
    if not len(values):
        return b""
    sizes = np.ones(len(values), np.int64)
    for more in range(1, MOST_BYTES):
        sizes += values >= 1 << 7 * more
    ends = np.cumsum(sizes)
    out = np.zeros(int(ends[-1]), np.uint8)
    begins = ends - sizes
    for place in range(MOST_BYTES):
        here = sizes > place
        piece = (values[here] >> 7 * place) & 0x7F
        out[begins[here] + place] = piece | np.where(sizes[here] > place + 1, 0x80, 0)
    return out.tobytes()


def _runs(data: bytes, columns: int, voxels: int) -> tuple[NDArray, NDArray, NDArray]:
    rows = _unpack(data, columns)
    gaps, lengths = rows[:, 0], rows[:, 1]
    if len(lengths) and int(lengths.min()) < 1:
        raise ValueError("a run is empty")
    ends = np.cumsum(gaps + lengths)
    if len(ends) and (int(ends[-1]) > voxels or bool((rows[:, :2] > voxels).any())):
        raise ValueError("a run leaves the volume")
    return ends - lengths, lengths, rows[:, 2:]


def _unpack(data: bytes, columns: int) -> NDArray:
    raw = np.frombuffer(data, np.uint8)
    if not len(raw):
        return np.zeros((0, columns), np.int64)
    last = raw < 0x80
    if not last[-1]:
        raise ValueError("the bytes end inside a number")
    ends = np.flatnonzero(last)
    begins = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - begins + 1
    if int(sizes.max()) > MOST_BYTES:
        raise ValueError("a number is too long")
    places = np.arange(len(raw)) - np.repeat(begins, sizes)
    values = np.add.reduceat((raw & 0x7F).astype(np.int64) << 7 * places, begins)
    if len(values) % columns:
        raise ValueError("the numbers do not come in whole runs")
    return values.reshape(-1, columns)
