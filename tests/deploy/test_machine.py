"""One clear sentence for each machine that cannot run Lamina."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import machine
from deploy.say import Stop


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_an_unsupported_python_names_the_supported_ones(version: tuple[int, int]) -> None:
    with pytest.raises(Stop, match=r"needs Python 3.11, 3.12 or 3.13 and this is Python"):
        machine.check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_supported_python_passes(version: tuple[int, int]) -> None:
    machine.check_python(version)


def test_the_door_can_be_read_by_old_pythons() -> None:
    """The sentence about versions reaches people only if their Python can parse manage.py."""
    import ast

    ast.parse((Path(machine.__file__).parents[1] / "manage.py").read_text(), feature_version=(3, 4))


def test_another_platform_names_the_two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "embedded_is_supported", lambda: False)
    with pytest.raises(Stop, match=r"set DATABASE_URL and REDIS_URL"):
        machine.check_platform({"DATABASE_URL": "postgresql://here"})
    machine.check_platform({"DATABASE_URL": "postgresql://here", "REDIS_URL": "redis://here"})


def test_too_little_space_names_folder_and_amounts(tmp_path: Path) -> None:
    missing = tmp_path / "not" / "made"
    machine.check_space(missing, 1, "the test")
    with pytest.raises(
        Stop, match=rf"No disk space: the test needs 1048576.0 GiB in {missing} and \d+\.\d GiB are free"
    ):
        machine.check_space(missing, 1024**5, "the test")
    assert not missing.exists()


def test_a_port_in_use_names_the_port_and_a_cure() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Stop, match=rf"Port {port} on 127.0.0.1 is in use.*--port {port + 1}"):
            machine.check_port("127.0.0.1", port)
    machine.check_port("127.0.0.1", machine.free_port())


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Stop, match=r"Cannot listen on 192.0.2.1:\d+"):
        machine.check_port("192.0.2.1", machine.free_port())


def test_bare_python_can_read_everything_before_the_environment() -> None:
    """The door's modules import the standard library only."""
    names = "deploy.door, deploy.environment, deploy.browser_libraries, deploy.machine, deploy.say"
    root = str(Path(machine.__file__).parents[1])
    loaded = "[m for m in sys.modules if m.split('.')[0] in ('django', 'psycopg', 'server')]"
    code = f"import sys; sys.path.insert(0, {root!r}); import {names}; print({loaded})"
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
