"""The door of intake: inspect what was sent, read a volume from it, prepare it for a study.

Parsing and decompression happen in a child process with limits (runner.py, child.py). A process that has such limits
already says so with LAMINA_LIMITED_PROCESS=1 or `in_process=True`.
"""

from __future__ import annotations

import os
from pathlib import Path

from recon_engine.contract import (
    InspectResult,
    IntakeFinding,
    OnProgress,
    PrepareRequest,
    PrepareResult,
    TagChange,
    no_progress,
)
from recon_engine.volume import Volume


def inspect(
    path: str | Path, *, changes: bool = False, out: str | Path | None = None, in_process: bool | None = None
) -> InspectResult:
    """What a file, folder or zip holds, series by series.

    With `changes` each DICOM finding's facts["changes"] is its before/after table as dictionaries of TagChange (the
    before values identify people). With `out`, a folder, facts["thumbnail"] names a PNG of the middle slice in it.
    No content makes this raise; only a path that is not there does (EngineError not_found).
    """
    from recon_engine.intake.runner import run

    call = {"path": os.path.abspath(path), "changes": changes, "out": os.path.abspath(out) if out else ""}
    answer = run("inspect", call, in_process=in_process)
    return InspectResult.from_dict(answer)


def read_volume(
    path: str | Path, modality: str = "", key: str = "", *, in_process: bool | None = None
) -> tuple[Volume, IntakeFinding]:
    """The one volume at a path (a file, folder or zip of DICOM, NIfTI, a prepared series), chosen by key or modality.

    `modality` says what a NIfTI file is, and which series is meant where there are several. Raises EngineError with
    the refusing code, or bad_request where more than one series fits.
    """
    from recon_engine.intake.prepared import is_prepared, read_prepared

    if is_prepared(path):
        return read_prepared(path)
    from recon_engine.intake.runner import read_volume_guarded

    return read_volume_guarded(os.path.abspath(path), modality, key, in_process=in_process)


def prepare(
    request: PrepareRequest, on_progress: OnProgress = no_progress, *, in_process: bool | None = None
) -> PrepareResult:
    """Replace identifiers and write each chosen series into its own folder below `request.out`.

    Withheld series (burned-in annotation, secondary capture, ultrasound) are left out unless their key is among
    `request.confirmed_keys`. Raises EngineError; what was half written is the caller's to remove with `out`.
    """
    from recon_engine.intake.runner import run

    call = request.to_dict() | {"source": os.path.abspath(request.source), "out": os.path.abspath(request.out)}
    answer = run("prepare", call, on_progress=on_progress, in_process=in_process)
    return PrepareResult.from_dict(answer)


def inspect_changes(
    path: str | Path, key: str, pseudonym: str, uid_key: str = "", date_shift_days: int = 0
) -> tuple[TagChange, ...]:
    """The before/after table of one series, from its first image; () for what is not DICOM."""
    from recon_engine.intake.runner import run

    answer = run(
        "changes",
        {
            "path": os.path.abspath(path),
            "key": key,
            "pseudonym": pseudonym,
            "uid_key": uid_key,
            "date_shift_days": date_shift_days,
        },
    )
    return tuple(TagChange.from_dict(row) for row in answer["changes"])
