"""The words `manage.py` understands besides Django's own. Each is a module here with `main(words) -> int`."""

from __future__ import annotations

import importlib

OURS = {
    "demo": "everything on this machine, with demo cases",
    "test": "the test suite",
    "serve": "the site without the demo",
    "worker": "a worker for another machine or queue",
    "bench": "the benchmarks",
}


def run(argv: list[str]) -> int:
    """Run `manage.py` with these words, inside the environment."""
    command = argv[1] if len(argv) > 1 else "help"
    if command in ("help", "-h", "--help") and len(argv) < 3:
        print("Lamina's commands:")
        for name, purpose in OURS.items():
            print(f"  {name:<8} {purpose}")
        print("Each takes --help. Django's commands follow.\n")
    if command in OURS:
        return int(importlib.import_module(f"deploy.commands.{command}").main(argv[2:]))
    return int(importlib.import_module("deploy.commands.django").main(argv))
