"""`manage.py test [pytest arguments]`: the suite against an embedded PostgreSQL and Redis of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded import Embedded
from deploy.environment import ROOT
from deploy.home import Home
from deploy.processes import adopt_orphans, die_with, end_descendants
from deploy.say import Steps


def main(words: list[str]) -> int:
    """Run pytest with these words. Returns its exit status."""
    adopt_orphans()
    with throwaway_services() as env:
        return run_pytest(words, env)


@contextmanager
def throwaway_services() -> Iterator[dict[str, str]]:
    """Fast, forgetful services in a home of their own; yields the environment of a process that uses them."""
    folder = Home.here().sub("tests")
    _sweep(folder)
    home = Home(folder / str(os.getpid()))
    home.folder.mkdir(mode=0o700)
    env = {**os.environ, "LAMINA_HOME": str(home.folder), "LAMINA_TESTING": "1", "LAMINA_PLAIN_STATICS": "1"}
    for name in ("LAMINA_DEMO", "LAMINA_STORAGE", "LAMINA_ROOT_KEY", "LAMINA_SECRET_KEY", "LAMINA_ALLOWED_HOSTS"):
        env.pop(name, None)
    embedded = Embedded(home, os.environ, durable=False)
    try:
        with Steps().step("services", "Starting PostgreSQL and Redis for the tests"):
            embedded.start()
        yield env | embedded.urls()
    finally:
        embedded.stop()
        end_descendants()
        shutil.rmtree(home.folder, ignore_errors=True)


def run_pytest(words: list[str], env: dict[str, str]) -> int:
    # A Ctrl-C reaches pytest too; it answers with its report, and this process waits for that.
    ends_with_this = die_with(os.getpid(), signal.SIGTERM)
    process = subprocess.Popen([sys.executable, "-m", "pytest", *words], env=env, cwd=ROOT, preexec_fn=ends_with_this)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminate = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, terminate)


def _sweep(folder: Path) -> None:
    """Remove what a killed run left behind."""
    for left in folder.iterdir():
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
