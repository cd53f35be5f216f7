"""The engine as a process: warm, limited, cancellable, quiet, and gone with its guard."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from server.jobs.process import EngineFailed, EngineProcess, EngineStopped, Interrupted


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    process = EngineProcess("tests.server.jobs.noisy_door")
    yield process
    process.stop()


def call(engine: EngineProcess, do: str, **values: Any) -> dict[str, Any]:
    options = {name: values.pop(name) for name in ("limits", "interruption", "on_progress") if name in values}
    return engine.call("do", {"do": do, **values}, **options).result


def test_it_stays_warm_and_passes_progress_on(engine: EngineProcess) -> None:
    heard: list[Any] = []
    first = call(engine, "echo", text="海马", on_progress=heard.append)
    second = call(engine, "echo")
    assert first["echo"] == "海马"
    assert first["pid"] == second["pid"] == engine.pid
    assert heard == [{"phase": "read", "fraction": 0.5, "detail": ""}]


def test_it_warms_up_without_an_answer(engine: EngineProcess) -> None:
    engine.warm()
    pid = engine.pid
    assert call(engine, "echo") == {"echo": "", "pid": pid, "warmed": ["up"]}


def test_it_leads_its_own_group(engine: EngineProcess) -> None:
    call(engine, "echo")
    assert engine.pid is not None
    assert os.getpgid(engine.pid) == engine.pid != os.getpgid(0)


def test_noise_on_stdout_and_stderr_breaks_nothing_and_goes_nowhere(
    engine: EngineProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(engine, "print") == {"ok": True}
    assert call(engine, "echo")["echo"] == ""
    captured = capfd.readouterr()
    assert "Doe" not in captured.out + captured.err


def test_it_knows_no_address_and_no_key(engine: EngineProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "LAMINA_ROOT_KEY", "LAMINA_SECRET_KEY", "EMAIL_URL"):
        monkeypatch.setenv(name, "planted")
    names = call(engine, "environment")["names"]
    assert not {"DATABASE_URL", "REDIS_URL", "LAMINA_ROOT_KEY", "LAMINA_SECRET_KEY", "EMAIL_URL"} & set(names)


def test_a_refusal_has_its_code_and_facts(engine: EngineProcess) -> None:
    with pytest.raises(EngineFailed) as refused:
        call(engine, "refuse")
    assert (refused.value.code, refused.value.facts) == ("not_a_volume", {"file": "a.dcm", "slices": 2})
    assert call(engine, "echo")["pid"] == engine.pid


def test_an_unknown_failure_names_its_place_and_quotes_nothing(engine: EngineProcess) -> None:
    with pytest.raises(EngineFailed) as failed:
        call(engine, "fail")
    assert failed.value.code == "internal"
    assert failed.value.facts["exception"] == "ValueError"
    assert "noisy_door.py:" in failed.value.facts["place"]
    assert "Doe" not in str(failed.value.facts) + failed.value.message


def test_memory_over_the_limit_is_named_and_the_limit_is_lifted_after(engine: EngineProcess) -> None:
    with pytest.raises(EngineFailed) as failed:
        call(engine, "hold", mib=300, limits={"memory_mib": 100})
    assert failed.value.code == "out_of_memory"
    assert failed.value.facts["limit_mib"] > 100
    assert call(engine, "hold", mib=150)["held"] == 150 * 2**20


def test_peak_memory_is_of_this_call(engine: EngineProcess) -> None:
    large = engine.call("do", {"do": "hold", "mib": 200}).peak_memory_mib
    small = engine.call("do", {"do": "echo"}).peak_memory_mib
    assert large is not None
    assert small is not None
    assert large > 200
    assert small < 150


def test_endless_work_ends_at_its_cpu_limit(engine: EngineProcess) -> None:
    with pytest.raises(EngineStopped) as stopped:
        call(engine, "spin", limits={"cpu_seconds": 1})
    assert stopped.value.exit_signal == signal.SIGXCPU
    assert call(engine, "echo")["echo"] == ""


def test_a_file_over_its_limit_is_refused(engine: EngineProcess, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed) as failed:
        call(engine, "write", path=str(tmp_path / "large"), mib=20, limits={"file_mib": 5})
    assert failed.value.facts["exception"] == "OSError"


def test_a_process_that_ends_is_named_with_its_code(engine: EngineProcess) -> None:
    with pytest.raises(EngineStopped, match="code 7"):
        call(engine, "exit")


def test_a_kill_from_outside_is_named_with_its_signal_and_peak(engine: EngineProcess) -> None:
    with pytest.raises(EngineStopped, match="signal 9") as stopped:
        call(engine, "wait", on_progress=lambda _: os.kill(engine.pid or 0, signal.SIGKILL))
    assert stopped.value.peak_memory_mib > 5  # type: ignore[operator]


@pytest.mark.parametrize("reason", ["cancelled", "lost", "timeout"])
def test_an_interruption_ends_the_whole_group(engine: EngineProcess, reason: str) -> None:
    children: list[int] = []
    with pytest.raises(Interrupted, match=reason):
        call(
            engine,
            "child",
            on_progress=lambda progress: children.append(int(progress["detail"])),
            interruption=lambda: reason if children else None,
        )
    assert engine.pid is None
    deadline = time.monotonic() + 3
    while _alive(children[0]):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_ends_when_its_guard_is_killed() -> None:
    """kill -9 of the guard: the kernel takes the engine along."""
    program = (
        "import django; django.setup()\n"
        "from server.jobs.process import EngineProcess\n"
        "engine = EngineProcess('tests.server.jobs.noisy_door')\n"
        "engine.call('do', {'do': 'wait'}, on_progress=lambda _: print(engine.pid, flush=True))\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "server.settings"}
    guard = subprocess.Popen(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE
    )
    assert guard.stdout is not None
    pid = int(guard.stdout.readline())
    assert _alive(pid)
    guard.kill()
    guard.wait()
    deadline = time.monotonic() + 3
    while _alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_door_itself_loads_nothing_heavy() -> None:
    program = (
        "import sys, server.engine\n"
        "heavy = {'torch', 'vtk', 'SimpleITK', 'django', 'pydicom'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=settings.BASE_DIR, check=True)


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False
