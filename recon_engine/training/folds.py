"""Folds by patient: which cases are left out together, drawn once by a seed and the same for everybody.

Where a set has few patients the number that counts is the out-of-fold one: every case is answered by a network that
has not seen its patient, and one configuration serves all folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

SEED = 20261123
COUNT = 5


def folds(cases: Sequence[str], strata: Mapping[str, str] | None = None, count: int = COUNT) -> list[list[str]]:
    """`count` sorted lists that hold every case once, as equal in size and in `strata` as can be.

    The draw depends on the names and SEED alone, not on their order. Raises ValueError for fewer cases than folds or a
    case named twice.
    """
    if len(set(cases)) != len(cases):
        raise ValueError("a case is named twice")
    if len(cases) < count:
        raise ValueError(f"{len(cases)} cases do not make {count} folds")
    groups: dict[str, list[str]] = {}
    for case in sorted(cases):
        groups.setdefault(strata[case] if strata else "", []).append(case)
    dice = np.random.default_rng(SEED)
    dealt: list[list[str]] = [[] for _ in range(count)]
    turn = 0  # goes on from one stratum to the next, so that no fold is dealt every remainder
    for name in sorted(groups):
        for case in dice.permutation(groups[name]):
            dealt[turn % count].append(str(case))
            turn += 1
    return [sorted(one) for one in dealt]
