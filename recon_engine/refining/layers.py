"""What a prompt comes to: voxels and the label they shall have, one layer after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.pieces import Piece
from recon_engine.volume import Volume


@dataclass(frozen=True)
class Change:
    """Set `label` where `mask` (k, j, i) bool is true and one of `over` is now (None: whatever is)."""

    label: int
    mask: NDArray
    over: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Layers:
    """`facts` are numbers a person may want to know, such as how many pieces there were."""

    changes: Sequence[Change]
    facts: Mapping[str, Any] = field(default_factory=dict)


def nothing(sentence: str) -> EngineError:
    """There is nothing to change, and why."""
    return EngineError("nothing_to_do", sentence)


def mask_of(piece: Piece, prompt: Mapping[str, Any]) -> NDArray:
    """Where the prompt's segment is. Raises EngineError where it has no voxel."""
    mask = np.asarray(piece.labelmap.voxels == int(prompt["segment"]))
    if not mask.any():
        raise nothing("The segment is empty. Draw in it first.")
    return mask


def image_of(piece: Piece, prompt: Mapping[str, Any]) -> Volume:
    if piece.image is None:
        raise EngineError("bad_request", f"The prompt {prompt['kind']!r} needs the image. Name it.")
    return piece.image


def over_of(prompt: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Which labels may be overwritten; where nothing is said, only empty voxels."""
    over = prompt.get("over", [0])
    return None if over is None else tuple(int(n) for n in over)


def in_range(image: Volume, wanted: Sequence[float]) -> NDArray:
    return np.asarray((image.voxels >= wanted[0]) & (image.voxels <= wanted[1]))
