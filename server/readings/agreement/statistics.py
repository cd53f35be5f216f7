"""Agreement between readers in numbers. Pure: arrays in, frozen records out; no rows, no units of its own.

Each record says how many cases it stands on and carries its interval. Where the numbers allow no statement (one case,
all the same) the value is None and `why` says so: a statistic that cannot be computed is never shown as 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TOO_FEW = "too_few_cases"
NO_VARIATION = "no_variation"
CONFIDENCE = 0.95
Z = 1.959963984540054  # the normal quantile of 0.975


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number with its interval. `n` counts cases; `value`, `low` and `high` are None where `why` is set."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    why: str = ""


def nothing(n: int, why: str) -> Statistic:
    return Statistic(None, None, None, n, why)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> Statistic:
    """Agreement of two readers on categories beyond chance: (p_o - p_e) / (1 - p_e).

    Cohen, Educ Psychol Meas 1960;20:37. Interval from the large-sample standard error of Fleiss, Cohen and Everitt,
    Psychol Bull 1969;72:323. Raises ValueError where the two lists differ in length.
    """
    if len(first) != len(second):
        raise ValueError("both readers must have judged the same cases")
    n = len(first)
    if n < 2:
        return nothing(n, TOO_FEW)
    names = sorted(set(first) | set(second), key=repr)
    place = {name: index for index, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for one, other in zip(first, second, strict=True):
        table[place[one], place[other]] += 1 / n
    rows, columns = table.sum(1), table.sum(0)
    observed, expected = float(np.trace(table)), float(rows @ columns)
    if 1 - expected < 1e-12:
        return nothing(n, NO_VARIATION)
    kappa = (observed - expected) / (1 - expected)
    diagonal = np.diag(table)
    both = columns[:, None] + rows[None, :]  # of cell (i, j): what its column reader said i, its row reader said j
    a = float(np.sum(diagonal * (1 - (rows + columns) * (1 - kappa)) ** 2))
    off = table * both**2
    b = (1 - kappa) ** 2 * float(off.sum() - np.trace(off))
    c = (kappa - expected * (1 - kappa)) ** 2
    error = math.sqrt(max(a + b - c, 0.0) / n) / (1 - expected)
    if error < 1e-12 and kappa < 1:
        # One of both always said the same: the formula knows no spread, which is not the same as being sure.
        return Statistic(kappa, None, None, n)
    return Statistic(kappa, max(kappa - Z * error, -1.0), min(kappa + Z * error, 1.0), n)


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> Statistic:
    """Agreement of several readers on categories beyond chance. `counts[case][category]` = readers who said so.

    Fleiss, Psychol Bull 1971;76:378; its standard error (for the interval) Fleiss, Nee and Landis, Psychol Bull
    1979;86:974, which holds for kappa near 0 and is a rough guide elsewhere. Every case needs the same number of
    readers, at least two: raises ValueError otherwise.
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or len(table) < 2:
        return nothing(len(table), TOO_FEW)
    readers = table.sum(1)
    if readers.min() != readers.max() or readers[0] < 2:
        raise ValueError("every case needs the same number of readers, at least two")
    n, m = len(table), float(readers[0])
    share = table.sum(0) / (n * m)
    observed = float(np.mean((np.sum(table**2, 1) - m) / (m * (m - 1))))
    expected = float(np.sum(share**2))
    if 1 - expected < 1e-12:
        return nothing(n, NO_VARIATION)
    kappa = (observed - expected) / (1 - expected)
    spread = float(np.sum(share * (1 - share)))
    skew = float(np.sum(share * (1 - share) * (1 - 2 * share)))
    error = math.sqrt(2 * (spread**2 - skew) / (n * m * (m - 1))) / spread
    return Statistic(kappa, max(kappa - Z * error, -1.0), min(kappa + Z * error, 1.0), n)


def icc_2_1(values: Sequence[Sequence[float]]) -> Statistic:
    """Intraclass correlation for absolute agreement of one reader: `values[case][reader]`, readers drawn at random.

    ICC(2,1) of Shrout and Fleiss, Psychol Bull 1979;86:420, with their interval (F distribution, Satterthwaite).
    """
    from scipy.special import fdtri

    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or len(table) < 2 or table.shape[1] < 2:
        return nothing(len(table), TOO_FEW)
    n, k = table.shape
    whole = table.mean()
    between_cases = k * float(np.sum((table.mean(1) - whole) ** 2)) / (n - 1)
    between_readers = n * float(np.sum((table.mean(0) - whole) ** 2)) / (k - 1)
    rest = table - table.mean(1, keepdims=True) - table.mean(0, keepdims=True) + whole
    error = float(np.sum(rest**2)) / ((n - 1) * (k - 1))
    below = between_cases + (k - 1) * error + k * (between_readers - error) / n
    if between_cases < 1e-12 or below <= 0:
        return nothing(n, NO_VARIATION)
    icc = (between_cases - error) / below
    if error < 1e-12 and between_readers < 1e-12:
        return Statistic(icc, icc, icc, n)
    ratio = between_readers / error if error > 0 else math.inf
    if math.isinf(ratio):
        freedom = k - 1.0
    else:
        top = (k - 1) * (n - 1) * (k * icc * ratio + n * (1 + (k - 1) * icc) - k * icc) ** 2
        freedom = top / ((n - 1) * k**2 * icc**2 * ratio**2 + (n * (1 + (k - 1) * icc) - k * icc) ** 2)
    upper = (1 + CONFIDENCE) / 2
    f_low = float(fdtri(n - 1, freedom, upper))
    f_high = float(fdtri(freedom, n - 1, upper))
    shared = k * between_readers + (k * n - k - n) * error
    low = n * (between_cases - f_low * error) / (f_low * shared + n * between_cases)
    high = n * (f_high * between_cases - error) / (shared + n * f_high * between_cases)
    return Statistic(icc, max(low, -1.0), min(high, 1.0), n)


