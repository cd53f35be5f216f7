"""What one operation does to labels. Every operation is pointwise: the label a voxel gets depends on the voxel and on
the label it has, never on its neighbours. So taking one back means looking again at its own voxels only, whoever
painted before, after or over them."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from server.reconstructions.editing.runs import (
    WINDOW,
    Effect,
    Spans,
    effect_of,
    joined,
    pack_spans,
    union,
    unpack_spans,
)


@dataclass(frozen=True)
class Layer:
    """Set `label` in `spans`, where one of `over` is now (None: whatever is)."""

    label: int
    spans: Spans
    over: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Step:
    """Layers in order, or `mapping` old label -> new label over the whole volume."""

    layers: Sequence[Layer] = ()
    mapping: Mapping[int, int] = field(default_factory=dict)

    def touches(self) -> Spans:
        """The voxels the layers speak of."""
        return self.layers[0].spans if len(self.layers) == 1 else union([layer.spans for layer in self.layers])

    def at(self, indices: NDArray, labels: NDArray) -> NDArray:
        """The labels that voxels with `labels` have after it. `indices` flat, `labels` uint8."""
        out = labels.copy()
        for layer in self.layers:
            here = layer.spans.contains(indices) & _allowed(layer.over)[out]
            out[here] = layer.label
        return _table(self.mapping)[out] if self.mapping else out

    def over(self, flat: NDArray) -> NDArray:
        """The whole flat labelmap after it; `flat` may be changed and returned."""
        for layer in self.layers:
            for low, high in layer.spans.windows():
                indices = layer.spans.within(low, high).indices()
                flat[indices[_allowed(layer.over)[flat[indices]]]] = layer.label
        return _table(self.mapping)[flat] if self.mapping else flat

    def effect_on(self, flat: NDArray) -> tuple[Effect, Effect]:
        """(effect, its inverse) on the flat labelmap as it is; neither is written into it."""
        if self.mapping:
            moved = np.zeros(256, bool)
            moved[[old for old, new in self.mapping.items() if old != new]] = True
            whole = Spans(np.zeros(1, np.int64), np.array([len(flat)]))
            return effects_in(
                whole,
                lambda low, high: low + np.flatnonzero(moved[flat[low:high]]),
                lambda indices: (flat[indices], self.at(indices, flat[indices])),
            )
        touched = self.touches()
        return effects_in(
            touched,
            lambda low, high: touched.within(low, high).indices(),
            lambda indices: (flat[indices], self.at(indices, flat[indices])),
        )


def effects_in(
    where: Spans, indices_in: Callable[[int, int], NDArray], labels_at: Callable[[NDArray], tuple[NDArray, NDArray]]
) -> tuple[Effect, Effect]:
    """(effect, its inverse), window by window: `labels_at` gives labels (before, after) of ascending flat indices."""
    pairs = []
    for low, high in where.windows():
        indices = indices_in(low, high)
        if len(indices):
            pairs.append(difference(indices, *labels_at(indices)))
    return joined([effect for effect, _ in pairs]), joined([before for _, before in pairs])


def between(flat: NDArray, wanted: NDArray) -> tuple[Effect, Effect]:
    """(effect, its inverse) that make one flat labelmap another."""
    whole = Spans(np.zeros(1, np.int64), np.array([len(flat)]))
    return effects_in(
        whole,
        lambda low, high: low + np.flatnonzero(flat[low:high] != wanted[low:high]),
        lambda indices: (flat[indices], wanted[indices]),
    )


def difference(indices: NDArray, before: NDArray, after: NDArray) -> tuple[Effect, Effect]:
    """(effect, its inverse) of ascending flat indices whose labels were `before` and shall be `after`."""
    changed = before != after
    indices = indices[changed]
    return effect_of(indices, after[changed]), effect_of(indices, before[changed])


def replay_at(base: NDArray, indices: NDArray, steps: Iterable[Step]) -> NDArray:
    """Labels at some voxels: the base's, then every step in order."""
    labels = base[indices]
    for step in steps:
        labels = step.at(indices, labels)
    return labels


def replay(base: NDArray, steps: Iterable[Step]) -> NDArray:
    """The whole flat labelmap: a copy of the base, then every step in order."""
    flat = base.copy()
    for step in steps:
        flat = step.over(flat)
    return flat


def tally(before: Effect, after: Effect) -> dict[tuple[int, int], int]:
    """{(old label, new label): voxels} of an effect and its inverse."""
    old = np.repeat(before.labels.astype(np.uint16) << 8, before.lengths)
    codes = old | np.repeat(after.labels.astype(np.uint16), after.lengths)
    counts = np.zeros(65536, np.int64)
    for low in range(0, len(codes), WINDOW):
        counts += np.bincount(codes[low : low + WINDOW], minlength=65536)
    return {(int(code) >> 8, int(code) & 255): int(counts[code]) for code in np.flatnonzero(counts)}


# --- bytes --------------------------------------------------------------------------------------------------------


def pack_step(step: Step) -> bytes:
    """A header in JSON with its length (4 bytes, little-endian) before it, then the spans of each layer."""
    spans = [pack_spans(layer.spans) for layer in step.layers]
    header = {
        "layers": [
            {"label": layer.label, "over": layer.over, "bytes": len(data)}
            for layer, data in zip(step.layers, spans, strict=True)
        ],
        "mapping": {str(old): new for old, new in step.mapping.items()},
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *spans])


def unpack_step(data: bytes, voxels: int) -> Step:
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    layers, place = [], 4 + length
    for one in header["layers"]:
        spans = unpack_spans(data[place : place + one["bytes"]], voxels)
        layers.append(Layer(one["label"], spans, None if one["over"] is None else tuple(one["over"])))
        place += one["bytes"]
    return Step(tuple(layers), {int(old): new for old, new in header["mapping"].items()})


def spans_from_text(text: str, voxels: int) -> Spans:
    """Base64 of spans as a browser sends them. Raises ValueError."""
    return unpack_spans(base64.b64decode(text, validate=True), voxels)


def _allowed(over: tuple[int, ...] | None) -> NDArray:
    allowed = np.ones(256, bool)
    if over is not None:
        allowed[:] = False
        allowed[list(over)] = True
    return allowed


def _table(mapping: Mapping[int, int]) -> NDArray:
    table = np.arange(256, dtype=np.uint8)
    for old, new in mapping.items():
        table[old] = new
    return table
