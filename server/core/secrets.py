"""Keys: root key -> project key -> one key per owner (a study, an upload).

The root key never touches the database; the others lie there wrapped with AES-256-GCM, bound to the id they
belong to so that a swapped row does not open. Purposes that need a stable key of their own (UID replacement,
duplicate digests, audit signature) derive it from the project key by HKDF (RFC 5869).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
from collections.abc import Iterable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone

from server.core.errors import LaminaError
from server.core.models import DataKey, ProjectKey

NONCE_BYTES = 12


class KeyDestroyed(LaminaError):
    """The owner was erased, or the key does not open with this installation's root key."""

    def __init__(self, message: str = "This was erased and cannot be read any more.") -> None:
        super().__init__("erased", message, status=410)


def _wrap(key: bytes, plain: bytes, context: str) -> bytes:
    nonce = random.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def _unwrap(key: bytes, wrapped: bytes, context: str) -> bytes:
    wrapped = bytes(wrapped)
    try:
        return AESGCM(key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context.encode())
    except InvalidTag:
        message = "The stored key does not open. Start with the LAMINA_ROOT_KEY this database was made with."
        raise KeyDestroyed(message) from None


def project_key(project_id: UUID) -> bytes:
    """The project's key, made on first use."""
    row = ProjectKey.objects.filter(project_id=project_id).first()
    if row is None:
        wrapped = _wrap(settings.LAMINA_ROOT_KEY, random.token_bytes(32), f"project:{project_id}")
        # Two first uses at once: whoever inserted first is right for both.
        row, _ = ProjectKey.objects.get_or_create(project_id=project_id, defaults={"wrapped": wrapped})
    return _unwrap(settings.LAMINA_ROOT_KEY, row.wrapped, f"project:{project_id}")


def owner_key(owner_id: UUID, project_id: UUID | None = None) -> bytes:
    """The key of one owner. Made on first use when `project_id` is given, else KeyDestroyed where there is none."""
    row = DataKey.objects.filter(owner_id=owner_id).first()
    if row is None:
        if project_id is None:
            raise KeyDestroyed()
        wrapped = _wrap(project_key(project_id), random.token_bytes(32), f"owner:{owner_id}")
        row, _ = DataKey.objects.get_or_create(
            owner_id=owner_id, defaults={"project_id": project_id, "wrapped": wrapped}
        )
    if row.wrapped is None:
        raise KeyDestroyed()
    return _unwrap(project_key(row.project_id), row.wrapped, f"owner:{owner_id}")


def destroy_owner_key(owner_id: UUID) -> None:
    """Make everything sealed for this owner unreadable for good."""
    DataKey.objects.filter(owner_id=owner_id).update(wrapped=None, destroyed_at=timezone.now())


def derive(purpose: str, project_id: UUID | None) -> bytes:
    """32 stable bytes for one purpose of one project (of the installation where `project_id` is None)."""
    key = project_key(project_id) if project_id else settings.LAMINA_ROOT_KEY
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"lamina:{purpose}".encode()).derive(key)


def keyed_digest(project_id: UUID, data: bytes) -> str:
    """HMAC-SHA256 of data: equal inside a project, meaningless outside it."""
    return hmac.new(derive("digest", project_id), data, hashlib.sha256).hexdigest()


def seal_text(owner_id: UUID, project_id: UUID, text: str) -> bytes:
    """Encrypt free text or identifiers for a database column."""
    return _wrap(owner_key(owner_id, project_id), text.encode(), f"text:{owner_id}")


def open_text(owner_id: UUID, sealed: bytes) -> str:
    """Undo `seal_text`. Raises KeyDestroyed when the owner was erased."""
    return _unwrap(owner_key(owner_id), sealed, f"text:{owner_id}").decode()


class Box:
    """Seals small binary values of one owner for database columns, with the key fetched once.

    `context` says which value of which row it is: a sealed value put in another place does not open.
    """

    def __init__(self, owner_id: UUID, project_id: UUID | None = None) -> None:
        self._key = owner_key(owner_id, project_id)

    def seal(self, plain: bytes, context: str) -> bytes:
        return _wrap(self._key, plain, f"box:{context}")

    def open(self, sealed: bytes, context: str) -> bytes:
        """Raises KeyDestroyed where it is not what was sealed for this place."""
        return _unwrap(self._key, sealed, f"box:{context}")


def open_texts(owner_id: UUID, sealed: Iterable[bytes | None]) -> list[str]:
    """`open_text` for many texts of one owner with one look for its key; None becomes ""."""
    values = list(sealed)
    if not any(value is not None for value in values):
        return [""] * len(values)
    key = owner_key(owner_id)
    return ["" if value is None else _unwrap(key, value, f"text:{owner_id}").decode() for value in values]
