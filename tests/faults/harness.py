"""A small site for fault tests: the test database, a private Redis, real Celery workers and sweepers as children."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import redis
from django.conf import settings

from deploy.embedded import redis_program

ROOT = Path(__file__).resolve().parents[2]
SHORT = {
    "LAMINA_LEASE_SECONDS": "2",
    "LAMINA_SWEEP_SECONDS": "0.6",
    "LAMINA_HINT_SECONDS": "1",
    "LAMINA_TEST_BEAT_SECONDS": "0.25",
    "LAMINA_TEST_CANCEL_GRACE_SECONDS": "0.7",
    "LAMINA_TEST_WATCH_SECONDS": "1",
}
"""Ratios as in production, times shorter."""
LEASE = float(SHORT["LAMINA_LEASE_SECONDS"])


class Site:
    """What the tests start and stop. Every process is started here and ended by its pid."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "r.sock"
        self.log = folder / "log"
        self.redis_url = f"unix://{self.socket}?db=0"
        self.children: list[subprocess.Popen[bytes]] = []
        self.redis: subprocess.Popen[bytes] | None = None
        self._numbers = iter(range(1, 10_000))
        self.env = {
            **os.environ,
            **SHORT,
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis_url,
            "LAMINA_HOME": str(folder / "home"),
            "LAMINA_STORAGE": str(folder / "storage"),
            "LAMINA_SECRET_KEY": settings.SECRET_KEY,
            "LAMINA_ROOT_KEY": base64.b64encode(settings.LAMINA_ROOT_KEY).decode(),
            "LAMINA_NO_POOL": "1",
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
        }

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, command: list[str], **env: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**self.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.children.append(child)
        return child

    def start_redis(self) -> None:
        command = [str(redis_program()), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.redis = self.start([*command, "--appendonly", "no", "--dir", str(self.folder)])
        wait_until(self.redis_answers, 10, "Redis")

    def redis_client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2)

    def redis_answers(self) -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(self.redis_client().ping())
        return False

    def worker(self, *, slots: int = 1, queues: str = "recon", without: str = "", **env: str) -> Worker:
        """A Celery worker, ready to claim."""
        worker = self.start_worker(slots=slots, queues=queues, without=without, **env)
        wait_until(lambda: len(worker.slots()) == slots, 30, f"worker {worker.node}", self.tail)
        return worker

    def start_worker(self, *, slots: int = 1, queues: str = "recon", without: str = "", **env: str) -> Worker:
        """The same, not waited for."""
        name = f"w{next(self._numbers)}"
        command = [sys.executable, "-m", "celery", "-A", "server.celery", "worker", "-Q", queues, "-c", str(slots)]
        command += ["-P", "prefork", "-n", f"{name}@test", "--without-gossip", "--without-mingle", "-l", "warning"]
        child = self.start(command, LAMINA_TEST_WITHOUT=without, **env)
        return Worker(child, f"{name}@test")

    def sweeper(self, *, without: str = "", **env: str) -> subprocess.Popen[bytes]:
        return self.start([sys.executable, "manage.py", "sweep"], LAMINA_TEST_WITHOUT=without, **env)

    def web(self, *, without: str = "", **env: str) -> Web:
        """A uvicorn process with the product's ASGI application."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "warning",
        ]
        child = self.start(
            [*command, "--ws-max-size", "65536", "server.asgi:application"], LAMINA_TEST_WITHOUT=without, **env
        )

        def listens() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        wait_until(listens, 30, "web server", self.tail)
        return Web(child, port)

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """End a child and everything in its session, however it is at the moment."""
        for pid in group_of(child.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child in self.children:
            self.children.remove(child)

    def stop_all(self, *, keep_redis: bool = False) -> None:
        for child in reversed(list(self.children)):
            if not (keep_redis and child is self.redis):
                self.stop(child)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    # --- jobs -----------------------------------------------------------------------------------------------------

    def submit(
        self, project: Any, user: Any, *, kind: str = "test_work", key: str | None = None, **parameters: Any
    ) -> Any:
        from server.jobs.services import submit_job

        owner_id = uuid.uuid4()
        stream = parameters.pop("stream", f"test:{owner_id}")
        return submit_job(
            kind,
            owner_kind="test",
            owner_id=owner_id,
            project_id=project.pk,
            stream=stream,
            requested_by=user,
            parameters=parameters,
            idempotency_key=key,
        )

    def wait_for(self, jobs: Any, *states: str, timeout: float = 60.0) -> float:
        """Seconds until every job is in one of `states` (default: ended)."""
        from server.jobs.models import Job
        from server.jobs.states import FINAL

        ids = [job.pk for job in (jobs if isinstance(jobs, list) else [jobs])]
        wanted = set(states or FINAL)

        def there() -> bool:
            return set(Job.objects.filter(pk__in=ids).values_list("state", flat=True)) <= wanted

        def report() -> str:
            rows = Job.objects.filter(pk__in=ids).values_list("state", "attempt", "worker", "error_code", "detail")
            return f"{list(rows)[:8]}\n{self.tail()}"

        return wait_until(there, timeout, f"jobs to be {sorted(wanted)}", report)


class Worker:
    """A running Celery worker of the harness."""

    def __init__(self, child: subprocess.Popen[bytes], node: str) -> None:
        self.child = child
        self.node = node

    def slots(self) -> list[int]:
        """Pids of its slots, as they wrote themselves into the database."""
        from server.jobs.models import Worker as Row

        return list(Row.objects.filter(name__startswith=f"{self.node}/").values_list("pid", flat=True))


class Web:
    def __init__(self, child: subprocess.Popen[bytes], port: int) -> None:
        self.child = child
        self.port = port


def wait_until(ready: Callable[[], bool], timeout: float, what: str, report: Callable[[], str] = lambda: "") -> float:
    """Seconds until `ready()`; fails naming `what`."""
    begun = time.monotonic()
    while not ready():
        if time.monotonic() - begun > timeout:
            raise AssertionError(f"waited {timeout:.0f} s for {what}\n{report()}")
        time.sleep(0.03)
    return time.monotonic() - begun


def group_of(pid: int) -> Iterable[int]:
    """The process and its descendants, engines in their own groups included, children first."""
    found: list[int] = []

    def visit(parent: int) -> None:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                for child in (task / "children").read_text().split():
                    visit(int(child))
        found.append(parent)

    visit(pid)
    return found


def engines_alive(folder: Path) -> list[int]:
    """Pids of engine processes that belong to this harness, by the home they were given."""
    mine = f"LAMINA_HOME={folder / 'home'}".encode()
    alive = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if b"engine_door" in (entry / "cmdline").read_bytes() and mine in (entry / "environ").read_bytes():
                    alive.append(int(entry.name))
    return alive


def assert_promise(jobs: list[Any]) -> None:
    """P0: nothing acknowledged is lost, exactly one result per success, no gap or repeat in the events."""
    from server.core.models import AuditEntry
    from server.jobs.models import Job
    from server.realtime.models import Stream, StreamEvent

    rows = {job.pk: job for job in Job.objects.filter(pk__in=[job.pk for job in jobs])}
    assert len(rows) == len(jobs), "an acknowledged job is lost"
    results = Counter(
        AuditEntry.objects.filter(act="test.result", target_id__in=[str(pk) for pk in rows]).values_list(
            "target_id", flat=True
        )
    )
    for job in rows.values():
        wanted = 1 if job.state == "succeeded" else 0
        assert results[str(job.pk)] == wanted, f"{job.state} with {results[str(job.pk)]} results"
        events = list(StreamEvent.objects.filter(stream=job.stream).order_by("seq").values_list("seq", "type"))
        assert [seq for seq, _ in events] == list(range(1, len(events) + 1)), f"numbers {events}"
        assert Stream.objects.get(name=job.stream).last == len(events)
        kinds = [kind for _, kind in events]
        endings = [kind for kind in kinds if kind in {"job.succeeded", "job.failed", "job.cancelled"}]
        assert endings == ([f"job.{job.state}"] if job.state not in {"queued", "running"} else []), kinds
        assert kinds[0] == "job.queued"
        assert kinds.count("job.started") == job.attempt


def database_url() -> str:
    """The address of the test database this process uses now."""
    from django.db import connection

    values = connection.settings_dict
    account = f"{quote(values['USER'])}:{quote(values['PASSWORD'])}@"
    host, port = values["HOST"], values["PORT"]
    if host.startswith("/"):
        query = {"host": host} | ({"port": port} if port else {})
        return f"postgresql://{account}/{values['NAME']}?{urlencode(query)}"
    return f"postgresql://{account}{host}:{port}/{values['NAME']}"


@contextlib.contextmanager
def running_site() -> Iterator[Site]:
    """A site with its Redis; this process's hints and bells go through it too."""
    from channels.layers import channel_layers
    from django.test import override_settings

    from server.celery import app

    folder = Path(tempfile.mkdtemp(prefix="lam"))
    site = Site(database_url(), folder)
    layer = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [f"unix://{site.socket}?db=1"],
            "prefix": settings.CHANNEL_LAYERS["default"]["CONFIG"].get("prefix", "asgi"),
        },
    }
    broker = app.conf.broker_url
    try:
        site.start_redis()
        with override_settings(
            CHANNEL_LAYERS={"default": layer},
            LAMINA_HOME=folder / "home",
            LAMINA_STORAGE=folder / "storage",
            LAMINA_LEASE_SECONDS=LEASE,
        ):
            _point_celery(app, f"redis+socket://{site.socket}?virtual_host=0")
            yield site
    finally:
        site.stop_all()
        _point_celery(app, broker)
        channel_layers.backends.clear()
        shutil.rmtree(folder, ignore_errors=True)


def _point_celery(app: Any, url: str) -> None:
    app.pool.force_close_all()
    app.conf.broker_url = app.conf.broker_read_url = app.conf.broker_write_url = url
    app._pool = None
    app.amqp._producer_pool = None
    from kombu import pools

    pools.reset()
