"""A whole Lamina for the browser tests: its own database, Redis and folder; real web server, workers and sweeper."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.faults.harness import redis_program

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
PEOPLE = {
    "admin": {"email": "admin@example.org", "name": "Ada Admin", "role": "admin", "site_admin": True},
    "reader": {"email": "reader@example.org", "name": "Rae Reader", "role": "reader"},
    "second": {"email": "second@example.org", "name": "Sam Second", "role": "reader"},
    "viewer": {"email": "viewer@example.org", "name": "Vic Viewer", "role": "viewer"},
    "stranger": {"email": "stranger@example.org", "name": "Sue Stranger"},
}
PROJECT = "Browser tests"
WORKERS = ("io,interactive", "recon")  # each worker by its queues

PREPARE = """
import django, json, sys
django.setup()
from server.accounts.services import add_member, create_project, create_user
given = json.load(sys.stdin)
made = {}
for key, one in given["people"].items():
    made[key] = create_user(email=one["email"], display_name=one["name"], password=given["password"],
                            is_site_admin=one.get("site_admin", False))
project = create_project(name=given["project"], by=made["admin"])
for key, one in given["people"].items():
    if key != "admin" and one.get("role"):
        add_member(project=project, user=made[key], role=one["role"], by=made["admin"])
print(json.dumps({"project": str(project.pk), "slug": project.slug, "people": {k: str(u.pk) for k, u in made.items()}}))
"""


class Site:
    """Started once per test run; everything it starts is ended by its pid.

    `collected`: with static files as people get them, hashed and bundled, not straight from their folders.
    """

    def __init__(self, *, collected: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lam"))
        self.log = self.folder / "log"
        self.children: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self.hands: subprocess.Popen[bytes] | None = None
        self.admin_url = os.environ["DATABASE_URL"]
        self.database = f"lamina_browser_{uuid.uuid4().hex[:10]}"
        address = urlsplit(self.admin_url)
        port = _free_port()
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.env = {
            **os.environ,
            "DATABASE_URL": urlunsplit(address._replace(path=f"/{self.database}")),
            "REDIS_URL": f"unix://{self.folder / 'r.sock'}?db=0",
            "LAMINA_HOME": str(self.folder / "home"),
            "LAMINA_STORAGE": str(self.folder / "storage"),
            "LAMINA_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "LAMINA_TESTING": "1",
            "LAMINA_PLAIN_STATICS": "1",
            "DJANGO_SETTINGS_MODULE": "server.settings",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }
        self.env.pop("LAMINA_DEMO", None)
        self.collected = collected
        if collected:
            self.env.pop("LAMINA_PLAIN_STATICS")
        self.facts: dict[str, Any] = {}

    # --- up and down ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self.database}"')
        redis = [redis_program(), "--port", "0", "--unixsocket", str(self.folder / "r.sock"), "--save", ""]
        self._start([*redis, "--appendonly", "no", "--dir", str(self.folder)])
        self.manage("migrate", "-v", "0")
        if self.collected:
            self.manage("collectstatic", "--noinput", "-v", "0")
        given = {"people": PEOPLE, "password": PASSWORD, "project": PROJECT}
        self.facts = json.loads(self.python(PREPARE, json.dumps(given)).strip().splitlines()[-1])
        web = [sys.executable, "-m", "uvicorn", "server.asgi:application", "--host", "127.0.0.1"]
        quiet = ["--no-access-log", "--log-level", "warning", "--lifespan", "off"]
        self._start([*web, "--port", str(self.port), *quiet])
        self.work(*WORKERS)
        self._start([sys.executable, "manage.py", "sweep"])
        self.wait(self._answers, 60, "the web server")

    def work(self, *workers: str) -> None:
        """From now on these workers only, each named by its queues ("io,interactive")."""
        self._end(self.workers)
        celery = [sys.executable, "-m", "celery", "-A", "server.celery", "worker", "-P", "prefork", "-l", "warning"]
        options = ["-c", "1", "--without-gossip", "--without-mingle"]
        self.workers = [self._start([*celery, "-Q", one, "-n", f"{one[:2]}@browser", *options]) for one in workers]

    def stop(self) -> None:
        self._end(self.children)
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.children.append(child)
        return child

    def _end(self, children: list[subprocess.Popen[bytes]]) -> None:
        for child in reversed(children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in reversed(children):
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    # --- for tests ------------------------------------------------------------------------------------------------

    def manage(self, *words: str, timeout: float = 180) -> str:
        """Run one management command of this site; its output."""
        return self._do({"words": words}, timeout)

    def python(self, code: str, given: str = "", timeout: float = 120) -> str:
        """Run Python beside the site, with Django set up and `given` on its standard input; its output."""
        return self._do({"code": code, "given": given}, timeout)

    def _do(self, asked: dict[str, Any], timeout: float) -> str:
        """Ask the hands; they are started once and again after they were too slow."""
        if self.hands is None or self.hands.poll() is not None:
            self.hands = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.hands"],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            self.children.append(self.hands)
        stdin, stdout = self.hands.stdin, self.hands.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(asked).encode() + b"\n")
        stdin.flush()
        # One request, one line: whatever can be read is the beginning of it.
        if not select.select([stdout], [], [], timeout)[0]:
            os.killpg(self.hands.pid, signal.SIGKILL)
            raise AssertionError(f"{asked} took longer than {timeout:.0f} s\n{self.tail()}")
        done = json.loads(stdout.readline())
        assert done["rc"] == 0, f"{asked}\n{done['out'][-2000:]}\n{done['err'][-3000:]}"
        return done["out"]

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def wait(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}\n{self.tail()}"
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
