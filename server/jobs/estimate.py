"""How long a job still takes, from its own progress and from past runs of the same kind and algorithm."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

TRUST_FROM = 0.05  # below this share of the work a job's own pace says nothing


def typical_seconds(past: Sequence[float]) -> float | None:
    """The median of past durations: one slow run does not move it."""
    return statistics.median(past) if past else None


def seconds_left(elapsed: float, fraction: float, typical: float | None) -> float | None:
    """Seconds still to go, None while nothing is known.

    At the start the past decides, towards the end the job's own pace: total = (1 - fraction) * typical +
    fraction * (elapsed / fraction). `elapsed` in seconds, `fraction` 0 to 1.
    """
    if fraction >= 1:
        return 0.0
    own = elapsed / fraction if fraction >= TRUST_FROM else None
    if own is not None and typical is not None:
        total = (1 - fraction) * typical + fraction * own
    elif own is not None:
        total = own
    elif typical is not None:
        total = typical
    else:
        return None
    # A job slower than all before it: never promise less than its own share still open.
    least = elapsed * (1 - fraction) * 0.1
    return round(max(total - elapsed, least, 0.0), 1)
