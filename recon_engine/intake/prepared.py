"""Read a prepared series back: its voxels are mapped, not loaded, so it opens at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recon_engine.contract import EngineError, IntakeFinding, PreparedSeries
from recon_engine.volume import Volume

RECORDS = ("prepared.json", "series.json")  # ours, and the one a server writes beside the voxels alone


def is_prepared(path: str | Path) -> bool:
    return _record(Path(path)) is not None


def _record(folder: Path) -> Path | None:
    return next((folder / name for name in RECORDS if (folder / name).is_file()), None)


def read_record(path: str | Path) -> PreparedSeries:
    """Raises EngineError parse_error for a record that is not one."""
    record = _record(Path(path))
    if record is None:
        raise EngineError("not_found", "There is no prepared series here.")
    try:
        return PreparedSeries.from_dict(json.loads(record.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise EngineError(
            "parse_error", f"The prepared series has a damaged record ({type(error).__name__})."
        ) from None


def read_prepared(path: str | Path) -> tuple[Volume, IntakeFinding]:
    """The volume of a prepared series; int16 voxels are a read-only map of the file.

    Raises EngineError with the refusing code where the series is no volume, pixel_data_truncated for a short file.
    """
    folder = Path(path)
    series = read_record(folder)
    files = series.volume
    if files is None:
        code = series.finding.reasons[0] if series.finding.reasons else "no_pixel_data"
        raise EngineError(code, series.finding.message)
    voxels = folder / files.voxels
    shape = tuple(int(n) for n in files.shape)
    expected = 2 * int(np.prod(shape, dtype=np.int64))
    if not voxels.is_file() or voxels.stat().st_size != expected:
        raise EngineError(
            "pixel_data_truncated", "The voxels of the prepared series are not complete. Prepare it again."
        )
    stored = np.memmap(voxels, "<i2", "r", shape=shape)
    values = stored if (files.slope, files.intercept) == (1.0, 0.0) else _real(stored, files.slope, files.intercept)
    volume = Volume(
        np.asarray(values),
        np.array(files.affine),
        series.frame_of_reference_uid,
        series.modality,
        files.unit,
        files.spacing_mm is not None,
    )
    return volume, series.finding


def _real(stored: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    values = np.empty(stored.shape, np.float32)
    for k in range(len(stored)):
        np.multiply(stored[k], slope, out=values[k], casting="unsafe", dtype=np.float64)
        values[k] += np.float32(intercept)
    return values
