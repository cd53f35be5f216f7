"""What a person sees in the terminal: one line per step over a second, one clear sentence for a failure."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stop(Exception):
    """A failure that one sentence explains. The sentence names the thing, the rule and the cure."""


def line(text: str) -> None:
    """Print one line to stderr at once; stdout belongs to answers such as the JSON of `demo --check`."""
    print(text, file=sys.stderr, flush=True)


class Steps:
    """Times named steps, and shows a line for each that takes over a second."""

    def __init__(self, quiet: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._quiet = quiet

    @contextmanager
    def step(self, name: str, sentence: str) -> Iterator[None]:
        """Run a step. `name` is its key in `seconds`; `sentence` says what happens, "Installing packages"."""
        started = time.monotonic()
        if not self._quiet:
            line(f"  {sentence} ...")
        yield
        took = time.monotonic() - started
        self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 2)
        if took > 1 and not self._quiet:
            line(f"  {sentence}: done in {took:.1f} s")
