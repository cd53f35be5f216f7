"""From bare Python into the environment, then to the command. Standard library only until inside."""

from __future__ import annotations

import os
from collections.abc import Sequence

from deploy import environment, machine
from deploy.say import Stop, line

# Commands that need the browser's libraries beside the Python packages.
WITH_PAGES = {"demo", "test", "serve", "collectstatic"}


def enter(argv: Sequence[str]) -> int:
    """Run `manage.py` with these words. Returns the exit status; does not return when it starts itself again."""
    command = argv[1] if len(argv) > 1 else "help"
    try:
        machine.check_python()
        machine.check_platform()
        environment.ensure(dev=command in ("test", "bench"))
        if not environment.inside():
            python = str(environment.python_of())
            os.execv(python, [python, str(environment.ROOT / "manage.py"), *argv[1:]])  # noqa: S606
        if command in WITH_PAGES:
            from deploy import browser_libraries

            browser_libraries.ensure()
        from deploy.commands import run

        return run(list(argv))
    except Stop as stop:
        line(str(stop))
        return 1
    except KeyboardInterrupt:
        line("Stopped.")
        return 130
