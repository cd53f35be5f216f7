"""When the environment counts as current, and how it is made where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deploy import environment
from deploy.say import Stop

VERSION = ".".join(map(str, sys.version_info[:3]))


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment that runs, without packages and without a stamp."""
    folder = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


def _stamp(venv: Path, dev: bool = True, **changes: object) -> None:
    sets = {name: environment.lock_hash(name) for name in environment.wanted_sets(dev)}
    (venv / "lamina.json").write_text(json.dumps({"python": VERSION, "sets": sets} | changes))


def test_a_stamped_environment_is_current(venv: Path) -> None:
    _stamp(venv)
    assert environment.missing_sets(dev=True, venv=venv) == ()


def test_without_a_stamp_everything_is_missing(venv: Path) -> None:
    assert environment.missing_sets(dev=True, venv=venv) == environment.wanted_sets(dev=True)


def test_a_changed_lock_file_is_installed_again(venv: Path) -> None:
    _stamp(venv)
    stamp = json.loads((venv / "lamina.json").read_text())
    stamp["sets"]["runtime"] = "another"
    (venv / "lamina.json").write_text(json.dumps(stamp))
    assert environment.missing_sets(dev=True, venv=venv) == ("runtime",)


def test_the_tests_need_one_set_more(venv: Path) -> None:
    _stamp(venv, dev=False)
    assert environment.missing_sets(dev=False, venv=venv) == ()
    assert environment.missing_sets(dev=True, venv=venv) == ("dev",)


def test_another_python_behind_the_link_makes_it_stale(venv: Path) -> None:
    _stamp(venv, python="3.11.0")
    assert environment.missing_sets(dev=False, venv=venv) == environment.wanted_sets(dev=False)


def test_a_python_that_does_not_run_makes_it_stale(venv: Path) -> None:
    _stamp(venv)
    environment.python_of(venv).unlink()
    assert environment.missing_sets(dev=False, venv=venv) == environment.wanted_sets(dev=False)


def test_a_broken_stamp_counts_as_none(venv: Path) -> None:
    (venv / "lamina.json").write_text("{ half")
    assert environment.missing_sets(dev=False, venv=venv) == environment.wanted_sets(dev=False)


def test_an_interrupted_build_leaves_no_stamp(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp goes first and comes back last, so a cut in between is seen."""
    _stamp(venv)
    stamp = json.loads((venv / "lamina.json").read_text())
    stamp["sets"]["runtime"] = "another"
    (venv / "lamina.json").write_text(json.dumps(stamp))

    def cut(name: str, venv: Path, steps: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "_install", cut)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure(dev=False, venv=venv)
    assert environment.missing_sets(dev=False, venv=venv) == environment.wanted_sets(dev=False)


def test_a_second_builder_waits_for_the_first(venv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with environment.building_lock(venv):
            order.append("second")

    with environment.building_lock(venv):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert "Another command is preparing the environment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "No disk space"),
        ("WARNING: Retrying ... NewConnectionError: Failed to establish a new connection", "No network"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "No network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash is another"),
    ],
)
def test_what_pip_says_becomes_one_sentence(line: str, sentence: str) -> None:
    stop = environment._explain(["Collecting django", line])
    assert stop is not None
    assert sentence in str(stop)


def test_without_ensurepip_the_machines_own_pip_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a bare Debian: venv cannot bring pip, so `python3 -m pip --python` puts it there."""
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else True)
    ran: list[list[str]] = []

    def run(command: list[str], show: bool = False) -> list[str] | None:
        ran.append(command)
        return None

    monkeypatch.setattr(environment, "_run", run)
    environment._make(tmp_path / ".venv")
    assert ran[0][1:4] == ["-m", "venv", "--without-pip"]
    assert ran[1][1:4] == ["-m", "pip", "--python"]
    assert len(ran) == 2


def test_without_any_helper_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else True)
    monkeypatch.setattr(
        environment, "_run", lambda command, show=False: None if "venv" in command else ["No module named pip"]
    )
    with pytest.raises(Stop, match=r"apt install python3-venv"):
        environment._make(tmp_path / ".venv")
    assert not (tmp_path / ".venv").exists()
