"""`manage.py demo`: everything on this machine, with people and cases to look at."""

from __future__ import annotations

import argparse
import json
import os
import socket
from typing import Any

from deploy import database, demo_cases, machine, statics
from deploy.demo_people import FILE, Person, people
from deploy.demo_watch import Case, DemoWatch
from deploy.home import Home
from deploy.say import line
from deploy.site import Site
from deploy.supervisor import Supervisor, sweeper_command, web_command, worker_command

START_LIMIT_S = 120.0
CHECK_LIMIT_S = 1200.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, help="port to listen on (8000)")
    parser.add_argument("--check", action="store_true", help="prove it on a free port, print JSON, stop")
    arguments = parser.parse_args(words)
    port = arguments.port or (machine.free_port() if arguments.check else 8000)
    machine.check_port(arguments.host, port)
    home = Home.here()
    machine.check_space(home.folder, machine.SPACE_FOR_DATA, "Lamina's data")
    line("Lamina demo")
    try:
        with Supervisor(home, _environ(arguments.host)) as supervisor:
            demo = _Demo(supervisor, arguments.host, port)
            cases = demo.start()
            if arguments.check:
                answer = demo.check(cases)
            else:
                demo.show()
                watch = demo.watch(cases)
                supervisor.stay(watch.pulse)
    except KeyboardInterrupt:
        line("Lamina has stopped; the next start finds everything as it was.")
        return 130 if arguments.check else 0
    # After everything has stopped, so that it is the last line.
    print(json.dumps(answer), flush=True)
    bad = [case for case in answer["cases"] if case["state"] != "succeeded"]
    for case in bad:
        line(f"{case['algorithm']} on {case['name']}: {case['state']}{': ' + case['error'] if case['error'] else ''}")
    return 1 if bad or not answer["cases"] else 0


class _Demo:
    """One run of the demo inside its supervisor."""

    def __init__(self, supervisor: Supervisor, host: str, port: int) -> None:
        self._supervisor = supervisor
        self._host, self._port = host, port
        here = host if host not in ("0.0.0.0", "::", "localhost") else "127.0.0.1"  # noqa: S104
        self.address = f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"
        self._people: list[Person] = []

    def start(self) -> list[Case]:
        """Bring everything up, import the cases and ask for their reconstructions."""
        supervisor = self._supervisor
        database.prepare(supervisor)
        statics.collect(supervisor)
        supervisor.keep("web", web_command(self._host, self._port))
        supervisor.keep("sweeper", sweeper_command())
        for queue in ("recon", "io", "interactive"):
            supervisor.keep_worker(f"worker-{queue}", worker_command(f"demo-{queue}", queue))
        self._people = people(supervisor.home)
        listed = demo_cases.cases(supervisor.home, supervisor.steps)
        output = supervisor.run(
            "import", "Importing the demo cases", "prepare_demo",
            "--people", str(supervisor.home.folder / FILE), "--cases", str(listed),
        )  # fmt: skip
        site = Site(self.address)
        supervisor.wait_until(site.answers, "web", "Starting the web server", START_LIMIT_S)
        supervisor.announce(self.address)
        answer = json.loads(next(text for text in reversed(output.splitlines()) if text.startswith("{")))
        return [Case(**case) for case in answer["cases"]]

    def show(self) -> None:
        """Where to go and as whom."""
        line("")
        line(f"  Lamina is at {self.address}")
        if self._host not in LOOPBACK:
            line("  Others on the network can reach it; the connection is not encrypted.")
        line("")
        for person in self._people:
            line(f"    {person.email:<28} {person.password}   {person.purpose}")
        line(f"  These passwords are kept in {self._supervisor.home.folder / FILE}")
        line("  Ctrl-C stops Lamina.")
        line("")

    def watch(self, cases: list[Case]) -> DemoWatch:
        return DemoWatch(Site(self.address), self._people[1], cases)

    def check(self, cases: list[Case]) -> dict[str, Any]:
        """Wait until every reconstruction is served over HTTP, as a reader sees it."""
        watch = self.watch(cases)
        self._supervisor.wait_until(watch.done, "reconstruct", "Reconstructing the demo cases", CHECK_LIMIT_S)
        set_up = json.loads(os.environ.get("LAMINA_SETUP_SECONDS", "{}"))
        seconds = set_up | self._supervisor.steps.seconds | watch.seconds()
        answer = watch.answer()
        return {"seconds": seconds, **answer}


def _environ(host: str) -> dict[str, str]:
    """What the demo's processes get: no production keys of the person's shell, hosts that reach this machine."""
    environ = {name: value for name, value in os.environ.items() if name not in ("LAMINA_TLS", "LAMINA_DEBUG")}
    hosts = ["localhost", "127.0.0.1", "[::1]"]
    if host not in LOOPBACK:
        hosts += [host, socket.gethostname(), socket.getfqdn(), *_own_addresses()]
    environ.setdefault("LAMINA_ALLOWED_HOSTS", ",".join(dict.fromkeys(hosts)))
    return environ | {"LAMINA_DEMO": "1"}


def _own_addresses() -> list[str]:
    """This machine's addresses, as a neighbour would type them."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except socket.gaierror:
        found = []
    addresses = [str(entry[4][0]) for entry in found]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; the kernel names the address it would use
            addresses.append(probe.getsockname()[0])
        except OSError:
            pass
    return [f"[{address}]" if ":" in address else address for address in addresses]
