"""`manage.py worker`: takes jobs, on this machine or another that reaches the same services."""

from __future__ import annotations

import argparse
import os
import signal
import socket

from deploy.environment import ROOT
from deploy.home import Home
from deploy.processes import Child, adopt_orphans, end_descendants, stop_together
from deploy.say import Stop, line
from deploy.services import check_variables, complete
from deploy.supervisor import Watch, worker_command

QUEUES = ("recon", "io", "interactive")
SHARED = ("DATABASE_URL", "REDIS_URL", "LAMINA_STORAGE", "LAMINA_ROOT_KEY")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py worker", description=__doc__)
    parser.add_argument("--queues", default="recon,io", help="queues to take jobs from: recon, io, interactive")
    parser.add_argument("--device", default="", help="cuda:0, cpu; chosen by itself when left out")
    parser.add_argument(
        "-c", "--concurrency", type=int, default=1, help="jobs at a time, but for recon: one per device"
    )
    arguments = parser.parse_args(words)
    queues = list(dict.fromkeys(name.strip() for name in arguments.queues.split(",") if name.strip()))
    unknown = [name for name in queues if name not in QUEUES]
    if unknown or not queues:
        raise Stop(f"There is no queue {', '.join(unknown) or 'named'}; the queues are {', '.join(QUEUES)}.")
    check_variables()
    home = Home.here()
    env = {**os.environ, **_services(home), "PYTHONUNBUFFERED": "1", "LAMINA_HOME": str(home.folder)}
    if arguments.device:
        env["LAMINA_DEVICE"] = arguments.device
    # A reconstruction fills its device, so a second one at a time would only take its memory.
    nodes = [_node(home, env, queue, 1 if queue == "recon" else max(1, arguments.concurrency)) for queue in queues]
    adopt_orphans()
    watch = Watch()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, watch.interrupt)
    try:
        for node in nodes:
            node.start()
        line(f"Worker on {socket.gethostname()} takes jobs from {', '.join(queues)}. Ctrl-C stops it.")
        watch.stay(nodes)
    except KeyboardInterrupt:
        line("The worker stops; a job it was busy with goes to another worker.")
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        stop_together(nodes)
        end_descendants()
    return 0


def _node(home: Home, env: dict[str, str], queue: str, concurrency: int) -> Child:
    """One Celery node per queue. SIGKILL, should this process die: a job is safe, and a worker may be deaf."""
    name = f"{queue}-{os.getpid()}"
    return Child(
        name=f"worker-{queue}", command=worker_command(name, queue, concurrency), log=home.log(f"worker-{queue}"),
        env=env, cwd=ROOT, death_signal=signal.SIGKILL, grace_s=8,
    )  # fmt: skip


def _services(home: Home) -> dict[str, str]:
    """Where the services are: the environment's, else those of a Lamina running from the same LAMINA_HOME."""
    if complete():
        missing = [name for name in SHARED if not os.environ.get(name)]
        if "LAMINA_ROOT_KEY" in missing and (home.folder / "root.key").exists():
            missing.remove("LAMINA_ROOT_KEY")
        if "LAMINA_STORAGE" in missing and (home.folder / "storage").is_dir():
            missing.remove("LAMINA_STORAGE")
        if missing:
            raise Stop(f"Set {' and '.join(missing)} to the values the web server has; without them no file opens.")
        return {}
    facts = home.running()
    if not facts or "urls" not in facts:
        raise Stop(
            "There is nothing to work for: set DATABASE_URL, REDIS_URL, LAMINA_STORAGE and LAMINA_ROOT_KEY as on the "
            "web server, or start Lamina first on this machine (manage.py demo or serve)."
        )
    return dict(facts["urls"])