def icc_1_1(values: Sequence[Sequence[float]]) -> Statistic:
    """Intraclass correlation of one reader where each case may have other readers: `values[case][read]`, in any order.

    ICC(1,1) of Shrout and Fleiss, Psychol Bull 1979;86:420, with their interval. Every case needs the same number of
    reads, at least two.
    """
    from scipy.special import fdtri

    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or len(table) < 2 or table.shape[1] < 2:
        return nothing(len(table), TOO_FEW)
    n, k = table.shape
    means = table.mean(1)
    between = k * float(np.sum((means - table.mean()) ** 2)) / (n - 1)
    within = float(np.sum((table - means[:, None]) ** 2)) / (n * (k - 1))
    if between < 1e-12:
        return nothing(n, NO_VARIATION)
    icc = (between - within) / (between + (k - 1) * within)
    if within < 1e-12:
        return Statistic(icc, icc, icc, n)
    ratio, upper = between / within, (1 + CONFIDENCE) / 2
    low = ratio / float(fdtri(n - 1, n * (k - 1), upper))
    high = ratio * float(fdtri(n * (k - 1), n - 1, upper))
    return Statistic(icc, (low - 1) / (low + k - 1), (high - 1) / (high + k - 1), n)


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Differences first - second over their means: `bias` and limits of agreement, each with its interval.

    `points` are (mean, difference) per case, in the unit of what was measured.
    """

    bias: Statistic
    lower: Statistic
    upper: Statistic
    points: tuple[tuple[float, float], ...]


def bland_altman(first: Sequence[float], second: Sequence[float]) -> BlandAltman:
    """Bland and Altman, Lancet 1986;1:307: bias, bias -+ 1.96 SD, intervals from Student's t.

    Raises ValueError where the two lists differ in length.
    """
    from scipy.special import stdtrit

    if len(first) != len(second):
        raise ValueError("both must have measured the same cases")
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    points = tuple((float(m), float(d)) for m, d in zip((one + other) / 2, one - other, strict=True))
    n = len(points)
    if n < 2:
        empty = nothing(n, TOO_FEW)
        return BlandAltman(empty, empty, empty, points)
    difference = one - other
    bias, deviation = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    about_bias = t * deviation / math.sqrt(n)
    about_limit = t * deviation * math.sqrt(3 / n)

    def around(value: float, half: float) -> Statistic:
        return Statistic(value, value - half, value + half, n)

    return BlandAltman(
        around(bias, about_bias),
        around(bias - 1.96 * deviation, about_limit),
        around(bias + 1.96 * deviation, about_limit),
        points,
    )


def wilson(successes: int, n: int) -> Statistic:
    """A proportion with the interval of Wilson, J Am Stat Assoc 1927;22:209, which is sound for few cases too."""
    if n < 1:
        return nothing(n, TOO_FEW)
    share = successes / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # At the ends the formula gives 0 and 1 but for rounding.
    return Statistic(share, max(middle - half, 0.0), min(middle + half, 1.0), n)


def mean_of(values: Sequence[float], least: float = -math.inf, most: float = math.inf) -> Statistic:
    """Mean with Student's interval, cut where values cannot be (`least`, `most`); of one value without one."""
    from scipy.special import stdtrit

    n = len(values)
    if n == 0:
        return nothing(0, TOO_FEW)
    middle = float(np.mean(values))
    if n == 1:
        return Statistic(middle, None, None, 1)
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Statistic(middle, max(middle - half, least), min(middle + half, most), n)


def median_of(values: Sequence[float]) -> Statistic:
    """Median with the interval between two order statistics that holds for any distribution; below 6 values without.

    Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2.
    """
    from scipy.special import bdtr

    n = len(values)
    if n == 0:
        return nothing(0, TOO_FEW)
    ranked = sorted(values)
    rank = sum(1 for k in range(n // 2) if bdtr(k, n, 0.5) <= (1 - CONFIDENCE) / 2)
    low, high = (ranked[rank - 1], ranked[n - rank]) if rank else (None, None)
    return Statistic(float(np.median(ranked)), low, high, n)


def statistic_json(statistic: Statistic) -> dict[str, Any]:
    return {
        "value": statistic.value,
        "low": statistic.low,
        "high": statistic.high,
        "n": statistic.n,
        "why": statistic.why or None,
    }
