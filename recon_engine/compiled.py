"""The decorator of the engine's compiled loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def loop(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile by numba, releasing the interpreter. The machine code is kept between runs where a folder for it can be
    written (beside the module, else in the person's cache); where none can, it is made anew instead of failing."""

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # numba found no folder to write to
            return njit(nogil=True, **options)(function)

    return compiled
