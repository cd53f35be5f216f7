"""Starts the processes of one Lamina in order, keeps them running, stops them in the reverse order.

    services (PostgreSQL, Redis) -> one-off steps (migrate ...) -> web, workers, sweeper

Everything it starts is its child or grandchild and ends with it: in order on Ctrl-C or SIGTERM, by the kernel's
parent-death signal when it is killed.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.embedded import Embedded
from deploy.environment import ROOT
from deploy.home import Home
from deploy.processes import Child, adopt_orphans, end_descendants, stop_together
from deploy.say import Steps, Stop, line
from deploy.services import check_variables, take_home

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
CALM_S = 60.0  # a process that ran this long before it ended is started again at once
TRIES_AT_START = 3
QUICK_END_S = 10.0


class Supervisor:
    """Owns a LAMINA_HOME while its block runs: `with Supervisor(home, environ) as supervisor: ...`."""

    def __init__(self, home: Home, environ: Mapping[str, str], durable: bool = True) -> None:
        self.home = home
        self.steps = Steps()
        self.env = {**environ, "LAMINA_HOME": str(home.folder), "PYTHONUNBUFFERED": "1"}
        self._durable = durable
        self._embedded: Embedded | None = None
        self._children: list[Child] = []
        self._watch = Watch()

    # --- beginning and end ----------------------------------------------------------------------------------

    def __enter__(self) -> Supervisor:
        check_variables()
        self._lock = take_home(self.home)
        adopt_orphans()
        self._signals = {number: signal.signal(number, Watch.interrupt) for number in _STOPPING}
        try:
            self._embedded = Embedded(self.home, self.env, self._durable)
            self.env |= self._embedded.urls()
            if self._embedded.services():
                with self.steps.step("services", "Starting PostgreSQL and Redis"):
                    self._embedded.start()
            self.announce()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # From here a second Ctrl-C must not break the order: stopping has its own time limits.
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        started = time.monotonic()
        stop_together(self._children)
        # An engine whose worker was killed has come to this process; it goes before the services do.
        end_descendants(keep=[service.child.pid for service in self._embedded.services()] if self._embedded else ())
        if self._embedded:
            self._embedded.stop()
        end_descendants()
        self._lock.forget()
        for number, handler in self._signals.items():
            signal.signal(number, handler)
        if time.monotonic() - started > 1:
            line(f"  Stopped everything in {time.monotonic() - started:.1f} s")

    def announce(self, address: str = "") -> None:
        """Tell other commands of this home how to reach the services, and where the page is."""
        urls = {name: self.env[name] for name in ("DATABASE_URL", "REDIS_URL")}
        self._lock.say(urls=urls, address=address)

    # --- work -----------------------------------------------------------------------------------------------

    def run(self, name: str, sentence: str, *words: str | Path, explain: Callable[[str], str] | None = None) -> str:
        """Run one Django command to its end as a named step; returns its output.

        Raises Stop when it fails: with what `explain` makes of its output, else with the line that names the error.
        """
        log = self.home.log(name)
        start = log.stat().st_size if log.exists() else 0
        child = Child(name=name, command=[sys.executable, ROOT / "manage.py", *words], log=log, env=self.env, cwd=ROOT)
        with self.steps.step(name, sentence):
            child.start()
            assert child.process is not None
            try:
                status = child.process.wait()
            except BaseException:
                child.stop()
                raise
        with log.open("rb") as file:
            file.seek(start)
            output = file.read().decode(errors="replace")
        if status:
            told = explain(output) if explain else ""
            raise Stop(told or f"{sentence} failed: {_reason(output) or f'exit status {status}'} (log: {log})")
        return output

    def keep(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        death_signal: signal.Signals = signal.SIGTERM,
        grace_s: float = 8.0,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a process and keep it running from now on."""
        child = Child(
            name=name, command=command, log=self.home.log(name), env={**self.env, **(env or {})}, cwd=ROOT,
            death_signal=death_signal, grace_s=grace_s,
        )  # fmt: skip
        child.start()
        self._children.append(child)
        return child

    def keep_worker(self, name: str, command: Sequence[str | Path]) -> Child:
        """Keep a Celery worker running. Nothing but SIGKILL ends one whose Redis died with this process."""
        return self.keep(name, command, death_signal=signal.SIGKILL)

    def look(self) -> None:
        """Start again what has ended. Raises Stop for a process that ends at once, again and again."""
        services = self._embedded.services() if self._embedded else []
        self._watch.look([*(service.child for service in services), *self._children])

    def wait_until(self, ready: Callable[[], bool], name: str, sentence: str, limit_s: float) -> None:
        """Look after the processes until `ready()`; a named step. Raises Stop when it takes over `limit_s`."""
        deadline = time.monotonic() + limit_s
        with self.steps.step(name, sentence):
            while not ready():
                self.look()
                if time.monotonic() > deadline:
                    logs = self.home.folder / "logs"
                    raise Stop(f"{sentence} did not finish in {limit_s:.0f} s; the logs are in {logs}")
                time.sleep(0.1)

    def stay(self, pulse: Callable[[], None] | None = None) -> None:
        """Look after the processes until a signal comes (KeyboardInterrupt)."""
        while True:
            self.look()
            if pulse:
                pulse()
            time.sleep(0.25)


