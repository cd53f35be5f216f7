"""Keeping the rows of algorithms equal to what the engine says, and taking a version out of service."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from server import engine
from server.algorithms.models import Algorithm, AlgorithmVersion
from server.core import audit

GONE = "gone"  # the engine of this release no longer has it


@transaction.atomic
def sync_algorithms() -> int:
    """Follow `engine.describe()`: new versions come, vanished ones go out of service, results of them stay.

    Returns how many versions the engine has.
    """
    seen = []
    for position, description in enumerate(engine.describe()):
        algorithm, _ = Algorithm.objects.update_or_create(
            name=description["name"],
            defaults={"title": description["title"], "summary": description["summary"]},
        )
        version, created = AlgorithmVersion.objects.update_or_create(
            algorithm=algorithm,
            version=description["version"],
            defaults={
                "description": description,
                "weights_sha256": description["weights_sha256"],
                "position": position,
            },
        )
        if not created and version.disabled_reason == GONE:
            version.in_service, version.disabled_reason = True, ""
            version.save(update_fields=["in_service", "disabled_reason", "modified_at"])
        seen.append(version.pk)
    AlgorithmVersion.objects.exclude(pk__in=seen).filter(in_service=True).update(in_service=False, disabled_reason=GONE)
    return len(seen)


@transaction.atomic
def disable_version(*, version: AlgorithmVersion, reason: str, by: Any = None) -> AlgorithmVersion:
    """Take one version out of service; others go on. `reason` is a code such as weights_hash_mismatch."""
    version = AlgorithmVersion.objects.select_for_update().get(pk=version.pk)
    if version.in_service:
        version.in_service, version.disabled_reason = False, reason
        version.save(update_fields=["in_service", "disabled_reason", "modified_at"])
        audit.record(by, "algorithm_version.disabled", version, reason=reason)
    return version


@transaction.atomic
def enable_version(*, version: AlgorithmVersion, by: Any) -> AlgorithmVersion:
    """Put a version back into service."""
    version = AlgorithmVersion.objects.select_for_update().get(pk=version.pk)
    if not version.in_service:
        version.in_service, version.disabled_reason = True, ""
        version.save(update_fields=["in_service", "disabled_reason", "modified_at"])
        audit.record(by, "algorithm_version.enabled", version)
    return version
