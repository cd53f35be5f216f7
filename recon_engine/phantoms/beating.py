"""A heart of known beat: one ball whose radius goes through known steps, as a 4D series."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon_engine.phantoms.series import fixed_uid, write_ct_series
from recon_engine.volume import Volume

RADII_MM = (12.0, 10.0, 7.0, 10.0)  # of each phase; the beat goes round
STEP_MS = 200.0  # between phases, from the R wave
INSIDE, OUTSIDE = 300, 40  # HU


def beating_volumes(spacing_mm: float = 2.0, radii_mm: tuple[float, ...] = RADII_MM) -> list[Volume]:
    """One volume per phase on one grid, its middle at LPS 0; a voxel belongs to the ball when its middle does."""
    half = int(np.ceil((max(radii_mm) + 6) / spacing_mm))
    count = 2 * half + 1
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = spacing_mm
    affine[:3, 3], affine[3, 3] = -half * spacing_mm, 1.0
    z, y, x = np.ix_(*[(np.arange(count) - half) * spacing_mm] * 3)
    squared = x**2 + y**2 + z**2
    frame = fixed_uid("beating/frame")
    return [
        Volume(np.where(squared <= radius**2, INSIDE, OUTSIDE).astype(np.int16), affine, frame, "CT", "HU")
        for radius in radii_mm
    ]


def write_beating(folder: str | Path, spacing_mm: float = 2.0) -> list[Volume]:
    """Write the phases as one CT series told apart by TriggerTime (0018,1060) and TemporalPositionIdentifier."""
    import pydicom

    folder = Path(folder)
    volumes = beating_volumes(spacing_mm)
    for number, volume in enumerate(volumes):
        part = folder / f"phase-{number}"
        for path in write_ct_series(volume, part, f"beating-{number}", "Beating phantom, CT"):
            dataset = pydicom.dcmread(path)
            dataset.StudyInstanceUID = fixed_uid("beating/study")
            dataset.SeriesInstanceUID = fixed_uid("beating/series")
            dataset.PatientID = "PHANTOM-BEATING"
            dataset.TemporalPositionIdentifier, dataset.NumberOfTemporalPositions = number + 1, len(volumes)
            dataset.TriggerTime = f"{number * STEP_MS:g}"
            dataset.InstanceNumber = dataset.InstanceNumber + number * volume.shape[0]
            dataset.save_as(path, enforce_file_format=True)
    return volumes
