"""The limited process: `python -m recon_engine.intake.child`. One JSON call on stdin, JSON lines on stdout.

Its limits are set before the first byte of the call's files is looked at. Lines: {"at": file} before a file goes to a
parser, {"progress": ...}, and last {"result": ...} or {"error": ...}.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from recon_engine.contract import EngineError, Progress
from recon_engine.intake.limits import ProcessLimits
from recon_engine.intake.runner import OUT_OF_MEMORY


def die_with_parent() -> None:
    """Where the caller is killed its child must not go on parsing (Linux: PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def main() -> int:
    die_with_parent()
    call = json.loads(sys.stdin.buffer.readline())
    ProcessLimits(**call["limits"]).apply()
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints may not mix with the answers
    if call["careful"]:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one thread per pool: one file at a time

    def say(message: dict[str, Any]) -> None:
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        view = memoryview(line)
        while view:
            view = view[os.write(answers, view) :]

    def progress(step: Progress) -> None:
        say({"progress": step.to_dict()})

    try:
        from recon_engine.intake.survey import Watch
        from recon_engine.intake.verbs import run_verb

        watch = Watch(about_to_parse=lambda relative: say({"at": relative}), killers=call["killers"])
        result = run_verb(call["verb"], call["request"], Path(call["workspace"]), watch, progress)
        say({"result": result})
    except EngineError as error:
        say({"error": {"code": error.code, "message": error.message, "facts": error.facts}})
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
