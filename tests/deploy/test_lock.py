"""The lock files: complete, hashed, without host names."""

from __future__ import annotations

import re
import tomllib

import pytest

from deploy.environment import LOCK, ROOT

FILES = sorted(LOCK.glob("*.txt"))
HASHED = [path for path in FILES if path.name != "torch.txt"]


def _names(text: str) -> dict[str, str]:
    """Normalised name -> version of every locked package."""
    pairs = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, flags=re.M)
    return {_normal(name): version for name, version in pairs}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(*names: str) -> dict[str, str]:
    return {key: value for name in names for key, value in _names((LOCK / f"{name}.txt").read_text()).items()}


def test_every_set_has_a_lock_file() -> None:
    assert [path.stem for path in FILES] == ["dev", "embedded", "explain", "node", "redis", "runtime", "torch"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lock_file_names_no_host(path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(index|extra|find|trusted)", text, flags=re.M)


@pytest.mark.parametrize("path", HASHED, ids=lambda path: path.stem)
def test_every_locked_package_has_a_hash(path) -> None:
    blocks = re.findall(r"^[a-z0-9].*(?:\n    .*)*", path.read_text(), flags=re.M)
    assert blocks
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(
    ("extra", "files"),
    [
        ("", ("runtime",)),
        ("engine", ("runtime", "torch")),
        ("demo", ("runtime",)),
        ("train", ("runtime",)),
        ("embedded", ("runtime", "embedded", "redis")),
        ("dev", ("runtime", "dev")),
        ("explain", ("runtime", "explain")),
    ],
)
def test_the_lock_has_what_pyproject_pins(extra: str, files: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["optional-dependencies"][extra] if extra else project["dependencies"]
    locked = _locked(*files)
    for requirement in requirements:
        name, version = re.match(r"([A-Za-z0-9_.-]+)(?:\[.*\])?==([^;\s]+)", requirement).groups()
        assert locked.get(_normal(name)) == version, f"{requirement} is not in {files}; run deploy/lock/make.py"


def test_markers_needed_by_older_pythons_are_kept() -> None:
    """Debian's 3.11.2 needs async-timeout for redis-py; a lock made on 3.11.7 without markers loses it."""
    assert re.search(
        r"^async-timeout==\S+ ; python_full_version < '3.11.3'", (LOCK / "runtime.txt").read_text(), flags=re.M
    )


def test_licences_that_bind_are_not_locked() -> None:
    assert not _locked("runtime", "embedded", "redis", "dev", "explain").keys() & {"pymeshlab", "pylibjpeg-libjpeg"}
    assert not _locked("runtime", "embedded", "redis").keys() & {"daphne", "twisted"}
