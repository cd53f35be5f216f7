"""How often something may happen: a bucket that fills by itself."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """Holds at most `size` and gains `per_second`; each act takes one. Starts full."""

    def __init__(self, size: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = size
        self.per_second = per_second
        self.clock = clock
        self.level = size
        self.at = clock()

    def take(self) -> bool:
        """False where there is nothing left."""
        now = self.clock()
        self.level = min(self.size, self.level + (now - self.at) * self.per_second)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True
