"""Is every part of the site there? Each check answers in one line, with the cure where it is not well."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server import environment
from server.algorithms.models import AlgorithmVersion
from server.core.models import AuditEntry, AuditHead
from server.operations.selectors import workers_shown

GOOD, CAUTION, BAD = "good", "caution", "bad"
CAUTION_FREE, BAD_FREE = 0.15, 0.05
CLOCK_CAUTION_S = 2.0
UNSEALED_CAUTION = 1000


@dataclass(frozen=True, kw_only=True)
class Check:
    """One row of the health list."""

    key: str
    name: str
    state: str
    value: str
    cure: str = ""


def _milliseconds(since: float) -> str:
    return f"{(time.perf_counter() - since) * 1000:.0f}\u202fms"


def database() -> Check:
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Check(key="database", name=_("Database"), state=GOOD, value=_milliseconds(begun))


def broker() -> Check:
    begun = time.perf_counter()
    try:
        client = redis.Redis.from_url(environment.redis_url(), socket_timeout=2, socket_connect_timeout=2)
        with client:
            client.ping()
    except redis.RedisError:
        cure = _("Redis does not answer. Work waits in the database and goes on when REDIS_URL is reachable.")
        return Check(key="broker", name=_("Broker"), state=BAD, value=_("away"), cure=cure)
    return Check(key="broker", name=_("Broker"), state=GOOD, value=_milliseconds(begun))


def workers() -> Check:
    silent = 0
    covered: set[str] = set()
    alive = workers_shown()
    for worker in alive:
        if worker["state"] == "silent":
            silent += 1
        else:
            covered.update(worker["queues"])
    value = ngettext("%(n)d worker", "%(n)d workers", len(alive)) % {"n": len(alive)}
    missing = [queue for queue in ("recon", "io", "interactive") if queue not in covered]
    if missing:
        cure = _("Nobody works on: %(queues)s. Start one with: python3 manage.py worker") % {
            "queues": ", ".join(missing)
        }
        return Check(key="workers", name=_("Workers"), state=CAUTION, value=value, cure=cure)
    if silent:
        cure = _("A worker is silent. Its work goes back to the line by itself.")
        return Check(key="workers", name=_("Workers"), state=CAUTION, value=value, cure=cure)
    return Check(key="workers", name=_("Workers"), state=GOOD, value=value)


def storage() -> Check:
    settings.LAMINA_STORAGE.mkdir(mode=0o700, parents=True, exist_ok=True)
    usage = shutil.disk_usage(settings.LAMINA_STORAGE)
    gigabyte = 1024**3
    value = _("%(free).0f of %(total).0f GB free") % {"free": usage.free / gigabyte, "total": usage.total / gigabyte}
    share = usage.free / usage.total
    state = BAD if share < BAD_FREE else CAUTION if share < CAUTION_FREE else GOOD
    cure = "" if state == GOOD else _("Free space, or move LAMINA_STORAGE to a larger disk.")
    return Check(key="storage", name=_("Storage"), state=state, value=value, cure=cure)


def audit_chain() -> Check:
    sealed = sum(AuditHead.objects.values_list("position", flat=True))
    waiting = AuditEntry.objects.filter(position=None).count()
    value = ngettext("%(n)d entry sealed", "%(n)d entries sealed", sealed) % {"n": sealed}
    if waiting > UNSEALED_CAUTION:
        cure = _("%(n)d entries wait for the sealer. Is the sweeper running?") % {"n": waiting}
        return Check(key="audit", name=_("Audit chain"), state=CAUTION, value=value, cure=cure)
    return Check(key="audit", name=_("Audit chain"), state=GOOD, value=value)


def weights() -> Check:
    disabled = AlgorithmVersion.objects.exclude(disabled_reason="").count()
    total = AlgorithmVersion.objects.count()
    value = ngettext("%(n)d version", "%(n)d versions", total) % {"n": total}
    if disabled:
        cure = _("%(n)d versions are switched off. See Algorithms for the reason.") % {"n": disabled}
        return Check(key="weights", name=_("Algorithms"), state=CAUTION, value=value, cure=cure)
    return Check(key="weights", name=_("Algorithms"), state=GOOD, value=value)


def clock() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        difference = abs((timezone.now() - cursor.fetchone()[0]).total_seconds())
    value = _("%(seconds).1f s off") % {"seconds": difference}
    if difference > CLOCK_CAUTION_S:
        cure = _("This machine and the database disagree about the time. Set up time synchronisation.")
        return Check(key="clock", name=_("Clock"), state=CAUTION, value=value, cure=cure)
    return Check(key="clock", name=_("Clock"), state=GOOD, value=value)


def release() -> Check:
    applied = MigrationRecorder.Migration.objects.count()
    value = _("%(version)s, %(n)d migrations") % {"version": settings.LAMINA_VERSION, "n": applied}
    return Check(key="release", name=_("Release"), state=GOOD, value=value)


CHECKS: tuple[Callable[[], Check], ...] = (
    database,
    broker,
    workers,
    storage,
    audit_chain,
    weights,
    clock,
    release,
)


def all_checks() -> list[Check]:
    return [check() for check in CHECKS]
