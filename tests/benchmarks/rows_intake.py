"""Rows 2 and 3: a series of 400 uncompressed slices to a volume, and the index of its headers.

Each row reads the same 400 files with ours and with its peer in this one process, takes the best of a few turns in
CPU seconds, and counts only where both gave the same values. The files are made from a seed in shared memory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.engine.intake import makers

SLICES, EDGE, SEED = 400, 512, 20_25


@contextmanager
def series_files() -> Iterator[tuple[list[str], Path, str]]:
    """(the files, the same voxels as one raw file, SHA-256 over all files); removed afterwards."""
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="lamina-bench-", dir=shared))
    try:
        random = np.random.default_rng(SEED)
        base = random.integers(0, 3000, (EDGE, EDGE)).astype(np.int16)
        digest, files = hashlib.sha256(), []
        with open(folder / "volume.raw", "wb") as raw:
            for k in range(SLICES):
                stored = np.roll(base, k, axis=0)
                data = makers.to_bytes(scanner_slice(k, stored))
                digest.update(data)
                path = folder / f"{k:04d}.dcm"
                path.write_bytes(data)
                files.append(str(path))
                raw.write((stored - 1024).astype("<i2").tobytes())
        yield files, folder / "volume.raw", digest.hexdigest()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scanner_slice(k: int, stored: np.ndarray) -> makers.Slice:
    """A CT slice with about as many elements as a scanner writes."""
    tags = makers.ct_slice(k, stored, intercept=-1024, position=(-180.0, -180.0, 1.0 * k), spacing=(0.703125, 0.703125))
    tags |= {0x00080070: ("LO", "Example scanners"), 0x00081030: ("LO", "Thorax"), 0x00180060: ("DS", "120")}
    tags |= {0x00189300 + n: ("FD", float(n)) for n in range(1, 41)}
    tags |= {0x00081140: ("SQ", [{0x00081150: ("UI", makers.CT_STORAGE), 0x00081155: ("UI", f"1.2.3.{k}")}])}
    tags |= {0x00290010: ("LO", "EXAMPLE PRIVATE")} | {0x00291000 + n: ("LO", "vendor") for n in range(16)}
    return tags


def measured(work: Callable[[], Any], repeats: int) -> dict[str, Any]:
    """Best and spread of CPU seconds, best wall seconds, peak memory above the start, and the last answer."""
    cpu, wall = [], []
    answer: Any = None
    before = _peak_mib(reset=True)
    for _ in range(repeats):
        answer = None
        start_wall, start_cpu = time.perf_counter(), time.process_time()
        answer = work()
        cpu.append(time.process_time() - start_cpu)
        wall.append(time.perf_counter() - start_wall)
    spread = statistics.pstdev(cpu) / statistics.mean(cpu) if len(cpu) > 1 else 0.0
    return {
        "cpu": min(cpu),
        "wall": min(wall),
        "spread": round(spread, 3),
        "peak": max(0.0, _peak_mib() - before),
        "answer": answer,
    }


def _peak_mib(reset: bool = False) -> float:
    """Peak resident memory of this process; with `reset` what is resident now, and the peak starts anew."""
    if reset:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            pass
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def row(
    name: str,
    what: str,
    ours: dict[str, Any],
    peer: str,
    version: str,
    theirs: dict[str, Any],
    repeats: int,
    goal: str,
    ratio: float,
    within: bool,
    checked: bool,
    inputs: str,
) -> dict[str, Any]:
    """One row of the table, as the performance page names its fields."""
    reason = "" if within else "slower than the goal in this run"
    if not checked:
        within, reason = False, "the output differs from the peer's: the row does not count"
    return {
        "name": name,
        "what": what,
        "ours_cpu_s": round(ours["cpu"], 4),
        "ours_wall_s": round(ours["wall"], 4),
        "ours_peak_mib": round(ours["peak"], 1),
        "peer": peer,
        "peer_version": version,
        "peer_cpu_s": round(theirs["cpu"], 4),
        "repeats": repeats,
        "spread": ours["spread"],
        "ratio": round(ratio, 2),
        "goal": goal,
        "within_goal": within,
        "reason": reason,
        "inputs_sha256": inputs,
    }


def read_raw(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The yardstick: the same voxels, read from one file into an array."""
    voxels = np.empty(shape, np.int16)
    with open(path, "rb", buffering=0) as file:
        view, done = memoryview(voxels).cast("B"), 0
        while done < len(view):
            done += file.readinto(view[done:])
    return voxels


def pydicom_loop(files: list[str]) -> np.ndarray:
    """What most programs do."""
    import pydicom

    slices = [pydicom.dcmread(path) for path in files]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    return np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])


def series_to_volume() -> list[dict[str, Any]]:
    """Goal 2, against a raw read and against the pydicom loop."""
    import pydicom

    from recon_engine.dicom import read_series

    with series_files() as (files, raw, digest), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shape = (SLICES, EDGE, EDGE)
        read_series(files[:8])  # imports are no part of reading
        plain = measured(lambda: read_raw(raw, shape), 5)
        expected = plain.pop("answer")
        ours = measured(lambda: read_series(files).voxels, 5)
        same_as_raw = bool(np.array_equal(ours["answer"], expected))
        again = measured(lambda: read_raw(raw, shape), 3)
        plain["cpu"] = min(plain["cpu"], again["cpu"])
        del again
        loop = measured(lambda: pydicom_loop(files), 1)
        same_as_loop = bool(np.array_equal(ours.pop("answer"), loop.pop("answer")))
    what = f"{SLICES} uncompressed {EDGE}x{EDGE} slices to an int16 volume"
    over_raw, under_loop = ours["cpu"] / plain["cpu"], loop["cpu"] / ours["cpu"]
    return [
        row("series_raw", what, ours, "raw read of the same voxels", "", plain, 5, "<= 1.5x", over_raw, over_raw <= 1.5,
            same_as_raw, digest),
        row("series_pydicom", what, ours, "pydicom loop and np.stack", pydicom.__version__, loop, 1, ">= 30x less",
            under_loop, under_loop >= 30, same_as_loop, digest),
    ]  # fmt: skip


def header_index() -> list[dict[str, Any]]:
    """Goal 3: the headers of 400 files, with what the worklist and the rules need."""
    import pydicom

    from recon_engine.intake import tags
    from recon_engine.intake.header import read_header

    def ours_index(files: list[str]) -> list[tuple[Any, ...]]:
        headers = [read_header(path) for path in files]
        return [(h.text(tags.SOP_INSTANCE), h.decimals(tags.POSITION), h.short(tags.ROWS)) for h in headers]

    def peer_index(files: list[str]) -> list[tuple[Any, ...]]:
        headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in files]
        return [(str(h.SOPInstanceUID), tuple(map(float, h.ImagePositionPatient)), h.Rows) for h in headers]

    with series_files() as (files, _, digest), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer_index(files[:4])
        ours = measured(lambda: ours_index(files), 7)
        peer = measured(lambda: peer_index(files), 3)
    same = ours.pop("answer") == peer.pop("answer")
    ratio = peer["cpu"] / ours["cpu"]
    return [
        row("headers", f"index of {SLICES} headers", ours, "pydicom stop_before_pixels", pydicom.__version__, peer, 7,
            ">= 5x less", ratio, ratio >= 5, same, digest)
    ]  # fmt: skip


ROWS: dict[str, Callable[[], list[dict[str, Any]]]] = {"series": series_to_volume, "headers": header_index}
