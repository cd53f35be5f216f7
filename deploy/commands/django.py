"""Any Django command, with the services it needs around it."""

from __future__ import annotations

import os

from deploy.home import Home
from deploy.services import borrowed_or_own

# These never ask the database; they only need settings that can be read.
WITHOUT_SERVICES = {
    "help", "-h", "--help", "version", "--version", "collectstatic", "findstatic", "makemessages", "compilemessages",
    "spectacular", "startapp", "diffsettings", "verify_audit",
}  # fmt: skip
NOWHERE = {"DATABASE_URL": "postgresql://lamina@127.0.0.1:1/lamina", "REDIS_URL": "redis://127.0.0.1:1/0"}


def main(argv: list[str]) -> int:
    from django.core.management import execute_from_command_line

    command = argv[1] if len(argv) > 1 else "help"
    if command in WITHOUT_SERVICES:
        for name, value in NOWHERE.items():
            os.environ.setdefault(name, value)
        execute_from_command_line(argv)
        return 0
    with borrowed_or_own(Home.here()) as urls:
        os.environ.update(urls)
        try:
            execute_from_command_line(argv)
        finally:
            from django.db import connections

            connections.close_all()
    return 0
