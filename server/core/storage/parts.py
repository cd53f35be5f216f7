"""Files on their way in: encrypted record by record, so that a piece can be appended at an offset and kept.

A part is a row of records, each: offset (8 bytes), length (4), nonce (12), ciphertext with its 16-byte tag. The
header and the part's id are authenticated, so records cannot be moved, repeated or given to another file. The
database holds how many stored bytes count; what a crash left behind them is overwritten by the next record.
"""

from __future__ import annotations

import errno
import os
import secrets as random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.core import secrets
from server.core.storage import local
from server.core.storage.objects import IntegrityError, StorageFull, check_reserve

HEADER = struct.Struct(">QI12s")
TAG = 16


def _path(owner_id: UUID, part_id: UUID) -> Path:
    return local.folder_of(owner_id) / f"{part_id}.part"


def append_part(owner_id: UUID, project_id: UUID, part_id: UUID, *, at: int, offset: int, plain: bytes) -> int:
    """Write one record at stored byte `at`, which holds plain bytes from `offset` on; fsynced when this returns.

    Returns the stored size to note down. Raises StorageFull; the part is then as it was before.
    """
    check_reserve(len(plain))
    nonce = random.token_bytes(12)
    header = HEADER.pack(offset, len(plain), nonce)
    sealed = AESGCM(secrets.owner_key(owner_id, project_id)).encrypt(nonce, plain, part_id.bytes + header)
    path = _path(owner_id, part_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, at)
        os.lseek(descriptor, at, os.SEEK_SET)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(header)
            file.write(sealed)
        os.fsync(descriptor)
    except OSError as error:
        os.ftruncate(descriptor, at)
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise StorageFull(len(plain)) from error
        raise
    finally:
        os.close(descriptor)
    if is_new:
        local.sync_folder(path.parent)
    return at + HEADER.size + len(sealed)


def read_part(owner_id: UUID, part_id: UUID, stored_size: int) -> Iterator[bytes]:
    """The plain bytes, record by record. Raises IntegrityError where they are not what was sent."""
    cipher = AESGCM(secrets.owner_key(owner_id))
    place, expected = 0, 0
    if not stored_size:
        return
    try:
        with open(_path(owner_id, part_id), "rb") as file:
            while place < stored_size:
                header = file.read(HEADER.size)
                offset, length, nonce = HEADER.unpack(header)
                sealed = file.read(length + TAG)
                if offset != expected:
                    raise IntegrityError(f"{owner_id}/{part_id}")
                yield cipher.decrypt(nonce, sealed, part_id.bytes + header)
                place, expected = place + HEADER.size + len(sealed), expected + length
    except (InvalidTag, struct.error, FileNotFoundError):
        raise IntegrityError(f"{owner_id}/{part_id}") from None


@contextmanager
def new_plain_file(path: Path) -> Iterator[BinaryIO]:
    """A plain file (0600) in a workspace. Raises StorageFull when the device refuses more bytes."""
    try:
        with open(path, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise StorageFull() from error
        raise


def remove_part(owner_id: UUID, part_id: UUID) -> None:
    _path(owner_id, part_id).unlink(missing_ok=True)
