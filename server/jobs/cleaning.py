"""What the sweeper removes now and then. Each app registers its own leftovers in its jobs.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.core import audit, storage
from server.realtime.services import clean_events


@dataclass(frozen=True, slots=True)
class Cleaning:
    """`clean()` returns how many things it removed. It is safe to run twice and quick when there is nothing."""

    name: str
    clean: Callable[[], int]
    every_seconds: float


_cleanings: dict[str, Cleaning] = {}


def register_cleaning(name: str, clean: Callable[[], int], every_seconds: float) -> None:
    """Let the sweeper call `clean` about every `every_seconds`."""
    _cleanings[name] = Cleaning(name, clean, every_seconds)


def cleanings() -> tuple[Cleaning, ...]:
    return tuple(_cleanings.values())


def register_own() -> None:
    """What belongs to no app above: old events, folders of dead jobs, and the audit chain's sealing."""
    register_cleaning("old events", clean_events, every_seconds=600)
    register_cleaning("workspaces", storage.clean_workspaces, every_seconds=300)
    register_cleaning("audit chain", audit.seal_pending, every_seconds=10)
