"""The environment variables that every Lamina process gets, and who provides the services behind them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.embedded import Embedded
from deploy.home import Home, HomeLock
from deploy.processes import adopt_orphans, end_descendants
from deploy.say import Stop
from server import environment


def complete(environ: os._Environ[str] | dict[str, str] = os.environ) -> bool:
    """True when a person brought both services along."""
    return bool(environ.get("DATABASE_URL") and environ.get("REDIS_URL"))


def check_variables() -> None:
    """Stop for a variable that the settings could not read, with their own sentence about it."""
    try:
        if os.environ.get("DATABASE_URL"):
            environment.database()
        if os.environ.get("REDIS_URL"):
            environment.redis_url()
        if os.environ.get("LAMINA_ROOT_KEY"):
            environment.kept_secret("LAMINA_ROOT_KEY", "root.key")
    except ValueError as error:
        raise Stop(str(error)) from None


def take_home(home: Home, wait_s: float = 1.0) -> HomeLock:
    """Become the one who runs services here. Raises Stop naming who does."""
    lock = HomeLock(home)
    deadline = time.monotonic() + wait_s
    while not lock.take():
        if time.monotonic() > deadline:
            facts = home.running() or {}
            where = f" at {facts['address']}" if facts.get("address") else ""
            raise Stop(
                f"Lamina is already running{where} (process {facts.get('pid', 'unknown')}, folder {home.folder}); "
                "stop it first, or set LAMINA_HOME to another folder for a second one."
            )
        time.sleep(0.05)  # a command that only looks holds the lock for a moment
    return lock


@contextmanager
def borrowed_or_own(home: Home, wait_s: float = 60.0) -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL for one command: a running owner's, else embedded for as long as the block runs."""
    check_variables()
    if complete():
        yield {}
        return
    lock = HomeLock(home)
    deadline = time.monotonic() + wait_s
    while not lock.take():
        facts = home.running()
        if facts and "urls" in facts:
            given = ("DATABASE_URL", "REDIS_URL")
            yield {name: url for name, url in facts["urls"].items() if name in given and not os.environ.get(name)}
            return
        if time.monotonic() > deadline:
            raise Stop(f"Lamina has been starting in {home.folder} for a minute; look at its terminal, then try again.")
        time.sleep(0.1)
    adopt_orphans()
    embedded = Embedded(home, os.environ)
    try:
        embedded.start()
        lock.say(urls=embedded.urls())
        yield embedded.urls()
    finally:
        embedded.stop()
        end_descendants()
        lock.forget()
