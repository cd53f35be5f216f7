"""A fresh environment from bare Python, ensurepip hidden. One small lock file stands for the large ones."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.environment import LOCK, ROOT

pytestmark = pytest.mark.slow

# ensurepip is hidden as on a bare Debian. Only the sets named here are wanted.
DRIVER = """
import sys
sys.modules["ensurepip"] = None
sys.path.insert(0, sys.argv[1])
from deploy import environment
from deploy.say import Stop
environment.wanted_sets = lambda dev: ("runtime", *(("dev",) if dev else ()))
try:
    environment.ensure(dev="dev" in sys.argv)
except Stop as stop:
    print(stop, file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the door with two tiny lock files."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copy(ROOT / "manage.py", folder)
    shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    for name, package in (("runtime", "sqlparse"), ("dev", "iniconfig")):
        text = (LOCK / f"{name}.txt").read_text()
        entry = re.search(rf"^{package}==.*(?:\n    .*)*", text, flags=re.M)
        assert entry
        (folder / "deploy" / "lock" / f"{name}.txt").write_text(entry.group() + "\n")
    return folder


def _base_python() -> str:
    """The Python that made this environment; it has pip of its own."""
    python = str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info[1]}"))
    answer = subprocess.run([python, "-m", "pip", "--version"], capture_output=True)
    if answer.returncode:
        pytest.skip("the machine's own Python has no pip")
    return python


def _ensure(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [_base_python(), "-c", DRIVER, str(checkout), *words]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if "No network" in answer.stderr:
        pytest.skip("no package index can be reached")
    return answer


def _installed(checkout: Path) -> set[str]:
    return {path.name.split("-")[0] for path in checkout.glob(".venv/lib/python3*/site-packages/*.dist-info")}


def test_two_commands_at_once_build_one_environment(checkout: Path) -> None:
    command = [_base_python(), "-c", DRIVER, str(checkout)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=300)[1] for process in both]
    if any("No network" in text for text in said):
        pytest.skip("no package index can be reached")
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Making .venv ..." in text for text in said) == 1
    assert sum("Another command is preparing the environment" in text for text in said) == 1
    assert _installed(checkout) == {"sqlparse", "pip"}
    assert set(json.loads((checkout / ".venv" / "lamina.json").read_text())["sets"]) == {"runtime"}


def test_a_current_environment_says_nothing(checkout: Path) -> None:
    answer = _ensure(checkout)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_further_set_is_added_without_building_again(checkout: Path) -> None:
    marker = checkout / ".venv" / "kept"
    marker.touch()
    answer = _ensure(checkout, "dev")
    assert answer.returncode == 0, answer.stderr
    assert "Making .venv" not in answer.stderr
    assert marker.exists()
    assert _installed(checkout) == {"sqlparse", "iniconfig", "pip"}


def test_a_half_made_environment_is_built_again(checkout: Path) -> None:
    (checkout / ".venv" / "lamina.json").unlink()
    answer = _ensure(checkout)
    assert answer.returncode == 0, answer.stderr
    assert "Making .venv: done" in answer.stderr or "Making .venv ..." in answer.stderr
    assert not (checkout / ".venv" / "kept").exists()


def test_a_package_with_another_hash_is_not_installed(checkout: Path) -> None:
    lock = checkout / "deploy" / "lock" / "runtime.txt"
    before = lock.read_text()
    lock.write_text(re.sub(r"sha256:\w{8}", "sha256:00000000", before))
    (checkout / ".venv" / "lamina.json").unlink()
    try:
        answer = _ensure(checkout)
        assert answer.returncode == 1
        assert "its hash is another" in answer.stderr
        assert not (checkout / ".venv" / "lamina.json").exists()
    finally:
        lock.write_text(before)
