"""One engine process, as the guard holds it: started in its own group, asked over pipes, killed with everything in it.

The process gets neither the database's address nor any key. Celery's children are daemonic and may not use
multiprocessing; a plain subprocess works there.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from server.jobs import conf

_SECRETS = (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "LAMINA_ROOT_KEY",
    "LAMINA_SECRET_KEY",
)
_TICK_SECONDS = 0.2
_LONGEST_LINE = 256 * 2**20


class EngineFailed(Exception):
    """The engine refused or failed with a stable code; it is alive and takes the next request."""

    def __init__(self, code: str, message: str, facts: Mapping[str, Any], peak_memory_mib: float | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = dict(facts)
        self.peak_memory_mib = peak_memory_mib


class EngineStopped(Exception):
    """The process is gone: killed by a signal, or it ended by itself."""

    def __init__(self, exit_signal: int | None, exit_code: int, peak_memory_mib: float | None) -> None:
        self.exit_signal = exit_signal
        self.exit_code = exit_code
        self.peak_memory_mib = peak_memory_mib
        super().__init__(self.reason)

    @property
    def reason(self) -> str:
        return f"worker stopped ({f'signal {self.exit_signal}' if self.exit_signal else f'code {self.exit_code}'})"


class Interrupted(Exception):
    """The call was given up because `interruption` said so: "cancelled", "lost" or "timeout"."""


class Answer:
    """What came back: the verb's result and the most memory it held."""

    __slots__ = ("peak_memory_mib", "result")

    def __init__(self, result: dict[str, Any], peak_memory_mib: float | None) -> None:
        self.result = result
        self.peak_memory_mib = peak_memory_mib


def _never() -> None:
    return None


class EngineProcess:
    """Start it on first use and keep it warm. Use it from one thread that outlives it; `kill` from any thread.

    (On Linux the parent-death signal is tied to the thread that started the child.)
    """

    def __init__(self, module: str | None = None) -> None:
        self.module = module or conf.engine_module()
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def call(
        self,
        verb: str,
        request: Mapping[str, Any],
        *,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        limits: Mapping[str, Any] | None = None,
        interruption: Callable[[], str | None] = _never,
    ) -> Answer:
        """Run one verb. Raises EngineFailed, EngineStopped, Interrupted, and whatever `on_progress` raises.

        `interruption` is asked several times a second. A cancelled engine may end its step and tidy up within the
        grace; after any interruption the whole process group is gone and its memory is back.
        """
        self._start()
        try:
            self._write({"verb": verb, "request": dict(request), "limits": dict(limits or {})})
            while True:
                reason = interruption()
                if reason == "cancelled":
                    self._cancel()
                    raise Interrupted(reason)
                if reason is not None:
                    raise Interrupted(reason)
                message = self._read(_TICK_SECONDS)
                if message is None:
                    continue
                if "progress" in message:
                    if on_progress is not None:
                        on_progress(message["progress"])
                    continue
                return self._answer(message)
        except EngineFailed:
            raise
        except EngineStopped:
            self._forget()
            raise
        except BaseException:
            # The conversation is cut in the middle: only a fresh process has a clean pipe.
            self.stop()
            raise

    def warm(self) -> None:
        """Start the process and let it load what the interactive verbs need. Returns at once; a call waits for it."""
        with contextlib.suppress(EngineStopped, OSError):
            self._start()
            self._write({"warm": True})

    def kill(self) -> None:
        """SIGKILL to the whole group. Safe from another thread; the caller of `call` sees EngineStopped."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill the group and collect the process."""
        if self._process is not None:
            self.kill()
            self._collect()
            self._forget()

    # --- the pipes ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._forget()
        environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        environment |= {"LAMINA_GUARD_PID": str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(settings.BASE_DIR),
            env=environment,
            start_new_session=True,
        )
        os.set_blocking(self._process.stdout.fileno(), False)  # type: ignore[union-attr]
        self._buffer = bytearray()

    def _write(self, message: Mapping[str, Any]) -> None:
        stdin = self._process.stdin  # type: ignore[union-attr]
        try:
            stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
            stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            raise self._collect() from None

    def _read(self, timeout: float) -> dict[str, Any] | None:
        """The next line, None when none came in time. Raises EngineStopped at the end of the pipe."""
        stdout = self._process.stdout  # type: ignore[union-attr]
        deadline = time.monotonic() + timeout
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                return json.loads(line)
            if len(self._buffer) > _LONGEST_LINE:
                self.kill()
                raise self._collect()
            with selectors.DefaultSelector() as selector:
                selector.register(stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
            piece = os.read(stdout.fileno(), 1 << 16)  # type: ignore[union-attr]
            if not piece:
                raise self._collect()
            self._buffer += piece

    def _answer(self, message: Mapping[str, Any]) -> Answer:
        peak = message.get("peak_memory_mib")
        if "error" in message:
            error = message["error"]
            raise EngineFailed(error["code"], error["message"], error.get("facts") or {}, peak)
        return Answer(message["result"], peak)

    def _cancel(self) -> None:
        """Ask the engine to stop; what does not answer within the grace is killed by `call`."""
        deadline = time.monotonic() + conf.cancel_grace()
        with contextlib.suppress(EngineStopped):
            self._write({"cancel": True})
            while time.monotonic() < deadline:
                message = self._read(_TICK_SECONDS)
                if message is not None and "progress" not in message:
                    return

    def _collect(self) -> EngineStopped:
        """Wait for the dead process; its peak comes from the kernel, which a killed process cannot report itself."""
        process = self._process
        assert process is not None
        peak = None
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # its pipe is closed: nothing of its group may stay behind
            try:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                peak = round(usage.ru_maxrss / 1024, 1)
            except ChildProcessError:
                process.returncode = process.wait()
        code = process.returncode
        return EngineStopped(-code if code < 0 else None, code, peak)

    def _forget(self) -> None:
        process = self._process
        self._process = None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            if process.returncode is None:
                with contextlib.suppress(ChildProcessError):
                    process.wait()


def run_engine(
    verb: str,
    request: Mapping[str, Any],
    *,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    limits: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One verb in its own limited process, without a job: for commands a person runs. Raises as `call` does."""
    engine = EngineProcess()
    try:
        return engine.call(verb, request, on_progress=on_progress, limits=limits).result
    finally:
        engine.stop()
