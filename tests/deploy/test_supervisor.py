"""Keeping processes running, and stopping them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.home import Home, HomeLock
from deploy.processes import Child
from deploy.say import Stop
from deploy.services import take_home
from deploy.supervisor import Supervisor, Watch, _reason

BROUGHT = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}


def _wait(condition: Callable[[], bool], limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def not_the_owner_of_the_test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor ends everything below its process. Here that would be other tests' browsers and servers."""
    monkeypatch.setattr("deploy.supervisor.adopt_orphans", lambda: None)
    monkeypatch.setattr("deploy.supervisor.end_descendants", lambda keep=(): None)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "lam"
    folder.mkdir(mode=0o700)
    return Home(folder)


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    """One without embedded services: they are tested on their own."""
    with Supervisor(home, {**os.environ, **BROUGHT}) as made:
        yield made


def test_what_is_killed_is_started_again(supervisor: Supervisor, capsys: pytest.CaptureFixture[str]) -> None:
    child = supervisor.keep("sleeper", ["sleep", "60"])
    before = child.pid
    os.kill(before, signal.SIGKILL)
    _wait(lambda: not child.running())
    _wait(lambda: supervisor.look() or child.running())
    assert child.pid != before
    assert "sleeper stopped (signal 9); starting it again" in capsys.readouterr().err


def test_what_ends_as_soon_as_it_starts_is_named_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.keep("broken", ["sh", "-c", "echo cannot find the thing; exit 3"])

    def look() -> bool:
        supervisor.look()
        return False

    with pytest.raises(Stop, match="broken ends as soon as it starts: cannot find the thing"):
        _wait(look)


def test_pauses_grow(tmp_path: Path) -> None:
    child = Child(name="c", command=["false"], log=tmp_path / "log")
    watch = Watch()
    child.start()
    _wait(lambda: not child.running())
    watch.look([child])
    first = watch._again_at["c"]
    _wait(lambda: time.monotonic() >= first)
    watch.look([child])
    _wait(lambda: not child.running())
    noted = time.monotonic()
    watch.look([child])
    assert watch._again_at["c"] - noted > 0.5


def test_the_end_stops_everything(home: Home) -> None:
    with Supervisor(home, {**os.environ, **BROUGHT}) as supervisor:
        children = [supervisor.keep(f"sleeper-{number}", ["sleep", "60"]) for number in range(3)]
        assert all(child.running() for child in children)
    assert not any(child.running() for child in children)
    assert not (home.folder / "running.json").exists()


def test_a_failing_step_says_why(supervisor: Supervisor) -> None:
    with pytest.raises(Stop, match=r"Testing failed: .*nonsense"):
        supervisor.run("nonsense", "Testing", "nonsense")


def test_of_a_traceback_the_error_is_shown() -> None:
    text = "Traceback:\n  File x\nsome.pkg.MissingFileError: The file 'a.js' is missing\n\nPlease check."
    assert _reason(text) == "some.pkg.MissingFileError: The file 'a.js' is missing"
    assert _reason("only this\n") == "only this"
    assert _reason("") == ""


def test_one_owner_per_home(home: Home) -> None:
    lock = take_home(home)
    lock.say(urls={}, address="http://127.0.0.1:8000")
    with pytest.raises(Stop, match=rf"already running at http://127.0.0.1:8000 \(process {os.getpid()}, folder"):
        take_home(home, wait_s=0.1)
    assert (home.folder / "running.json").stat().st_mode & 0o777 == 0o600
    lock.forget()
    take_home(home, wait_s=0.1).forget()


def test_the_kernel_frees_a_dead_owners_home(home: Home) -> None:
    import subprocess

    code = (
        f"import sys, os; sys.path.insert(0, {os.getcwd()!r}); from pathlib import Path; from deploy.home import *; "
        f"assert HomeLock(Home(Path({str(home.folder)!r}))).take(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code])
    assert HomeLock(home).take()
    assert home.running() is not None
