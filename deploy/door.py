"""From bare Python into the environment, then to the command. Standard library only until inside."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from deploy import environment, machine
from deploy.say import Stop, line

# Commands that need the browser's libraries beside the Python packages.
WITH_PAGES = {"demo", "test", "serve", "collectstatic"}


# How long the set-up took, handed from bare Python to the command: a JSON object, seconds per step.
SECONDS = "LAMINA_SETUP_SECONDS"


def enter(argv: Sequence[str]) -> int:
    """Run `manage.py` with these words. Returns the exit status; does not return when it starts itself again."""
    command = argv[1] if len(argv) > 1 else "help"
    try:
        machine.check_python()
        machine.check_platform()
        seconds = _kept_seconds() | environment.ensure(dev=command in ("test", "bench"))
        os.environ[SECONDS] = json.dumps(seconds)
        if not environment.inside():
            python = str(environment.python_of())
            os.execv(python, [python, str(environment.ROOT / "manage.py"), *argv[1:]])  # noqa: S606
        if command in WITH_PAGES:
            from deploy import browser_libraries

            os.environ[SECONDS] = json.dumps(seconds | browser_libraries.ensure(dev=command == "test"))
        from deploy.commands import run

        return run(list(argv))
    except Stop as stop:
        line(str(stop))
        return 1
    except KeyboardInterrupt:
        line("Stopped.")
        return 130


def _kept_seconds() -> dict[str, float]:
    try:
        kept = json.loads(os.environ.get(SECONDS, "{}"))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
