"""The only file of the server that imports the engine.

In the web process: `describe` and `fit`, which are light. Everything long runs behind the process door,
`python -m server.engine`: no Django, no database, no network. It reads one JSON object per line from stdin:

    {"verb": "reconstruct", "request": {...}, "limits": {"memory_mib": 4096, "cpu_seconds": 600}}
    {"cancel": true}                        while a verb runs
    {"warm": true}                          load what the interactive verbs need; nothing is answered

and answers lines: {"progress": {...}} any number of times, then {"result": {...}, "peak_memory_mib": 812.5} or
{"error": {"code", "message", "facts"}, "peak_memory_mib": ...}. It stays warm for the next line and ends with its
parent: on the end of stdin, and on Linux by the parent-death signal.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import recon_engine
from recon_engine.contract import (
    CombineRequest,
    CompareRequest,
    EngineError,
    OnProgress,
    PrepareRequest,
    Progress,
    ReconstructionRequest,
    RefineRequest,
    RegisterRequest,
    SurfacesRequest,
)

Verb = Callable[[Mapping[str, Any], OnProgress], Mapping[str, Any]]
__all__ = ["EngineError", "describe", "encloses", "fit", "reason_texts", "serve"]


# --- light verbs, in this process ---------------------------------------------------------------------------------


def describe() -> list[dict[str, Any]]:
    """What every algorithm takes, makes and promises, as plain dictionaries."""
    return [description.to_dict() for description in recon_engine.describe()]


def fit(description: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Why an algorithm does not fit a series, as sentences; empty when it fits.

    `description` is one of `describe()`; `facts` holds modality, shape, spacing_mm, phantom, verdict, is_volume
    and reasons of the series.
    """
    from recon_engine.contract import AlgorithmDescription
    from recon_engine.fit import SeriesFacts
    from recon_engine.fit import fit as reasons

    return reasons(AlgorithmDescription.from_dict(description), SeriesFacts(**facts))


def encloses(algorithm: str) -> dict[int, tuple[int, ...]]:
    """Segment number -> numbers inside it, for an algorithm whose outer segments hold others; {} for most."""
    from recon_engine import recipes

    return recipes.encloses(algorithm)


@functools.cache
def reason_texts() -> dict[str, str]:
    """Rule and cure of every reason code of intake."""
    from recon_engine.intake.reasons import CATALOGUE

    return {code: f"{reason.rule} {reason.cure}".strip() for code, reason in CATALOGUE.items()}


# --- the process door ---------------------------------------------------------------------------------------------


