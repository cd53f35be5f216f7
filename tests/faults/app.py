"""A kind of job that touches every part of the path, places to stop or die, and switches for the safeguards.

Installed only by tests/faults/settings.py.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.apps import AppConfig

STEPS = ("claimed", "prepared", "answered", "stored", "finishing", "finished")


class FaultsConfig(AppConfig):
    name = "tests.faults"
    label = "faults"

    def ready(self) -> None:
        register()
        from server.jobs.guard import guard_step

        guard_step.connect(_at_step, dispatch_uid="faults")
        for safeguard in filter(None, os.environ.get("LAMINA_TEST_WITHOUT", "").split(",")):
            SWITCHES[safeguard]()


_FOR_ENGINE = {"seconds", "steps", "die_at", "refuse_at", "mib", "deaf"}


def prepare(job: Any, folder: Path) -> Any:
    from server.jobs.kinds import EngineCall

    values = {name: job.parameters[name] for name in job.parameters if name in _FOR_ENGINE}
    if job.attempt > job.parameters.get("bad_attempts", 99):
        values.pop("die_at", None)
    text = f"result of {job.pk}"
    return EngineCall("work", {"seconds": 0.2, **values, "out": str(folder / "out.txt"), "text": text})


def store(job: Any, folder: Path, result: Mapping[str, Any]) -> str:
    from server.core import storage

    return storage.put_file(job.owner_id, job.project_id, folder / "out.txt")


def finish(job: Any, folder: Path, result: Mapping[str, Any], stored: str) -> dict[str, Any]:
    """One audit row per result: that is what the tests count."""
    from server.core import audit

    audit.record(None, "test.result", job, project_id=job.project_id, attempt=job.attempt)
    return {"ref": stored, "engine_pid": result["engine_pid"]}


def _is_member(user: Any, owner_id: Any) -> bool:
    """`test:<project id>` is heard by the project's members."""
    from server.accounts.selectors import role_in

    return role_in(user, owner_id) is not None


def _people(owner_id: Any, user_ids: Any) -> Any:
    """Members of the project by their names; viewers watch."""
    from server.accounts.models import COLOURS, Membership, Role
    from server.realtime.registry import Person

    rows = Membership.objects.filter(project_id=owner_id, user_id__in=list(user_ids)).select_related("user")
    return {
        str(row.user_id): Person(row.user.display_name, COLOURS.index(row.user.colour), row.role == Role.VIEWER)
        for row in rows
    }


def register() -> None:
    """The kinds `test_work` (queue recon) and `test_files` (queue io), the stream and the room `test:<id>`."""
    from server.jobs.kinds import JobKind, register_kind
    from server.realtime.registry import register_room, register_stream

    for name, queue in (("test_work", "recon"), ("test_files", "io")):
        register_kind(JobKind(name=name, queue=queue, prepare=prepare, store=store, finish=finish))
    register_stream("test", may_see=_is_member)
    register_room("test", may_join=_is_member, people=_people)


def _at_step(sender: Any, step: str, job: Any, **_: Any) -> None:
    """Stop or die here, as the job's parameters say, while its attempt is one of the bad ones."""
    if job.attempt > job.parameters.get("bad_attempts", 1):
        return
    if job.parameters.get("kill_at") == step:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.parameters.get("stop_at") == step:
        os.kill(os.getpid(), signal.SIGSTOP)
    if job.parameters.get("pause_at") == step:
        time.sleep(job.parameters["pause"])


# --- safeguards taken out, to see that their tests notice -----------------------------------------------------------


def _without_fence() -> None:
    from server.jobs import services
    from server.jobs.models import Job

    services._fenced = lambda job_id, fence: Job.objects.filter(pk=job_id)


def _without_skip_locked() -> None:
    from server.jobs import services

    services._CLAIM = services._CLAIM.replace("FOR UPDATE SKIP LOCKED", "").replace(
        "FROM next WHERE", "FROM next, pg_sleep(0.3) WHERE"
    )


def _without_sweep() -> None:
    from server.jobs import services

    def keep(*args: Any, **values: Any) -> None:
        raise services.FenceLost

    services.release_job = keep


def _without_repeated_hints() -> None:
    from server.jobs.sweeper import Sweeper

    Sweeper._hint = lambda self, waiting: None


def _without_idle_timeout() -> None:
    from server.jobs import services

    services._milliseconds = lambda: "0"


def _without_watch() -> None:
    from server.realtime.watch import Watch

    async def look_away(self: Any, *, recheck: bool) -> None:
        return None

    Watch.look = look_away


def _without_cancel_first() -> None:
    """`finish_job` no longer looks whether a person cancelled."""
    from server.jobs import services

    hold = services._hold

    def forget(job_id: Any, fence: int, **values: Any) -> Any:
        row = hold(job_id, fence, **values)
        row.cancel_requested_at = None
        return row

    services._hold = forget


def _without_origin() -> None:
    from server.realtime import origins

    origins.allowed = lambda scope: True


def _without_recheck() -> None:
    from server.realtime.consumers import LiveConsumer

    async def trust(self: Any) -> None:
        return None

    LiveConsumer.recheck = trust


SWITCHES = {
    "origin": _without_origin,
    "recheck": _without_recheck,
    "fence": _without_fence,
    "skip_locked": _without_skip_locked,
    "sweep": _without_sweep,
    "repeated_hints": _without_repeated_hints,
    "idle_timeout": _without_idle_timeout,
    "watch": _without_watch,
    "cancel_first": _without_cancel_first,
}
