"""The automation-bias meter: what readers did where they and the algorithm differed, judged by what was settled.

Pure: labelmaps and the runs of places in, counts out. A place is where the first read and the algorithm differ. What
was signed in the end says who was right there; what the reader submitted says whether the reader went over to the
algorithm. Goddard, Roudsari and Wyatt, J Am Med Inform Assoc 2012;19:121 call the two errors automation bias
(commission) and its opposite; here over-reliance and under-reliance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.readings.agreement.statistics import statistic_json, wilson


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One place. `is_right`: the settled outline follows the algorithm there rather than the first read."""

    n: int
    is_right: bool
    has_changed: bool


def judge_places(
    runs: NDArray, first: NDArray, algorithm: NDArray, submitted: NDArray, settled: NDArray
) -> list[Judged]:
    """Judge each place by the majority of its voxels.

    `runs` are the rows of places.i64 (start, length, n); the labelmaps are flat uint8 on the same grid and speak the
    same numbers. Voxels where the settled outline is like neither do not count; a place that has no others is left
    out, for nobody was right there.
    """
    found: list[Judged] = []
    for n in np.unique(runs[:, 2]):
        at = np.concatenate([np.arange(start, start + length) for start, length, _ in runs[runs[:, 2] == n]])
        differs = at[first[at] != algorithm[at]]
        with_algorithm = int(np.count_nonzero(settled[differs] == algorithm[differs]))
        with_first = int(np.count_nonzero(settled[differs] == first[differs]))
        if not with_algorithm and not with_first:
            continue
        gone_over = int(np.count_nonzero(submitted[differs] == algorithm[differs]))
        stayed = int(np.count_nonzero(submitted[differs] == first[differs]))
        found.append(Judged(n=int(n), is_right=with_algorithm > with_first, has_changed=gone_over > stayed))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliance:
    """Counts of places: (changed or kept) x (algorithm right or wrong), and seconds until each verdict."""

    changed_right: int = 0
    changed_wrong: int = 0
    kept_right: int = 0
    kept_wrong: int = 0
    seconds: tuple[float, ...] = ()

    def __add__(self, other: Reliance) -> Reliance:
        return Reliance(
            changed_right=self.changed_right + other.changed_right,
            changed_wrong=self.changed_wrong + other.changed_wrong,
            kept_right=self.kept_right + other.kept_right,
            kept_wrong=self.kept_wrong + other.kept_wrong,
            seconds=self.seconds + other.seconds,
        )


def count(judged: Sequence[Judged], seconds: Sequence[float] = ()) -> Reliance:
    def number(changed: bool, right: bool) -> int:
        return sum(one.has_changed == changed and one.is_right == right for one in judged)

    return Reliance(
        changed_right=number(True, True),
        changed_wrong=number(True, False),
        kept_right=number(False, True),
        kept_wrong=number(False, False),
        seconds=tuple(seconds),
    )


def reliance_json(counts: Reliance) -> Mapping[str, Any]:
    """Over-reliance: went over where the algorithm was wrong. Under-reliance: stayed where it was right."""
    wrong = counts.changed_wrong + counts.kept_wrong
    right = counts.changed_right + counts.kept_right
    return {
        "changed_when_right": counts.changed_right,
        "changed_when_wrong": counts.changed_wrong,
        "kept_when_right": counts.kept_right,
        "kept_when_wrong": counts.kept_wrong,
        "over_reliance": statistic_json(wilson(counts.changed_wrong, wrong)),
        "under_reliance": statistic_json(wilson(counts.kept_right, right)),
        "median_seconds": median(counts.seconds) if counts.seconds else None,
    }
