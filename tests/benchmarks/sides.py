"""One side of a comparison, measured in a process of its own.

A side is a function that prepares (imports, warms up, reads what is not timed) and gives a callable; the callable is
timed and gives plain values, by which the two sides' outputs are compared.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """CPU seconds of the process and its children (best and spread of the turns), wall seconds, peak memory, values."""

    cpu_s: float
    wall_s: float
    peak_mib: float
    spread: float
    repeats: int
    values: dict[str, Any]


def measure(side: str, repeats: int = 3, threads: int = 2, **arguments: Any) -> Measured:
    """Run `side` ("module:function") in a fresh Python. Raises RuntimeError with its last words when it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": str(max(threads, os.cpu_count() or 1))}
    environment |= {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, "-m", "tests.benchmarks.sides", side, str(repeats), json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{side} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(side: str, repeats: int, arguments: dict[str, Any]) -> None:
    module, name = side.split(":")
    work = getattr(importlib.import_module(module), name)(**arguments)
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here; Linux only
    except OSError:
        pass
    cpu, wall = [], []
    values: dict[str, Any] = {}
    for _ in range(repeats):
        gc.collect()
        began, used = time.perf_counter(), _cpu()
        values = work()
        cpu.append(_cpu() - used)
        wall.append(time.perf_counter() - began)
    spread = (max(cpu) - min(cpu)) / min(cpu) if min(cpu) > 0 else 0.0
    answer = {"cpu_s": min(cpu), "wall_s": min(wall), "peak_mib": _peak(), "spread": round(spread, 3)}
    print(json.dumps({**answer, "repeats": repeats, "values": values}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
