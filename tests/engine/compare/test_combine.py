"""Union, majority and STAPLE on readers whose performance is known, and STAPLE against a second implementation."""

from __future__ import annotations

import numpy as np
import pytest

import recon_engine
from recon_engine.contract import CombineRequest, CombineResult, EngineError
from tests.engine.compare.test_compare import balls, grid_of, write_piece

GRID = grid_of((40, 40, 40), (1.0, 1.0, 1.0))


def combined(folder, maps, method, **more) -> tuple[CombineResult, np.ndarray]:
    paths = tuple(write_piece(folder / f"reader-{n}", one, GRID) for n, one in enumerate(maps))
    result = recon_engine.combine(CombineRequest(labelmaps=paths, method=method, out=str(folder / "out"), **more))
    return result, np.fromfile(folder / "out" / "labelmap.u8", np.uint8).reshape(GRID.shape)


def readers(truth: np.ndarray, performances: list[tuple[float, float]], seed: int = 4) -> list[np.ndarray]:
    """Readers who hit each voxel of the truth with a sensitivity, and spare each other one with a specificity."""
    rng = np.random.default_rng(seed)
    return [
        np.where(truth, rng.uniform(size=truth.shape) < p, rng.uniform(size=truth.shape) > q).astype(np.uint8)
        for p, q in performances
    ]


def test_union_takes_what_anybody_has_and_majority_what_most_have(tmp_path):
    a, b, c = (balls(GRID, ((x, 0, 0), 10)) for x in (-4, 0, 4))
    result, union = combined(tmp_path / "union", (a, b, c), "union")
    assert np.array_equal(union, a | b | c)
    assert result.voxels == {"1": int((a | b | c).sum())}
    _, most = combined(tmp_path / "majority", (a, b, c), "majority")
    assert np.array_equal(most, (a + b + c >= 2).astype(np.uint8))
    _, both = combined(tmp_path / "two", (a, b), "majority")
    assert np.array_equal(both, a & b)  # half is no majority


def test_a_voxel_two_segments_claim_goes_to_the_one_with_more_votes(tmp_path):
    a, b, c = (balls(GRID, ((0, 0, 0), 10), number=n) for n in (2, 2, 5))
    result, union = combined(tmp_path / "votes", (a, b, c), "union")
    assert set(np.unique(union)) == {0, 2}
    assert result.voxels["5"] == 0
    _, tied = combined(tmp_path / "tie", (b, c), "union")
    assert set(np.unique(tied)) == {0, 2}


def test_staple_finds_the_truth_and_how_well_each_reader_found_it(tmp_path):
    truth = balls(GRID, ((0, 0, 0), 14)) == 1
    performances = [(0.95, 0.98), (0.90, 0.95), (0.80, 0.99), (0.70, 0.90)]
    maps = readers(truth, performances)
    result, found = combined(tmp_path, maps, "staple")
    dice = 2 * ((found == 1) & truth).sum() / ((found == 1).sum() + truth.sum())
    assert dice > 0.97
    majority = 2 * ((np.sum(maps, 0) > 2) & truth).sum() / ((np.sum(maps, 0) > 2).sum() + truth.sum())
    assert dice > majority
    for told, (p, q) in zip(result.performances, performances, strict=True):
        assert told.sensitivity == pytest.approx(p, abs=0.01)
        assert told.specificity == pytest.approx(q, abs=0.01)


def test_staple_agrees_with_simpleitk():
    sitk = pytest.importorskip("SimpleITK")
    from recon_engine.comparing.combining import staple

    truth = balls(GRID, ((0, 0, 0), 12)) == 1
    maps = readers(truth, [(0.9, 0.97), (0.85, 0.99), (0.75, 0.93)], seed=9)
    said = (np.arange(8)[:, None] >> np.arange(3)) & 1
    patterns = sum(one.astype(int) << n for n, one in enumerate(maps))
    chance, p, q = staple(said, np.bincount(patterns.ravel(), minlength=8))
    theirs = sitk.STAPLEImageFilter()
    theirs.SetForegroundValue(1)
    theirs.SetMaximumIterations(500)
    answer = sitk.GetArrayFromImage(theirs.Execute([sitk.GetImageFromArray(one) for one in maps]))
    assert np.abs(chance[patterns] - answer).max() < 1e-3
    assert p == pytest.approx(np.array(theirs.GetSensitivity()), abs=1e-3)
    assert q == pytest.approx(np.array(theirs.GetSpecificity()), abs=1e-3)


def test_readers_who_agree_get_what_they_agree_on(tmp_path):
    one = balls(GRID, ((0, 0, 0), 9), number=3)
    result, found = combined(tmp_path, (one, one, one), "staple")
    assert np.array_equal(found, one)
    assert all(told.sensitivity > 0.999 and told.specificity > 0.999 for told in result.performances)


def test_only_the_segments_asked_for_and_only_on_one_grid(tmp_path):
    one = balls(GRID, ((-10, 0, 0), 6), number=1)
    balls(GRID, ((10, 0, 0), 6), number=2, out=one)
    result, found = combined(tmp_path / "some", (one, one), "majority", segments=(2, 7))
    assert (set(np.unique(found)), set(result.voxels)) == ({0, 2}, {"2"})
    a = write_piece(tmp_path / "a", one, GRID)
    other = grid_of((20, 20, 20), (2.0, 2.0, 2.0))
    b = write_piece(tmp_path / "b", np.zeros(other.shape, np.uint8), other)
    for paths, method in (((a, b), "union"), ((a,), "union"), ((a, a), "mean")):
        with pytest.raises(EngineError) as refused:
            recon_engine.combine(CombineRequest(labelmaps=paths, method=method, out=str(tmp_path / "no")))
        assert refused.value.code == "bad_request"
