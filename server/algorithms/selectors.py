"""Which algorithms there are and which version of each is used."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from server.algorithms.models import AlgorithmVersion
from server.core.errors import LaminaError


def versions() -> QuerySet[AlgorithmVersion]:
    """Every version, in the engine's order."""
    return AlgorithmVersion.objects.select_related("algorithm").order_by("position", "algorithm__name", "-created_at")


def versions_in_service() -> list[AlgorithmVersion]:
    """The newest version in service of each algorithm, in the engine's order."""
    newest: dict[str, AlgorithmVersion] = {}
    for version in versions().filter(in_service=True):
        newest.setdefault(version.algorithm.name, version)
    return list(newest.values())


def version_named(name: str, version: str = "") -> AlgorithmVersion:
    """One version in service. Raises LaminaError naming what there is when it is unknown or out of service."""
    found = versions().filter(algorithm__name=name)
    if version:
        found = found.filter(version=version)
    row = found.filter(in_service=True).first()
    if row is not None:
        return row
    if (disabled := found.first()) is not None:
        message = _("%(name)s %(version)s is out of service (%(reason)s). Choose another version or algorithm.")
        facts = {"name": name, "version": disabled.version, "reason": disabled.disabled_reason or "-"}
        raise LaminaError("algorithm_disabled", message % facts, 409, reason=disabled.disabled_reason)
    known = ", ".join(row.algorithm.name for row in versions_in_service())
    message = _("There is no algorithm %(name)s. There are: %(known)s.") % {"name": name[:60], "known": known}
    raise LaminaError("unknown_algorithm", message, 422)
