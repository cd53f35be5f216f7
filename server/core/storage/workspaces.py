"""Folders where plain files lie for the length of one job: mode 0700, removed after it and by the sweeper."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from server.core.storage.objects import StorageFull, open_range

LEFTOVER_SECONDS = 24 * 3600


def _root() -> Path:
    root = Path(settings.LAMINA_HOME) / "work"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


@contextmanager
def workspace(prefix: str) -> Iterator[Path]:
    """A fresh private folder, gone when the block ends however it ends."""
    folder = _root() / f"{prefix}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def materialise(files: Mapping[str, str], folder: Path) -> Path:
    """Write the objects {relative name: reference} as plain files below `folder` (0700). Returns the folder.

    Raises ValueError for a name that leaves the folder, StorageFull, IntegrityError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    base = folder.resolve()
    for name, ref in files.items():
        path = (base / name).resolve()
        if not path.is_relative_to(base) or path == base:
            raise ValueError(f"{name!r} leaves its folder")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(path, "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                for piece in open_range(ref):
                    file.write(piece)
        except OSError as error:
            if error.errno == 28:
                raise StorageFull() from error
            raise
    return folder


def clean_workspaces(older_than_seconds: float = LEFTOVER_SECONDS) -> int:
    """Remove folders whose process is gone. Returns how many. A folder of a live process stays."""
    removed = 0
    for folder in _root().iterdir():
        process = folder.name.rsplit("-", 2)[-2]
        alive = process.isdigit() and Path(f"/proc/{process}").exists()
        try:
            age = time.time() - folder.stat().st_mtime
        except FileNotFoundError:
            continue
        if not alive or age > older_than_seconds:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed
