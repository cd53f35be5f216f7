"""Runs of voxels: bytes of the contract, and what steps do to labels, against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from server.reconstructions.editing import runs, steps
from server.reconstructions.editing.steps import Layer, Step

SHAPE = (4, 5, 6)
VOXELS = 120


def some(seed: int, count: int = 30) -> np.ndarray:
    return np.unique(np.random.default_rng(seed).integers(0, VOXELS, count))


def test_bytes_are_those_of_the_contract() -> None:
    where = np.array([5, 6, 7, 10])
    assert runs.pack_spans(runs.spans_of(where)).hex() == "05030201"
    assert runs.pack_effect(runs.effect_of(where, np.full(4, 2, np.uint8))).hex() == "050302020102"
    wide = runs.spans_of(np.array([300, 70_000]))
    assert runs.pack_spans(wide).hex() == "ac0201" + "c3a00401"  # 300, then a gap of 70000 - 301 = 69699


def test_they_come_back_equal() -> None:
    for seed in range(20):
        indices = some(seed)
        labels = np.random.default_rng(seed).integers(0, 256, len(indices)).astype(np.uint8)
        assert (runs.unpack_spans(runs.pack_spans(runs.spans_of(indices)), VOXELS).indices() == indices).all()
        flat = np.zeros(VOXELS, np.uint8)
        runs.unpack_effect(runs.pack_effect(runs.effect_of(indices, labels)), VOXELS).apply(flat)
        assert (flat[indices] == labels).all()
        assert flat.sum() == labels.sum()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes([5]), "whole runs"),
        (bytes([5, 0]), "empty"),
        (bytes([0x80]), "inside a number"),
        (bytes([0x80] * 6 + [1]), "too long"),
        (bytes([120, 1]), "leaves the volume"),
        (bytes([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), "leaves the volume"),
    ],
)
def test_wrong_bytes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        runs.unpack_spans(data, VOXELS)


def test_membership_and_box() -> None:
    for seed in range(20):
        indices = some(seed)
        spans = runs.spans_of(indices)
        assert (spans.contains(np.arange(VOXELS)) == np.isin(np.arange(VOXELS), indices)).all()
        k, j, i = np.unravel_index(indices, SHAPE)
        box = spans.box(SHAPE)
        assert box is not None
        for axis, places in enumerate((k, j, i)):
            assert box[axis] <= places.min()
            assert places.max() < box[axis + 3]
    assert runs.spans_of(np.array([7, 8])).box(SHAPE) == [0, 1, 1, 1, 2, 3]
    assert runs.spans_of(np.zeros(0, np.int64)).box(SHAPE) is None


def test_parts_unions_and_overlaps() -> None:
    for seed in range(20):
        a, b = some(seed), some(seed + 500)
        first, second = runs.spans_of(a), runs.spans_of(b)
        assert (first.within(17, 83).indices() == a[(a >= 17) & (a < 83)]).all()
        assert first.overlap(second) == len(np.intersect1d(a, b)) == second.overlap(first)
        assert (runs.union([first, second]).indices() == np.union1d(a, b)).all()
    assert runs.union([]).count == 0


def random_step(seed: int) -> Step:
    chance = np.random.default_rng(seed)
    if seed % 5 == 4:
        return Step(mapping={int(chance.integers(1, 4)): int(chance.integers(0, 4))})
    over = None if seed % 2 else tuple(int(n) for n in np.unique(chance.integers(0, 4, 2)))
    return Step((Layer(int(chance.integers(0, 4)), runs.spans_of(some(seed + 99)), over),))


def plain(step: Step, labels: np.ndarray) -> np.ndarray:
    """The same, one voxel after another."""
    out = labels.copy()
    for layer in step.layers:
        for index in layer.spans.indices():
            if layer.over is None or out[index] in layer.over:
                out[index] = layer.label
    for index, value in enumerate(out):
        out[index] = step.mapping.get(int(value), int(value))
    return out


@pytest.mark.parametrize("window", [7, 1 << 22])
def test_steps_do_what_they_say_and_come_back_from_bytes(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "WINDOW", window)
    monkeypatch.setattr(steps, "WINDOW", window)
    base = np.random.default_rng(0).integers(0, 4, VOXELS).astype(np.uint8)
    for seed in range(40):
        step = steps.unpack_step(steps.pack_step(random_step(seed)), VOXELS)
        wanted = plain(step, base)
        effect, before = step.effect_on(base)
        after = base.copy()
        effect.apply(after)
        assert (after == wanted).all()
        assert (step.over(base.copy()) == wanted).all()
        assert effect.count == int((base != wanted).sum())
        before.apply(after)
        assert (after == base).all()
        moved = sum(steps.tally(before, effect).values())
        assert moved == effect.count


def test_looking_again_at_its_own_voxels_is_enough_to_take_a_step_back() -> None:
    """The rule the whole design stands on: any step of many can go, and only where it spoke can anything change."""
    base = np.random.default_rng(1).integers(0, 4, VOXELS).astype(np.uint8)
    for seed in range(30):
        chosen = [random_step(seed * 10 + n) for n in range(6)]
        with_all = steps.replay(base, chosen)
        gone = seed % 6
        rest = chosen[:gone] + chosen[gone + 1 :]
        truth = steps.replay(base, rest)
        if chosen[gone].mapping:
            continue  # it speaks of the whole volume
        indices = chosen[gone].touches().indices()
        patched = with_all.copy()
        patched[indices] = steps.replay_at(base, indices, rest)
        assert (patched == truth).all()
