"""How many threads numba's parallel loops take, and that only one such loop runs at a time.

Its plain thread pool ends the process when two Python threads enter it together, so every parallel kernel of the
engine is called inside `numba_threads`. Kernels write each element from one place only: the number of threads never
shows in the result.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_loop = threading.RLock()


@contextmanager
def numba_threads(count: int = 0) -> Iterator[None]:
    """Run the block's parallel loops on `count` threads; 0 takes numba's own number (NUMBA_NUM_THREADS)."""
    import numba

    with _one_loop:
        before = numba.get_num_threads()
        numba.set_num_threads(min(count or before, numba.config.NUMBA_NUM_THREADS))
        try:
            yield
        finally:
            numba.set_num_threads(before)
