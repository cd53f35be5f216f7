"""The audit chain: written by services, sealed by one sealer, verifiable without the server.

`record` inserts a row in the caller's transaction. `seal_pending` gives committed rows their place in the chain
of their project: hash = SHA-256(previous hash + canonical JSON of the row), and signs the newest hash with
Ed25519 (RFC 8032). The public key travels in every export.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection, models, transaction
from django.utils import timezone

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
                heads[chain], _ = AuditHead.objects.get_or_create(chain=chain, defaults={"hash": GENESIS})
            head = heads[chain]
            entry.position = head.position + 1
            entry.hash = link_hash(head.hash, canonical(entry))
            head.position, head.hash = entry.position, entry.hash
        AuditEntry.objects.bulk_update(pending, ["position", "hash"])
        for chain, head in heads.items():
            head.signature = _signing_key().sign(f"{chain}:{head.position}:{head.hash}".encode()).hex()
            head.save()
        return len(pending)


def export_chain(project_id: UUID | None) -> dict[str, Any]:
    """The whole sealed chain of one project with its head, signature and public key."""
    chain = str(project_id) if project_id else "site"
    rows = AuditEntry.objects.filter(project_id=project_id).exclude(position=None).order_by("position")
    head = AuditHead.objects.filter(chain=chain).first()
    return {
        "chain": chain,
        "entries": [{**canonical(row), "hash": row.hash} for row in rows],
        "head": {"position": head.position, "hash": head.hash, "signature": head.signature} if head else None,
        "public_key": public_key(),
    }


def verify_export(export: Mapping[str, Any]) -> list[str]:
    """Problems found in an exported chain; an empty list means it is whole. Needs no database."""
    problems: list[str] = []
    previous = GENESIS
    entries: Iterable[Any] = export["entries"]
    for expected, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or entry.get("position") != expected:
            problems.append(f"entry {expected} is missing or out of place")
            break
        row = {name: value for name, value in entry.items() if name != "hash"}
        if link_hash(previous, row) != entry.get("hash"):
            problems.append(f"entry {expected} was changed after it was sealed")
            break
        previous = entry["hash"]
    head = export["head"]
    if head is None:
        return problems if not export["entries"] else [*problems, "the chain has no head"]
    try:
        if not problems and (head["hash"] != previous or head["position"] != len(export["entries"])):
            problems.append("the chain does not end at its signed head")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(export["public_key"]))
        message = f"{export['chain']}:{head['position']}:{head['hash']}".encode()
        key.verify(bytes.fromhex(head["signature"]), message)
    except (InvalidSignature, ValueError, TypeError, KeyError):
        problems.append("the signature of the head is wrong")
    return problems
