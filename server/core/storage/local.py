"""Stored bytes in a local or shared folder. An object store takes the same four calls."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings


class NoSpace(Exception):
    """The device refused more bytes; nothing of the object remains."""


def folder_of(owner_id: UUID) -> Path:
    text = str(owner_id)
    return Path(settings.LAMINA_STORAGE) / text[:2] / text


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(owner_id: UUID, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Store the pieces under the SHA-256 of their bytes. Returns (address, size).

    Temporary file in the same file system, hash while writing, fsync, rename, fsync of the folder: a crash
    leaves either nothing but a temporary file or the whole object. Raises NoSpace.
    """
    folder = folder_of(owner_id)
    temporary = folder / f".partial-{uuid.uuid4().hex}"
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / digest.hexdigest())
        sync_folder(folder)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise NoSpace(str(error.strerror)) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return digest.hexdigest(), size


def open_stored(owner_id: UUID, address: str) -> BinaryIO:
    """Raises FileNotFoundError when it is gone."""
    return open(folder_of(owner_id) / address, "rb")


def remove_owner(owner_id: UUID) -> None:
    shutil.rmtree(folder_of(owner_id), ignore_errors=True)


def remove(owner_id: UUID, address: str) -> None:
    (folder_of(owner_id) / address).unlink(missing_ok=True)


def free_bytes() -> int:
    folder = Path(settings.LAMINA_STORAGE)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free
