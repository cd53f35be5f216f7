"""Loops in slabs on several threads.

The kernels are compiled by numba without its own threading: they release the interpreter and take the range of rows
they work on, so Python's threads do. That compiles in a quarter of the time, and two jobs in one process cannot meet in
numba's thread pool, which ends the process when they do. Kernels write each element from one place only: the number of
threads never shows in the result.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Slabs:
    """Runs kernels over ranges of rows.

    with Slabs(threads) as slabs:
        slabs.run(kernel, rows, first_argument, second_argument)     # kernel(begin, end, *arguments)
    """

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads or os.cpu_count() or 1

    def __enter__(self) -> Slabs:
        self._pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown()

    def run(self, kernel: Callable[..., Any], rows: int, *arguments: Any) -> None:
        """Call `kernel(begin, end, *arguments)` until all rows are done. Raises what a kernel raises."""
        if self._pool is None or rows < 2 * self.threads:
            kernel(0, rows, *arguments)
            return
        # Several slabs per thread: rows are not alike, and the last slab should be short.
        pieces = min(rows, 4 * self.threads)
        edges = [rows * n // pieces for n in range(pieces + 1)]
        waiting = [self._pool.submit(kernel, a, b, *arguments) for a, b in itertools.pairwise(edges)]
        for one in waiting:
            one.result()
