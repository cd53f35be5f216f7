"""`manage.py serve`: web server, sweeper and the local interactive worker, for people to work with."""

from __future__ import annotations

import argparse
import os
import re

from deploy import database, machine, statics
from deploy.home import Home
from deploy.say import Stop, line
from deploy.services import complete
from deploy.site import Site
from deploy.supervisor import Supervisor, sweeper_command, web_command, worker_command

START_LIMIT_S = 120.0


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; the proxy with TLS stands before it")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args(words)
    if os.environ.get("LAMINA_DEMO"):
        raise Stop("LAMINA_DEMO is set, and the demo's people have printed passwords; unset it to serve people.")
    machine.check_port(arguments.host, arguments.port)
    home = Home.here()
    machine.check_space(home.folder, machine.SPACE_FOR_DATA, "Lamina's data")
    brought_along = complete()
    try:
        with Supervisor(home, os.environ) as supervisor:
            if brought_along:
                database.check_prepared(supervisor)
            else:
                database.prepare(supervisor)
            supervisor.run(
                "check", "Checking that it is safe to serve", "check", "--deploy", "--database", "default",
                "--fail-level", "ERROR", "--tag", "security", "--tag", "database", explain=refusals,
            )  # fmt: skip
            statics.collect(supervisor)
            supervisor.keep("web", web_command(arguments.host, arguments.port))
            supervisor.keep("sweeper", sweeper_command())
            supervisor.keep_worker("worker-interactive", worker_command("interactive", "interactive"))
            address = f"http://{arguments.host}:{arguments.port}"
            site = Site(address)
            supervisor.wait_until(site.listens, "web", "Starting the web server", START_LIMIT_S)
            supervisor.announce(address)
            line(f"  Lamina listens on {address}; people reach it through your TLS proxy. Ctrl-C stops it.")
            line("  Reconstructions need a worker: python3 manage.py worker")
            supervisor.stay()
    except KeyboardInterrupt:
        line("Lamina has stopped.")
    return 0


def refusals(output: str) -> str:
    """What the checks object to, as sentences; "" where they failed for another reason."""
    found = re.findall(r"\(lamina\.E\d+\) (.+)", output)
    return (
        "Lamina does not serve people like this:\n" + "\n".join(f"  - {text.strip()}" for text in found)
        if found
        else ""
    )
