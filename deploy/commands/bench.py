"""`manage.py bench [ROW ...] [--json]`: the benchmarks, each beside its peer in the same run."""

from __future__ import annotations

import subprocess
import sys

from deploy.commands.test import throwaway_services
from deploy.environment import ROOT
from deploy.processes import adopt_orphans


def main(words: list[str]) -> int:
    adopt_orphans()
    with throwaway_services() as env:
        try:
            return subprocess.run([sys.executable, "-m", "tests.benchmarks", *words], cwd=ROOT, env=env).returncode
        except KeyboardInterrupt:
            return 130