def _reconstruct(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.reconstruct(ReconstructionRequest.from_dict(request), on_progress).to_dict()


def _prepare(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.prepare(PrepareRequest.from_dict(request), on_progress).to_dict()


def _inspect(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.inspect(**request).to_dict()


def _surfaces(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.surfaces(SurfacesRequest.from_dict(request), on_progress).to_dict()


def _refine(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.refine(RefineRequest.from_dict(request), on_progress).to_dict()


def _compare(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.compare(CompareRequest.from_dict(request), on_progress).to_dict()


def _combine(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.combine(CombineRequest.from_dict(request), on_progress).to_dict()


def _register(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    return recon_engine.register(RegisterRequest.from_dict(request), on_progress).to_dict()


VERBS: Mapping[str, Verb] = {
    "reconstruct": _reconstruct,
    "prepare": _prepare,
    "inspect": _inspect,
    "surfaces": _surfaces,
    "refine": _refine,
    "compare": _compare,
    "combine": _combine,
    "register": _register,
}


class _Door:
    """One conversation over two pipes."""

    def __init__(self, verbs: Mapping[str, Verb], incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self.verbs = verbs
        self.incoming = incoming
        self.outgoing = outgoing
        self.requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.cancelled = threading.Event()

    def say(self, message: Mapping[str, Any]) -> None:
        self.outgoing.write(json.dumps(message, allow_nan=False).encode() + b"\n")
        self.outgoing.flush()

    def listen(self) -> None:
        """Runs in a thread, so that a cancel is heard while a verb works. The end of stdin ends the process."""
        for line in self.incoming:
            message = json.loads(line)
            if message.get("cancel"):
                self.cancelled.set()
            else:
                self.requests.put(message)
        os._exit(0)

    def on_progress(self, progress: Progress) -> None:
        if self.cancelled.is_set():
            raise EngineError("cancelled", "The job was cancelled.")
        self.say({"progress": progress.to_dict()})

    def answer(self, message: Mapping[str, Any]) -> None:
        _reset_peak_memory()
        with _limited(message.get("limits") or {}):
            try:
                verb = self.verbs[message["verb"]]
            except KeyError:
                reply = _error("bad_request", f"The engine has no verb {message.get('verb')!r}.")
            else:
                reply = self._run(verb, message["request"])
        self.say({**reply, "peak_memory_mib": peak_memory_mib()})

    def _run(self, verb: Verb, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"result": verb(request, self.on_progress)}
        except EngineError as error:
            return _error(error.code, error.message, **error.facts)
        except MemoryError:
            limit = _memory_limit_mib()
            return _error(
                "out_of_memory",
                "The engine needed more memory than it may use. Use a smaller volume or a larger worker.",
                limit_mib=limit,
                peak_mib=peak_memory_mib(),
            )
        except Exception as error:
            # The text of an unknown exception may quote an image's header: only its kind and place leave here.
            return _error(
                "internal",
                "The engine failed in a way it does not know. The place is recorded with the job.",
                exception=type(error).__name__,
                place=_place(error),
            )


def serve(verbs: Mapping[str, Verb] = VERBS) -> None:
    """Answer requests until the parent is gone. Nothing but protocol lines ever reaches stdout."""
    _die_with_parent()
    outgoing = os.fdopen(os.dup(1), "wb")
    quiet = os.environ.get("LAMINA_DEBUG") != "1"
    sink = os.open(os.devnull, os.O_WRONLY) if quiet else 2  # libraries quote header values in their warnings
    os.dup2(sink, 1)
    if quiet:
        os.dup2(sink, 2)
    door = _Door(verbs, sys.stdin.buffer, outgoing)
    signal.signal(signal.SIGTERM, lambda *_: door.cancelled.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=door.listen, daemon=True).start()
    while True:
        request = door.requests.get()
        door.cancelled.clear()
        if request.get("warm"):
            with contextlib.suppress(Exception):  # who asks for a verb hears what is wrong
                recon_engine.warm_up()
        else:
            door.answer(request)


def _error(code: str, message: str, **facts: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "facts": json.loads(json.dumps(facts, default=str))}}


def _place(error: BaseException) -> str:
    """file:line of the innermost frame, relative to the project."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    path = Path(trace.tb_frame.f_code.co_filename)
    return f"{'/'.join(path.parts[-3:])}:{trace.tb_lineno}"


# --- limits and memory --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _limited(limits: Mapping[str, Any]) -> Any:
    """Lower the soft limits for one request and lift them after it.

    The limit on address space counts from what is mapped now: a warm process with torch loaded already holds
    gigabytes of reserved, unused addresses.
    """
    import resource

    before = {
        kind: resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)
    }
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_AS: int(limits["memory_mib"] * 2**20) + _mapped_bytes() if limits.get("memory_mib") else None,
        resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime + limits["cpu_seconds"]) + 1
        if limits.get("cpu_seconds")
        else None,
        resource.RLIMIT_FSIZE: int(limits["file_mib"] * 2**20) if limits.get("file_mib") else None,
    }
    for kind, value in wanted.items():
        if value is not None:
            hard = before[kind][1]
            resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    try:
        yield
    finally:
        for kind, (soft, hard) in before.items():
            resource.setrlimit(kind, (soft, hard))


def _mapped_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _memory_limit_mib() -> float | None:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else round(soft / 2**20, 1)


def _reset_peak_memory() -> None:
    """Let the kernel's high-water mark start again (proc(5), clear_refs 5)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib() -> float:
    """Most memory this process held since the request began."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 if sys.platform != "darwin" else 2**20), 1)


def _die_with_parent() -> None:
    """Linux: SIGKILL when the guard that started us is gone. Elsewhere the end of stdin does it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    expected = os.environ.get("LAMINA_GUARD_PID")
    if expected and os.getppid() != int(expected):
        os._exit(0)


if __name__ == "__main__":
    serve()
