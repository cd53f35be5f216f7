"""Bringing the database to this version, and one sentence for what stands in the way."""

from __future__ import annotations

import re

from deploy.supervisor import Supervisor

UNPREPARED = "The database is not prepared for this version of Lamina; run manage.py migrate, then serve again."


def prepare(supervisor: Supervisor) -> None:
    """Run the migrations."""
    words = ("migrate", "--noinput", "--verbosity", "0")
    supervisor.run("migrate", "Preparing the database", *words, explain=unreachable)


def check_prepared(supervisor: Supervisor) -> None:
    """Stop unless every migration has run. Other servers may use the database: changing it is a person's decision."""
    explain = lambda output: unreachable(output) or UNPREPARED  # noqa: E731
    supervisor.run("migrate", "Checking the database", "migrate", "--check", explain=explain)


def unreachable(output: str) -> str:
    """The sentence for a database that cannot be reached, "" for any other trouble."""
    if "OperationalError" not in output:
        return ""
    reasons = re.findall(r"(?:connection to server .* failed|connection failed|error): *(.+)", output)
    reason = reasons[-1].strip() if reasons else "it does not answer"
    return f"Cannot reach the database that DATABASE_URL names: {reason}"
