"""Scores against truth: known by hand, by scipy's rank statistics, or by how the numbers were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from recon_engine import scores


def drawn(count: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    truth = dice.random(count) < 0.3
    return np.round(dice.normal(truth * 1.2, 1.0), 1), truth  # rounded, so that many scores are equal


def test_auc_is_the_rank_statistic_with_half_for_ties() -> None:
    from scipy.stats import mannwhitneyu

    score, truth = drawn()
    other = mannwhitneyu(score[truth], score[~truth]).statistic / (truth.sum() * (~truth).sum())
    assert scores.auc(score, truth) == pytest.approx(other, abs=1e-12)
    assert scores.auc([1, 2, 3, 4], [0, 0, 1, 1]) == 1.0
    assert scores.auc([1, 1, 1], [0, 1, 0]) == 0.5
    assert scores.auc([3, 1], [0, 1]) == 0.0
    assert scores.auc([1, 2], [1, 1]) is None


def test_threshold_counts_by_hand() -> None:
    score, truth = [0.1, 0.4, 0.5, 0.5, 0.9], [0, 1, 0, 1, 1]
    assert scores.at_threshold(score, truth, 0.5) == {
        "sensitivity": pytest.approx(2 / 3),
        "specificity": 0.5,
        "accuracy": pytest.approx(3 / 5),
    }


@pytest.mark.parametrize("wanted", [0.0, 0.5, 0.8, 0.95, 1.0])
def test_threshold_keeps_the_specificity_and_is_the_lowest_that_does(wanted: float) -> None:
    score, truth = drawn()
    threshold = scores.threshold_for(score, truth, specificity=wanted)
    assert scores.at_threshold(score, truth, threshold)["specificity"] >= wanted
    lower = score[~truth][score[~truth] < threshold]
    if len(lower):
        assert scores.at_threshold(score, truth, lower.max())["specificity"] < wanted


def test_intervals_hold_the_value_repeat_and_widen_with_patients_of_like_slices() -> None:
    score, truth = drawn()
    alone = scores.with_interval(scores.auc, score, truth, repeats=400)
    assert alone.low < alone.value < alone.high
    assert alone == scores.with_interval(scores.auc, score, truth, repeats=400)
    # Every case eight times over is no more evidence: drawn by patient the interval stays, drawn by slice it shrinks.
    patients = np.repeat(np.arange(len(score)), 8)
    grouped = scores.with_interval(scores.auc, np.repeat(score, 8), np.repeat(truth, 8), patients, repeats=400)
    naive = scores.with_interval(scores.auc, np.repeat(score, 8), np.repeat(truth, 8), repeats=200)
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert naive.high - naive.low < 0.6 * (alone.high - alone.low)


def test_interval_covers_the_true_auc_about_as_often_as_it_says() -> None:
    from scipy.stats import norm

    true_auc = norm.cdf(1.0 / np.sqrt(2))
    hits = 0
    for seed in range(60):
        dice = np.random.default_rng(seed)
        truth = np.arange(120) < 60
        found = scores.with_interval(scores.auc, dice.normal(truth * 1.0, 1.0), truth, repeats=200, seed=seed)
        hits += found.low <= true_auc <= found.high
    assert hits >= 50  # 95 % of 60 are 57; fewer than 50 has a chance below one in a thousand


def test_calibration_error_of_the_honest_the_sure_and_the_shy() -> None:
    dice = np.random.default_rng(3)
    chance = dice.random(20_000)
    truth = dice.random(20_000) < chance
    assert scores.calibration_error(chance, truth) < 0.02
    assert scores.calibration_error([0.95] * 10, [1] * 5 + [0] * 5) == pytest.approx(0.45)
    assert scores.calibration_error([1.0, 0.0], [1, 0]) == 0.0  # 1.0 lies in the last bin, not beyond it
    assert scores.brier([0.5, 1.0], [1, 1]) == pytest.approx(0.125)
    with pytest.raises(ValueError, match="between 0 and 1"):
        scores.calibration([1.2], [1])


def test_temperature_is_found_again_and_mends_the_calibration() -> None:
    dice = np.random.default_rng(4)
    honest = dice.normal(0, 2, 20_000)
    truth = dice.random(20_000) < 1 / (1 + np.exp(-honest))
    loud = honest * 2.5
    found = scores.temperature_for(loud, truth)
    assert found == pytest.approx(2.5, rel=0.03)
    before = scores.calibration_error(1 / (1 + np.exp(-loud)), truth)
    after = scores.calibration_error(1 / (1 + np.exp(-loud / found)), truth)
    assert after < 0.02 < 0.05 < before
    with pytest.raises(ValueError, match="with and without"):
        scores.temperature_for([1, 2], [1, 1])


def test_what_cannot_be_scored_is_named() -> None:
    with pytest.raises(ValueError, match="2 scores do not belong to 1"):
        scores.auc([1, 2], [1])
    with pytest.raises(ValueError, match="finite"):
        scores.auc([np.nan, 1], [1, 0])
