"""The audit chain: written by services, sealed by one sealer, verifiable without the server.

`record` inserts a row in the caller's transaction. `seal_pending` gives committed rows their place in the chain
of their project: hash = SHA-256(previous hash + canonical JSON of the row), and signs the newest hash with
Ed25519 (RFC 8032). The public key travels in every export.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from server.core import secrets
from server.core.models import AuditEntry, AuditHead

GENESIS = "0" * 64


def record(
    actor: Any, act: str, target: models.Model | None, *, project_id: UUID | None = None, **facts: Any
) -> AuditEntry:
    """Insert one row. `facts` holds ids, numbers and codes only. Call it inside the transaction of the act."""
    if project_id is None and target is not None:
        project_id = getattr(target, "project_id", None)
    return AuditEntry.objects.create(
        project_id=project_id,
        actor_id=getattr(actor, "pk", None),
        act=act,
        target_kind=target._meta.model_name if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        facts=json.loads(json.dumps(facts, default=str)),
        at=timezone.now(),
    )


def canonical(entry: AuditEntry) -> dict[str, Any]:
    """What the hash covers, in the form of the export."""
    return {
        "id": str(entry.id),
        "project_id": str(entry.project_id) if entry.project_id else None,
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "act": entry.act,
        "target_kind": entry.target_kind,
        "target_id": entry.target_id,
        "facts": entry.facts,
        "at": entry.at.isoformat(),
        "position": entry.position,
    }


def link_hash(previous: str, row: Mapping[str, Any]) -> str:
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def _signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secrets.derive("audit-signature", None))


def public_key() -> str:
    return _signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def seal_pending(limit: int = 1000) -> int:
    """Chain committed rows that have no place yet. One sealer at a time; returns how many it sealed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('lamina.audit'))")
        if not cursor.fetchone()[0]:
            return 0
        pending = list(AuditEntry.objects.filter(position=None).order_by("at", "id")[:limit])
        heads: dict[str, AuditHead] = {}
        for entry in pending:
            chain = str(entry.project_id) if entry.project_id else "site"
            if chain not in heads:
                heads[chain], _made = AuditHead.objects.get_or_create(chain=chain, defaults={"hash": GENESIS})
            head = heads[chain]
            entry.position = head.position + 1
            entry.hash = link_hash(head.hash, canonical(entry))
            head.position, head.hash = entry.position, entry.hash
        AuditEntry.objects.bulk_update(pending, ["position", "hash"])
        for chain, head in heads.items():
            head.signature = _signing_key().sign(f"{chain}:{head.position}:{head.hash}".encode()).hex()
            head.save()
        return len(pending)


@contextmanager
def _sealer_waits() -> Iterator[None]:
    """No entry gets its place meanwhile: a chain and its head that are read one after the other belong together."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('lamina.audit'))")
        yield


def _sealed_rows(project_id: UUID | None) -> Iterator[dict[str, Any]]:
    rows = AuditEntry.objects.filter(project_id=project_id).exclude(position=None).order_by("position")
    for row in rows.iterator(chunk_size=2000):
        yield {**canonical(row), "hash": row.hash}


def _head_of(chain: str) -> dict[str, Any] | None:
    return AuditHead.objects.filter(chain=chain).values("position", "hash", "signature").first()


def export_chain(project_id: UUID | None) -> dict[str, Any]:
    """The whole sealed chain of one project with its head, signature and public key."""
    chain = str(project_id) if project_id else "site"
    with _sealer_waits():
        entries, head = list(_sealed_rows(project_id)), _head_of(chain)
    return {"chain": chain, "entries": entries, "head": head, "public_key": public_key()}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a chain. `position` is the first entry that cannot be trusted, None where it is the head."""

    code: str
    position: int | None = None

    def __str__(self) -> str:
        words = {
            "missing": _("entry %(n)s is missing or out of place"),
            "changed": _("entry %(n)s was changed after it was sealed"),
            "no_head": _("the chain has no head"),
            "other_end": _("the chain does not end at its signed head"),
            "signature": _("the signature of the head is wrong"),
        }
        return words[self.code] % {"n": self.position}


def verify_chain(project_id: UUID | None) -> tuple[dict[str, Any] | None, list[Problem]]:
    """(head, what is wrong) of the stored chain of a project, read entry by entry without holding it in memory."""
    chain = str(project_id) if project_id else "site"
    with _sealer_waits():
        head = _head_of(chain)
        return head, list(_problems(chain, _sealed_rows(project_id), head, public_key()))


def verify_export(export: Mapping[str, Any]) -> list[str]:
    """Problems found in an exported chain, in words; an empty list means it is whole. Needs no database."""
    return [str(one) for one in _problems(export["chain"], export["entries"], export["head"], export["public_key"])]


def _problems(chain: Any, entries: Iterable[Any], head: Any, key: Any) -> Iterator[Problem]:
    previous, count, is_broken = GENESIS, 0, False
    for count, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or entry.get("position") != count:
            yield Problem("missing", count)
            is_broken = True
            break
        row = {name: value for name, value in entry.items() if name != "hash"}
        if link_hash(previous, row) != entry.get("hash"):
            yield Problem("changed", count)
            is_broken = True
            break
        previous = entry["hash"]
    if head is None:
        if count:
            yield Problem("no_head")
        return
    try:
        if not is_broken and (head["hash"] != previous or head["position"] != count):
            yield Problem("other_end")
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(head["signature"]), f"{chain}:{head['position']}:{head['hash']}".encode())
    except (InvalidSignature, ValueError, TypeError, KeyError):
        yield Problem("signature")
