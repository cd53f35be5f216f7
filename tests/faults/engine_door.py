"""The process door with one more verb, for tests only: real work in a real process, without an algorithm."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recon_engine.contract import EngineError, OnProgress, Progress
from server.engine import VERBS, serve


def work(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    """Sleep `seconds` in `steps`, then write `out`. `die_at` kills this process in front of that step."""
    steps = int(request.get("steps", 4))
    ballast = bytearray(int(request.get("mib", 0)) * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    for step in range(steps):
        if request.get("die_at") == step:
            os.kill(os.getpid(), signal.SIGKILL)
        if request.get("refuse_at") == step:
            raise EngineError("not_found", "The test asked for a refusal. Do not ask.", step=step)
        if request.get("deaf"):
            time.sleep(float(request["seconds"]) / steps)  # hears no cancel
            continue
        on_progress(Progress(phase="infer", fraction=step / steps, detail=f"step {step + 1} of {steps}"))
        time.sleep(float(request["seconds"]) / steps)
    Path(request["out"]).write_text(request["text"])
    return {"text": request["text"], "bytes": len(request["text"]), "engine_pid": os.getpid()}


if __name__ == "__main__":
    serve({**VERBS, "work": work})
