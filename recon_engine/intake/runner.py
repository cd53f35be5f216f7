"""The parent's side: start the limited child, watch it, and go on when a file kills it.

The child says which file it hands to a parser before it does. Where it dies (a signal, the memory limit, the time
limit) that file gets a finding, a new child starts without it, and the rest of the upload is answered as usual.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from recon_engine.contract import EngineError, InspectResult, IntakeFinding, OnProgress, Progress, no_progress
from recon_engine.intake import reasons
from recon_engine.intake.limits import ProcessLimits
from recon_engine.volume import Volume

LIMITED = "LAMINA_LIMITED_PROCESS"
MOST_RESTARTS = 8
OUT_OF_MEMORY = 12  # the child's exit status


class ChildDied(Exception):
    """The child ended without an answer while `suspects` were in its parsers."""

    def __init__(self, code: str, suspects: tuple[str, ...]) -> None:
        super().__init__(code)
        self.code = code
        self.suspects = suspects


def run(
    verb: str,
    request: Mapping[str, Any],
    *,
    on_progress: OnProgress = no_progress,
    in_process: bool | None = None,
    pass_fds: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Run a verb of `verbs.py` in a limited child, or here. Raises EngineError."""
    workspace = _workspace(str(request.get("out", "")))
    try:
        if is_limited(in_process):
            return _run_here(verb, request, workspace, on_progress)
        killers: dict[str, str] = {}
        careful = False
        for _ in range(MOST_RESTARTS):
            try:
                return _run_child(verb, request, workspace, killers, careful, on_progress, pass_fds)
            except ChildDied as death:
                if len(death.suspects) == 1 or (careful and death.suspects):
                    killers[death.suspects[-1]] = death.code
                elif careful or not death.suspects:
                    return _given_up(verb, death.code)
                careful = True  # several files were open at once: next time one after the other
                shutil.rmtree(workspace, ignore_errors=True)
                workspace.mkdir(mode=0o700)
        return _given_up(verb, "parse_error")
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _workspace(out: str) -> Path:
    """A folder for unpacked files: inside `out` where there is one, so that whoever owns `out` also cleans up after a
    process that was killed; else a temporary one."""
    if out:
        os.makedirs(out, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".lamina-intake-", dir=out or None))


def is_limited(in_process: bool | None) -> bool:
    return os.environ.get(LIMITED) == "1" if in_process is None else in_process


def _run_here(verb: str, request: Mapping[str, Any], workspace: Path, on_progress: OnProgress) -> dict[str, Any]:
    from recon_engine.intake.survey import Watch
    from recon_engine.intake.verbs import run_verb

    return run_verb(verb, request, workspace, Watch(), on_progress)


def _given_up(verb: str, code: str) -> dict[str, Any]:
    """No single file can be blamed: the whole is refused."""
    message = reasons.sentence(reasons.Issue(code, "The files could not be read within the limits."))
    if verb != "inspect":
        raise EngineError(code, message)
    finding = IntakeFinding(
        key="",
        series_instance_uid=None,
        study_instance_uid=None,
        modality=None,
        description="",
        files=(),
        shape=None,
        spacing_mm=None,
        verdict="refuse",
        reasons=(code,),
        message=message,
        facts={"kept": False, "withheld": False, "phantom": False, "frame_of_reference_uid": None},
    )
    return InspectResult(findings=(finding,)).to_dict()


def _run_child(
    verb: str,
    request: Mapping[str, Any],
    workspace: Path,
    killers: Mapping[str, str],
    careful: bool,
    on_progress: OnProgress,
    pass_fds: tuple[int, ...],
) -> dict[str, Any]:
    limits = ProcessLimits.from_environment()
    environment = {k: v for k, v in os.environ.items() if k in _PASSED_ON}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", LIMITED: "1"}
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-m", "recon_engine.intake.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=root,
        env=environment,
        pass_fds=pass_fds,
    )
    expired = threading.Event()

    def stop() -> None:
        expired.set()
        _kill(process)

    timer = threading.Timer(limits.wall_seconds, stop) if limits.wall_seconds else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    open_files: list[str] = []
    try:
        call = {
            "verb": verb,
            "request": dict(request),
            "workspace": str(workspace),
            "killers": dict(killers),
            "careful": careful,
            "limits": limits.to_dict(),
        }
        answer = _talk(process, call, open_files, on_progress)
        if answer is None:
            process.wait(timeout=30)  # its pipe is closed, so it is ending: learn how
    except subprocess.TimeoutExpired:
        answer = None
    finally:
        if timer is not None:
            timer.cancel()
        _kill(process)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
    if answer is None:
        raise ChildDied(_cause(process.returncode, expired.is_set()), tuple(open_files[-8:]))
    if "error" in answer:
        error = answer["error"]
        raise EngineError(error["code"], error["message"], **error["facts"])
    return answer["result"]


_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


def _talk(
    process: subprocess.Popen[bytes], call: Mapping[str, Any], open_files: list[str], on_progress: OnProgress
) -> dict[str, Any] | None:
    """Send the call, follow the lines; the last one is the answer. None where the child ended without one."""
    if process.stdin is None or process.stdout is None:
        raise EngineError("internal", "The intake process has no pipes.")
    try:
        process.stdin.write(json.dumps(call).encode() + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        return None
    for line in process.stdout:
        try:
            message = json.loads(line)
        except ValueError:
            return None
        if "at" in message:
            open_files.append(message["at"])
        elif "progress" in message:
            on_progress(Progress.from_dict(message["progress"]))
        else:
            return message
    return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()  # it starts no process of its own


def _cause(returncode: int, expired: bool) -> str:
    if expired or returncode in (-signal.SIGXCPU, -signal.SIGKILL, OUT_OF_MEMORY):
        return "declared_size_over_limit"
    return "parse_error"


def read_volume_guarded(
    path: str, modality: str, key: str, *, in_process: bool | None = None
) -> tuple[Volume, IntakeFinding]:
    """`read_volume` through the child: its voxels come back in a file without a name, which is mapped."""
    if is_limited(in_process):
        from recon_engine.intake.verbs import read_here

        workspace = tempfile.mkdtemp(prefix="lamina-intake-")
        try:
            return read_here(path, modality, key, Path(workspace))
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
    with _nameless_file() as file:
        call = {"path": path, "modality": modality, "key": key, "voxels": file.fileno()}
        answer = run("read_volume", call, in_process=False, pass_fds=(file.fileno(),))
        voxels = np.memmap(file, np.dtype(answer["dtype"]), "c", shape=tuple(answer["shape"]))
    volume = Volume(
        np.asarray(voxels),
        np.array(answer["affine"]),
        answer["frame_of_reference_uid"],
        answer["modality"],
        answer["unit"],
        answer["spacing_known"],
    )
    return volume, IntakeFinding.from_dict(answer["finding"])


def _nameless_file() -> IO[bytes]:
    """A file in memory (else in the temporary folder) without a name: nothing of it can be left behind."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("lamina-voxels", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()
