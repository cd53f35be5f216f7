"""Put, read and erase encrypted objects."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.utils import timezone

from server.core import secrets
from server.core.errors import LaminaError
from server.core.models import StoredObject
from server.core.storage import local, sealing

log = logging.getLogger("lamina.storage")

# Kept free so that the database, which often shares the disk, can still commit.
RESERVE_BYTES = 64 * 1024 * 1024


class StorageFull(LaminaError):
    def __init__(self, needed: int | None = None) -> None:
        message = "Storage is full. Nothing of this file was kept. Free space, then send it again."
        super().__init__("storage_full", message, status=507, **({"needed_bytes": needed} if needed else {}))


class IntegrityError(LaminaError):
    """What was read is not what was stored. The object is quarantined."""

    def __init__(self, ref: str) -> None:
        message = "A stored file is damaged and was set aside. Run the reconstruction or the import again."
        super().__init__("integrity_error", message, status=500)
        self.ref = ref


def _parse(ref: str) -> tuple[UUID, str]:
    owner, _, address = ref.partition("/")
    return UUID(owner), address


class _Hashed:
    """A stream that hashes what passes through it."""

    def __init__(self, stream: BinaryIO, key: bytes) -> None:
        self.stream = stream
        self.mac = hmac.new(key, digestmod=hashlib.sha256)
        self.size = 0

    def read(self, count: int) -> bytes:
        piece = self.stream.read(count)
        self.mac.update(piece)
        self.size += len(piece)
        return piece


def check_reserve(needed: int) -> None:
    """Raise StorageFull before the work starts rather than at its end."""
    if local.free_bytes() - needed < RESERVE_BYTES:
        raise StorageFull(needed)


def put(owner_id: UUID, project_id: UUID, stream: BinaryIO) -> str:
    """Encrypt and store a stream; returns its reference. Safe to call before the transaction that names it.

    Raises StorageFull with nothing left behind.
    """
    key = secrets.owner_key(owner_id, project_id)
    hashed = _Hashed(stream, secrets.derive("digest", project_id))
    try:
        address, stored_size = local.write(owner_id, sealing.seal(key, hashed))  # type: ignore[arg-type]
    except local.NoSpace as error:
        raise StorageFull() from error
    StoredObject.objects.get_or_create(
        owner_id=owner_id,
        address=address,
        defaults={
            "project_id": project_id,
            "stored_size": stored_size,
            "plain_size": hashed.size,
            "keyed_digest": hashed.mac.hexdigest(),
        },
    )
    return f"{owner_id}/{address}"


def put_file(owner_id: UUID, project_id: UUID, path: Path | str) -> str:
    check_reserve(Path(path).stat().st_size)
    with open(path, "rb") as file:
        return put(owner_id, project_id, file)


@dataclass(frozen=True)
class ObjectReader:
    """Everything needed to read an object without the database, so that a stream may run in any thread."""

    ref: str
    owner_id: UUID
    address: str
    plain_size: int
    key: bytes

    def range(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Plain bytes in pieces of at most 1 MiB. Raises IntegrityError and quarantines a damaged object."""
        length = self.plain_size - start if length is None else length
        try:
            with local.open_stored(self.owner_id, self.address) as stored:
                yield from sealing.unseal_range(self.key, stored, self.plain_size, start, length)
        except (sealing.Damaged, FileNotFoundError) as error:
            quarantine(self.ref)
            log.error("damaged object %s: %s", self.ref, error)
            raise IntegrityError(self.ref) from None


def reader(ref: str) -> ObjectReader:
    """Raises IntegrityError when the object is unknown or quarantined, KeyDestroyed when its owner was erased."""
    owner_id, address = _parse(ref)
    row = StoredObject.objects.filter(owner_id=owner_id, address=address).first()
    key = secrets.owner_key(owner_id)
    if row is None or row.quarantined_at:
        raise IntegrityError(ref)
    return ObjectReader(ref, owner_id, address, row.plain_size, key)


def size(ref: str) -> int:
    """Plain size in bytes."""
    return reader(ref).plain_size


def open_range(ref: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    return reader(ref).range(start, length)


def read(ref: str) -> bytes:
    return b"".join(open_range(ref))


def quarantine(ref: str) -> None:
    owner_id, address = _parse(ref)
    StoredObject.objects.filter(owner_id=owner_id, address=address, quarantined_at=None).update(
        quarantined_at=timezone.now()
    )


def is_sound(ref: str) -> bool:
    """False where the object was set aside as damaged or is unknown."""
    owner_id, address = _parse(ref)
    return StoredObject.objects.filter(owner_id=owner_id, address=address, quarantined_at=None).exists()


def erase_owner(owner_id: UUID) -> None:
    """Destroy the key first, then the bytes: a crash in between leaves only unreadable files."""
    secrets.destroy_owner_key(owner_id)
    local.remove_owner(owner_id)
    StoredObject.objects.filter(owner_id=owner_id).delete()


def remove(ref: str) -> None:
    """Remove one object that nothing names any more. Who has it open reads on."""
    owner_id, address = _parse(ref)
    StoredObject.objects.filter(owner_id=owner_id, address=address).delete()
    local.remove(owner_id, address)
