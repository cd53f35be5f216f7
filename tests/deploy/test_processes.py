"""Children end with their parent, whatever ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.environment import ROOT
from deploy.processes import Child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux")


def _wait(condition: Callable[[], bool], limit_s: float = 10) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_leads_its_own_session_and_logs_privately(tmp_path: Path) -> None:
    child = Child(
        name="c",
        command=[sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(60)"],
        log=tmp_path / "log",
    )
    child.start()
    try:
        assert os.getsid(child.pid) == child.pid
        assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
        assert _wait(lambda: "hello" in (tmp_path / "log").read_text())
    finally:
        child.stop()


def test_stop_ends_a_child_that_ignores_the_signal_with_its_own_children(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import signal, subprocess, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
        time.sleep(60)
    """)
    child = Child(name="c", command=[sys.executable, "-c", code], log=tmp_path / "log", grace_s=0.3)
    child.start()
    assert _wait(lambda: bool((tmp_path / "log").read_text().strip()))
    below = int((tmp_path / "log").read_text())
    child.stop()
    assert not child.running()
    assert _wait(lambda: not _alive(below))


def test_stopping_twice_touches_nobody_else(tmp_path: Path) -> None:
    child = Child(name="c", command=["true"], log=tmp_path / "log")
    child.start()
    assert _wait(lambda: not child.running())
    assert child.reap() == 0
    child.stop()
    child.kill()


def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from deploy.processes import Child
        child = Child(name="c", command=["sleep", "60"], log=Path({str(tmp_path / "log")!r}))
        child.start()
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    below = int(parent.stdout.readline())
    assert _alive(below)
    parent.kill()
    parent.wait()
    assert _wait(lambda: not _alive(below))


def test_orphans_of_a_killed_child_are_adopted_and_ended(tmp_path: Path) -> None:
    """As an engine whose worker was killed: it is in a group of its own, and still ends with the supervisor."""
    code = textwrap.dedent(f"""
        import os, signal, subprocess, sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from deploy import processes
        processes.adopt_orphans()
        inner = "import subprocess as s; p = s.Popen(['sleep', '60'], start_new_session=True); print(p.pid, flush=True)"
        keep = subprocess.Popen(["sleep", "60"])
        worker = subprocess.Popen(
            [sys.executable, "-c", inner + "; input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        orphan = int(worker.stdout.readline())
        worker.kill(); worker.wait(); time.sleep(0.1)
        assert orphan in processes.descendants(), "not adopted"
        processes.end_descendants(keep=[keep.pid])
        assert processes.descendants() == [keep.pid]
        processes.end_descendants()
        assert processes.descendants() == []
        print(orphan)
    """)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert not _alive(int(answer.stdout))


def test_last_words_are_the_end_of_the_log(tmp_path: Path) -> None:
    child = Child(name="c", command=["sh", "-c", "echo one; echo two"], log=tmp_path / "log")
    child.start()
    assert _wait(lambda: not child.running())
    child.reap()
    assert child.last_words() == "two"
    assert child.last_words(2) == "one / two"
