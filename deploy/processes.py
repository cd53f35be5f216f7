"""Child processes that never outlive this one.

Each child leads its own session, so a Ctrl-C in the terminal reaches this process only and the order of stopping is
kept. On Linux the kernel signals a child when its parent dies, even by kill -9 (prctl PR_SET_PDEATHSIG). That signal
belongs to the thread that started the child: start children from the main thread only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(kw_only=True)
class Child:
    """One program to keep running. `user` is a (uid, gid) to become first; only root can."""

    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    user: tuple[int, int] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    started: float = field(default=0.0, init=False, repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """Start the program, its output appended to `log` (mode 0600)."""
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(
                [str(word) for word in self.command],
                env=None if self.env is None else dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                preexec_fn=_prepare(os.getpid(), self.death_signal, self.user),
            )
        finally:
            os.close(descriptor)
        self.started = time.monotonic()

    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None and not self._ended()

    def stop(self) -> None:
        """Ask it to end, wait `grace_s`, then end its whole process group."""
        stop_together([self])

    def kill(self) -> None:
        """End its process group at once, also what its dead leader left in it.

        The leader is reaped last: until then its number cannot belong to anybody else's group.
        """
        if self.process is None or self.process.returncode is not None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            try:
                self.process.send_signal(self.stop_signal)
            except ProcessLookupError:
                pass

    def _ended(self) -> bool:
        assert self.process is not None
        try:
            return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def reap(self) -> int:
        """End what an ended program left in its group; returns its exit status, negative for a signal."""
        self.kill()
        assert self.process is not None
        return int(self.process.returncode)

    def last_words(self, count: int = 1) -> str:
        """The last lines of its log, for the sentence that says why it ended."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return " / ".join(text.strip() for text in lines[-count:])


def stop_together(children: Sequence[Child]) -> None:
    """Ask all to end at once, wait for each at most its `grace_s`, then end what is left of their groups."""
    began = time.monotonic()
    for child in children:
        child.ask_to_stop()
    for child in children:
        while child.running() and time.monotonic() - began < child.grace_s:
            time.sleep(0.02)
        child.kill()


def _prepare(parent: int, death_signal: signal.Signals, user: tuple[int, int] | None) -> Callable[[], None]:
    """What the child does between fork and exec. The death signal comes last: changing user clears it."""

    end_with_parent = die_with(parent, death_signal)

    def prepare() -> None:
        os.setsid()
        if user is not None:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
        end_with_parent()

    return prepare


def die_with(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `death_signal` when `parent`, this process, dies."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:  # it died before prctl
                os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Make this process the parent of whatever its children leave behind, so that it can end those too."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int | None = None) -> list[int]:
    """Process ids below `pid` (this process), nearest first. Linux; empty elsewhere."""
    found: list[int] = []
    open_ids = [pid or os.getpid()]
    while open_ids:
        children = _children(open_ids.pop(0))
        found += children
        open_ids += children
    return found


def _children(pid: int) -> list[int]:
    ids: list[int] = []
    for entry in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            ids += [int(word) for word in entry.read_text().split()]
        except OSError:
            continue  # the thread ended meanwhile
    return ids


def end_descendants(keep: Collection[int] = ()) -> None:
    """Kill and reap everything below this process, except the trees of the children in `keep`."""
    kept = {below for pid in keep for below in (pid, *descendants(pid))}
    for _ in range(100):
        left = [pid for pid in descendants() if pid not in kept]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pid in left:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass  # somebody else's child: it comes to us when its parent has gone
        time.sleep(0.02)
