"""How well scores tell cases with a finding from cases without: AUC, sensitivity and specificity, calibration.

`scores` (N,) are higher where the finding is likelier; `truth` (N,) is bool. Intervals are percentiles of a bootstrap
over groups (patients): slices of one patient are drawn together, because they are not independent. Checked in the tests
against rank statistics of scipy and against counting by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEFINITIONS: dict[str, str] = {
    "auc": "AUC: the chance that a case with the finding scores above one without; ties count half",
    "sensitivity": "Sensitivity: cases with the finding that score at or above the threshold / all with it",
    "specificity": "Specificity: cases without the finding that score below the threshold / all without it",
    "accuracy": "Accuracy: cases on the right side of the threshold / all cases",
    "ece": "Expected calibration error: mean over 10 bins of equal width of |share with the finding - mean "
    "probability|, weighted by the cases in each bin",
    "brier": "Brier score: mean of (probability - truth) squared",
}


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval. None: not defined, because one of the two classes is empty."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def _both(scores: ArrayLike, truth: ArrayLike) -> tuple[NDArray, NDArray]:
    """As arrays. Raises ValueError for lengths that differ or a score that is no number."""
    score, true = np.asarray(scores, np.float64).ravel(), np.asarray(truth, bool).ravel()
    if score.shape != true.shape:
        raise ValueError(f"{len(score)} scores do not belong to {len(true)} answers")
    if not np.isfinite(score).all():
        raise ValueError("a score is not a finite number")
    return score, true


def auc(scores: ArrayLike, truth: ArrayLike) -> float | None:
    """Area under the ROC curve as the rank statistic (Hanley and McNeil 1982); None with one class only."""
    score, true = _both(scores, truth)
    positive = int(true.sum())
    negative = len(true) - positive
    if not positive or not negative:
        return None
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    upto = np.cumsum(count)
    ranks = (upto - (count - 1) / 2)[place]  # the mean rank of equal scores
    return float((ranks[true].sum() - positive * (positive + 1) / 2) / (positive * negative))


def at_threshold(scores: ArrayLike, truth: ArrayLike, threshold: float) -> dict[str, float | None]:
    """Sensitivity, specificity and accuracy with "score >= threshold" read as the finding."""
    score, true = _both(scores, truth)
    said = score >= threshold
    return {
        "sensitivity": float(said[true].mean()) if true.any() else None,
        "specificity": float((~said[~true]).mean()) if (~true).any() else None,
        "accuracy": float((said == true).mean()) if len(true) else None,
    }


def threshold_for(scores: ArrayLike, truth: ArrayLike, *, specificity: float) -> float:
    """The lowest threshold that keeps at least this specificity on these cases.

    Choose it on cases that are not the ones reported. Raises ValueError where no case is without the finding.
    """
    score, true = _both(scores, truth)
    without = np.sort(score[~true])
    if not len(without):
        raise ValueError("a specificity needs cases without the finding")
    allowed = int(np.floor((1 - specificity) * len(without) + 1e-9))  # false alarms that may be
    if allowed >= len(without):
        return float(without[0])
    return float(np.nextafter(without[len(without) - 1 - allowed], np.inf))


def with_interval(
    measure: Callable[[NDArray, NDArray], float | None],
    scores: ArrayLike,
    truth: ArrayLike,
    groups: Sequence[object] | None = None,
    *,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
) -> Measured:
    """`measure(scores, truth)` with its bootstrap interval over `groups` (None: every case is its own).

    Draws in which the measure is not defined are left out. Equal seeds give equal intervals.
    """
    score, true = _both(scores, truth)
    value = measure(score, true)
    if value is None:
        return Measured(None, None, None, len(true))
    names = np.arange(len(true)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == group) for group in range(int(names.max()) + 1)]
    dice = np.random.default_rng(seed)
    drawn = []
    for _ in range(repeats):
        chosen = np.concatenate([members[g] for g in dice.integers(0, len(members), len(members))])
        again = measure(score[chosen], true[chosen])
        if again is not None:
            drawn.append(again)
    low, high = np.percentile(drawn, [50 * (1 - level), 50 * (1 + level)])
    return Measured(float(value), float(low), float(high), len(true))


def calibration(probabilities: ArrayLike, truth: ArrayLike, bins: int = 10) -> list[dict[str, float]]:
    """Reliability per bin of equal width that holds a case: its mean probability, share with the finding, cases.

    Raises ValueError for a probability outside 0 to 1.
    """
    chance, true = _both(probabilities, truth)
    if len(chance) and (chance.min() < 0 or chance.max() > 1):
        raise ValueError("a probability lies between 0 and 1")
    place = np.minimum((chance * bins).astype(int), bins - 1)
    return [
        {"probability": float(chance[here].mean()), "share": float(true[here].mean()), "cases": int(here.sum())}
        for here in (place == number for number in range(bins))
        if here.any()
    ]


def calibration_error(probabilities: ArrayLike, truth: ArrayLike, bins: int = 10) -> float | None:
    """Expected calibration error (Naeini et al. 2015), 0 to 1; None without cases."""
    rows = calibration(probabilities, truth, bins)
    cases = sum(row["cases"] for row in rows)
    if not cases:
        return None
    return float(sum(row["cases"] * abs(row["share"] - row["probability"]) for row in rows) / cases)


def brier(probabilities: ArrayLike, truth: ArrayLike) -> float | None:
    """Brier score (1950), 0 is best; None without cases."""
    chance, true = _both(probabilities, truth)
    return float(np.mean((chance - true) ** 2)) if len(true) else None


def temperature_for(logits: ArrayLike, truth: ArrayLike) -> float:
    """The temperature T > 0 that makes sigmoid(logit / T) likeliest (Guo et al. 2017), between 0.05 and 20.

    Fit on cases that are not the ones reported. Raises ValueError with one class only: T would run to its end.
    """
    from scipy.optimize import minimize_scalar

    logit, true = _both(logits, truth)
    if true.all() or not true.any():
        raise ValueError("a temperature needs cases with and without the finding")
    sign = np.where(true, 1.0, -1.0)

    def cost(log_temperature: float) -> float:
        return float(np.logaddexp(0, -sign * logit / np.exp(log_temperature)).mean())

    found = minimize_scalar(cost, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