class Watch:
    """Keeps children running: what ends is started again, at once first, then after longer and longer pauses."""

    def __init__(self) -> None:
        self._deaths: dict[str, int] = {}
        self._again_at: dict[str, float] = {}

    def look(self, children: Sequence[Child]) -> None:
        """Start again what has ended. Raises Stop for a process that ends at once, again and again."""
        for child in children:
            if child.running():
                continue
            again_at = self._again_at.get(child.name)
            if again_at is None:
                self._note_end(child)
            elif time.monotonic() >= again_at:
                del self._again_at[child.name]
                child.start()

    def stay(self, children: Sequence[Child]) -> None:
        """Look after them until a signal comes (KeyboardInterrupt)."""
        while True:
            self.look(children)
            time.sleep(0.25)

    @staticmethod
    def interrupt(number: int, frame: object) -> None:
        """A signal handler: SIGTERM and SIGHUP end things as Ctrl-C does."""
        raise KeyboardInterrupt

    def _note_end(self, child: Child) -> None:
        lived = time.monotonic() - child.started
        status = child.reap()
        deaths = 0 if lived > CALM_S else self._deaths.get(child.name, 0)
        self._deaths[child.name] = deaths + 1
        if lived < QUICK_END_S and deaths + 1 >= TRIES_AT_START:
            raise Stop(f"{child.name} ends as soon as it starts: {child.last_words()} (log: {child.log})")
        pause = min(FIRST_PAUSE_S * 2**deaths, LONGEST_PAUSE_S) if deaths else 0.0
        why = f"signal {-status}" if status < 0 else f"exit status {status}"
        line(f"  {child.name} stopped ({why}); starting it again")
        self._again_at[child.name] = time.monotonic() + pause


def _reason(output: str) -> str:
    """The line of a command's output that says what went wrong: the last that names an error, else the last."""
    lines = [text.strip() for text in output.splitlines() if text.strip()]
    named = [text for text in lines if re.match(r"[\w.]*(Error|Exception|Stop)\b", text)]
    return (named or lines or [""])[-1]


# --- the processes every command shares --------------------------------------------------------------------------


def web_command(host: str, port: int) -> list[str | Path]:
    """uvicorn without an access log: a log line must not hold a URL."""
    words = ["--host", host, "--port", str(port), "--no-access-log", "--no-server-header", "--log-level", "warning"]
    words += ["--lifespan", "off", "--timeout-graceful-shutdown", "3", "--ws-max-size", "65536"]
    return [sys.executable, "-m", "uvicorn", "server.asgi:application", *words]


def worker_command(name: str, queue: str, concurrency: int = 1) -> list[str | Path]:
    """One Celery worker for one queue; hints are all that travels, so gossip between workers is off."""
    words = ["-Q", queue, "-c", str(concurrency), "-P", "prefork", "-n", f"{name}@%h", "-l", "warning"]
    words += ["--without-gossip", "--without-mingle"]
    return [sys.executable, "-m", "celery", "-A", "server.celery", "worker", *words]


def sweeper_command() -> list[str | Path]:
    return [sys.executable, ROOT / "manage.py", "sweep"]


_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
