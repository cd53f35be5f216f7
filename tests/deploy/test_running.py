"""The running demo: what it keeps private, what survives, what ends with it. Real processes."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy import machine
from deploy.environment import ROOT
from deploy.home import Home
from deploy.site import Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not machine.embedded_is_supported(), reason="no embedded services for this platform"),
]


@dataclass
class Running:
    """A demo somebody started in a terminal."""

    process: subprocess.Popen[bytes]
    home: Path
    address: str
    screen: Path

    def below(self) -> dict[int, str]:
        """Every process of this LAMINA_HOME, by its environment, but the supervisor."""
        return {pid: name for pid, name in processes_of(self.home).items() if pid != self.process.pid}


def processes_of(home: Path) -> dict[int, str]:
    wanted = f"LAMINA_HOME={home}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return {pid: command for pid, command in found.items() if command}


def wait(condition: Callable[[], object], limit_s: float, what: str) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def environ(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAMINA_")}
    kept.pop("DATABASE_URL", None)
    kept.pop("REDIS_URL", None)
    return kept | {"LAMINA_HOME": str(home)}


def start(home: Path, port: int) -> Running:
    screen = home.with_suffix(".screen")
    with screen.open("wb") as output:
        command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(port)]
        process = subprocess.Popen(
            command, env=environ(home), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    running = Running(process, home, f"http://127.0.0.1:{port}", screen)
    wait(lambda: "Ctrl-C stops" in screen.read_text() or process.poll() is not None, 180, "the demo did not come up")
    assert process.poll() is None, screen.read_text()
    return running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("d") / "h"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="module")
def demo(home: Path) -> Iterator[Running]:
    running = start(home, machine.free_port())
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(60)
    for pid in processes_of(home):
        os.kill(pid, signal.SIGKILL)


def test_its_page_answers_and_its_files_are_private(demo: Running) -> None:
    with urllib.request.urlopen(f"{demo.address}/accounts/login/") as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for name in ("demo-people.txt", "running.json", "root.key", "secret.key", "postgres.password"):
        assert stat.S_IMODE((demo.home / name).stat().st_mode) == 0o600, name
    assert demo.address in demo.screen.read_text()
    listening = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True).stdout
    port = int(demo.address.rsplit(":", 1)[1])
    assert f":{port:04X} 00000000:0000 0A" in listening


def test_its_people_can_sign_in(demo: Running) -> None:
    rows = re.findall(r"^(\S+@\S+)\t(\S+)$", (demo.home / "demo-people.txt").read_text(), flags=re.M)
    assert len(rows) == 4
    for email, password in rows:
        site = Site(demo.address)
        assert site.sign_in(email, password), email
        assert [project["name"] for project in site.json("/api/me/")["projects"]] == ["Demo"]
    assert not Site(demo.address).sign_in(rows[0][0], "wrong")


def test_a_second_one_names_the_first(demo: Running) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(machine.free_port())]
    answer = subprocess.run(command, env=environ(demo.home), capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert f"already running at {demo.address}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_in_use_is_one_sentence(demo: Running, tmp_path: Path) -> None:
    port = demo.address.rsplit(":", 1)[1]
    command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", port]
    answer = subprocess.run(command, env=environ(tmp_path), capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].startswith(f"Port {port} on 127.0.0.1 is in use")


def test_other_commands_use_the_running_services(demo: Running) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "showmigrations", "accounts"]
    answer = subprocess.run(command, env=environ(demo.home), capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert "[X] 0001_initial" in answer.stdout
    assert demo.process.poll() is None


def test_a_killed_worker_is_replaced(demo: Running) -> None:
    def workers() -> set[int]:
        return {pid for pid, command in demo.below().items() if " -Q io " in command}

    before = workers()
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    said = "worker-io stopped (signal 9); starting it again"
    wait(lambda: said in demo.screen.read_text(), 30, "its end was not noticed")
    wait(lambda: workers() and not workers() & before, 30, "no new worker")


def test_a_worker_from_another_folder_takes_a_job(demo: Running, tmp_path: Path) -> None:
    """As on a second machine: other folder, other LAMINA_HOME, the four shared variables."""
    facts = Home(demo.home).running()
    assert facts is not None
    shared = facts["urls"] | {
        "LAMINA_STORAGE": str(demo.home / "storage"),
        "LAMINA_ROOT_KEY": (demo.home / "root.key").read_text().strip(),
    }
    own = [pid for pid, command in demo.below().items() if " -Q recon " in command]
    for pid in own:
        os.kill(pid, signal.SIGSTOP)  # so that only the other one can take it
    other = environ(tmp_path / "far") | shared
    (tmp_path / "far").mkdir(mode=0o700)
    command = [sys.executable, str(ROOT / "manage.py"), "worker", "--queues", "recon", "--device", "cpu"]
    worker = subprocess.Popen(command, env=other, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True)
    try:
        made = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", REQUEST],
            env=environ(demo.home), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        job = made.stdout.split()[-1]
        email, password = re.findall(r"^(reader\S+)\t(\S+)$", (demo.home / "demo-people.txt").read_text(), re.M)[0]
        site = Site(demo.address)
        assert site.sign_in(email, password)
        wait(lambda: site.json(f"/api/jobs/{job}/")["state"] not in ("queued", "running"), 300, "the job did not end")
        ended = site.json(f"/api/jobs/{job}/")
        assert ended["state"] == "succeeded", ended["error"]
        assert ended["worker"].startswith(f"recon-{worker.pid}")
    finally:
        for pid in own:
            os.kill(pid, signal.SIGCONT)
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert processes_of(tmp_path / "far") == {}


REQUEST = """
from server.accounts.models import User
from server.reconstructions.services import request_reconstruction
from server.studies.models import Series
series = Series.objects.filter(modality="CT", is_volume=True).first()
job = request_reconstruction(series=series, by=User.objects.get(email="admin@lamina.example"), algorithm="bone-ct")
print(job.pk)
"""


def test_serve_refuses_the_demos_accounts_and_settings(home: Path, demo: Running) -> None:
    facts = Home(demo.home).running()
    assert facts is not None
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(machine.free_port())]
    other = environ(home.parent / "served") | facts["urls"]
    (home.parent / "served").mkdir(mode=0o700)
    answer = subprocess.run(command, env=other, capture_output=True, text=True, timeout=90)
    assert answer.returncode == 1
    assert "LAMINA_TLS is not set" in answer.stderr
    assert "demo account is active" in answer.stderr


def test_kill_9_leaves_no_orphan_and_the_next_start_loses_nothing(demo: Running) -> None:
    assert len(demo.below()) >= 6
    demo.process.kill()
    demo.process.wait()
    wait(lambda: not processes_of(demo.home), 20, "something outlived its supervisor")
    began = time.monotonic()
    again = start(demo.home, machine.free_port())
    took = time.monotonic() - began
    try:
        assert took < 60
        assert "Making the CT phantom" not in again.screen.read_text()
        email, password = re.findall(r"^(reader\S+)\t(\S+)$", (demo.home / "demo-people.txt").read_text(), re.M)[0]
        site = Site(again.address)
        assert site.sign_in(email, password)
        assert len(site.json("/api/studies/")["results"]) == 2
    finally:
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(60) == 0, again.screen.read_text()
    assert processes_of(demo.home) == {}
    assert "Traceback" not in again.screen.read_text()
