"""The kinds of work. `jobs` knows no app: each app registers its kinds in its jobs.py, imported from AppConfig.ready.

register_kind(JobKind(
    name="reconstruction", queue="recon",
    prepare=prepare_reconstruction,   # (job, folder) -> EngineCall: put the input files into the folder;
                                      # None: there is nothing for the engine to do
    store=store_reconstruction,       # (job, folder, result) -> refs: slow storing, before the transaction
    finish=finish_reconstruction,     # (job, folder, result, stored) -> result JSON: inside the transaction
                                      # without a `store`: (job, folder, result)
    failed=mark_failed,               # (job): inside the transaction that fails or cancels it
))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from server.jobs.models import Job
from server.jobs.states import Queue


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one engine call may use. None leaves it to the machine. `seconds` is wall time for the whole job."""

    memory_mib: int | None = None  # address space beyond what the warm process already maps
    cpu_seconds: int | None = None
    file_mib: int | None = None  # largest file it may write
    seconds: float | None = 6 * 3600

    def for_engine(self) -> dict[str, int]:
        named = {"memory_mib": self.memory_mib, "cpu_seconds": self.cpu_seconds, "file_mib": self.file_mib}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class EngineCall:
    """One request for the process door of `server.engine`."""

    verb: str
    request: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobKind:
    """How one kind of job is done.

    `act` is what a person's role must allow to cancel or retry it ("reconstruct", "import").
    `fresh` ends the engine process after each job: for files nobody has looked at yet.
    `neutral_message` gives the words for an error code where the engine's own sentence may quote a file's name or
    header: job rows and events must not hold those.
    `holds` names the streams that finishing publishes to, in the order in which they are locked.
    `open_to` says of which jobs the person may know the result; events of such a kind on a study's own stream carry
    none, because not everybody who hears them may.
    Kinds that are no `news` are about a study but do not change how it stands: its row in the worklist leaves them out.
    `quiet` kinds follow from an act by themselves, many and quick: lists of jobs show only those that failed.
    """

    name: str
    queue: str
    prepare: Callable[[Job, Path], EngineCall | None]
    finish: Callable[..., dict[str, Any]]
    store: Callable[[Job, Path, Mapping[str, Any]], Any] | None = None
    failed: Callable[[Job], None] | None = None
    retried: Callable[[Job], None] | None = None  # a new job took the place of a failed one; inside its transaction
    act: str = "reconstruct"
    limits: Limits = field(default_factory=Limits)
    fresh: bool = False
    holds: Callable[[Job], Sequence[str]] | None = None
    open_to: Callable[[Any, Sequence[Job]], set[UUID]] | None = None
    quiet: bool = False
    news: bool = True
    neutral_message: Callable[[str], str] | None = None


_kinds: dict[str, JobKind] = {}


def register_kind(kind: JobKind) -> None:
    """Raises ValueError for an unknown queue or a name another kind has."""
    if kind.queue not in Queue.values:
        raise ValueError(f"{kind.name}: queue {kind.queue!r} is not one of {', '.join(Queue.values)}")
    known = _kinds.get(kind.name)
    if known is not None and known.prepare is not kind.prepare:
        raise ValueError(f"the job kind {kind.name!r} is registered twice")
    _kinds[kind.name] = kind


def kind_of(name: str) -> JobKind | None:
    return _kinds.get(name)


def kinds_without_news() -> list[str]:
    """Names of the kinds that a study's row in the worklist leaves out."""
    return [kind.name for kind in _kinds.values() if not kind.news]


def quiet_kinds() -> list[str]:
    """Names of the kinds that lists leave out unless they failed."""
    return [kind.name for kind in _kinds.values() if kind.quiet]
