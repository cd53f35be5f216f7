"""Engine verbs that misbehave in one way each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import recon_engine
from recon_engine.contract import EngineError, OnProgress, Progress
from server.engine import serve

warmed: list[str] = []


def verb(request: Mapping[str, Any], on_progress: OnProgress) -> Mapping[str, Any]:
    match request["do"]:
        case "echo":
            on_progress(Progress(phase="read", fraction=0.5))
            return {"echo": request.get("text", ""), "pid": os.getpid(), "warmed": warmed}
        case "print":
            print("noise on stdout")
            sys.stderr.write("PatientName: Doe^Jane")
            os.write(1, b"more noise")
            return {"ok": True}
        case "hold":
            ballast = bytearray(request["mib"] * 2**20)
            ballast[::4096] = b"x" * len(ballast[::4096])
            return {"held": len(ballast)}
        case "spin":
            while True:
                pass
        case "write":
            with open(request["path"], "wb") as file:
                file.write(bytes(request["mib"] * 2**20))
            return {}
        case "refuse":
            raise EngineError("not_a_volume", "This is no volume. Send another.", file="a.dcm", slices=2)
        case "fail":
            raise ValueError("PatientName Doe^Jane is odd")
        case "exit":
            os._exit(7)
        case "environment":
            return {"names": sorted(os.environ)}
        case "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            on_progress(Progress(phase="read", fraction=0.1, detail=str(child.pid)))
            time.sleep(60)
            return {}
        case "wait":
            for _ in range(600):
                on_progress(Progress(phase="infer", fraction=0.0))
                time.sleep(0.05)
            return {}
    raise AssertionError


if __name__ == "__main__":
    recon_engine.warm_up = lambda: warmed.append("up")
    serve({"do": verb})
