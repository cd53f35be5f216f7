"""LAMINA_HOME: the one private folder of an installation, and who is running it.

root.key, secret.key   made by the settings on first use
storage/               encrypted objects, unless LAMINA_STORAGE names another place
postgres/ redis/ run/  data and sockets of the embedded services
logs/                  one file per process
lamina.lock            held by the process that owns the embedded services
running.json           how others reach them
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.say import Stop
from server.environment import home as _home


@dataclass(frozen=True)
class Home:
    """Paths below LAMINA_HOME."""

    folder: Path

    @classmethod
    def here(cls) -> Home:
        try:
            return cls(_home())
        except OSError as error:
            raise Stop(
                f"Cannot make the folder {error.filename} ({error.strerror}); set LAMINA_HOME to a folder of your own."
            ) from None

    def sub(self, name: str) -> Path:
        """A private folder below, made when missing."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def log(self, name: str) -> Path:
        return self.sub("logs") / f"{name}.log"

    def kept_password(self, name: str) -> str:
        """A random password kept in a 0600 file, made on first use by whoever holds the lock."""
        path = self.folder / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text().strip()

    def running(self) -> dict[str, Any] | None:
        """What the owner of the embedded services wrote, None where nobody owns them now."""
        lock = HomeLock(self)
        if lock.take():
            lock.release()
            return None
        try:
            answer = json.loads((self.folder / "running.json").read_text())
        except (OSError, ValueError):
            return {}  # it has just begun
        return answer if isinstance(answer, dict) else {}


class HomeLock:
    """Held by the one process that runs services in a home. The kernel frees it when the process dies."""

    def __init__(self, home: Home) -> None:
        self._path = home.folder / "lamina.lock"
        self._note = home.folder / "running.json"
        self._descriptor: int | None = None

    def take(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def say(self, **facts: Any) -> None:
        """Tell other commands how to reach what runs here."""
        write_private(self._note, json.dumps({"pid": os.getpid(), **facts}))

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def forget(self) -> None:
        """Release, and take the note away."""
        self._note.unlink(missing_ok=True)
        self.release()


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file in one move."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
