"""Volume on two dates. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEADY = 1e-3  # a smaller relative change has no doubling time worth a number


@dataclass(frozen=True, kw_only=True)
class Growth:
    """`percent` is None where there was nothing before; `doubling_days` is below 0 for what halves in that time."""

    change_ml: float | None
    percent: float | None
    doubling_days: float | None


def growth(earlier_ml: float | None, later_ml: float | None, days: int | None) -> Growth:
    """Doubling time of exponential growth (Schwartz 1961): days x ln 2 / ln(later / earlier)."""
    if earlier_ml is None or later_ml is None:
        return Growth(change_ml=None, percent=None, doubling_days=None)
    change = later_ml - earlier_ml
    percent = change / earlier_ml * 100 if earlier_ml > 0 else None
    doubling = None
    if days and days > 0 and earlier_ml > 0 and later_ml > 0 and abs(change) > STEADY * earlier_ml:
        doubling = days * math.log(2) / math.log(later_ml / earlier_ml)
    return Growth(change_ml=change, percent=percent, doubling_days=doubling)
