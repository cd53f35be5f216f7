"""Series of one study for the tests of planes and fusion, written with the engine's phantom writer: a CT and what lies
over it. Every value is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recon_engine.phantoms.series import fixed_uid, write_ct_series
from recon_engine.volume import Volume

FRAME = fixed_uid("planes/frame")
# A small body: 60 mm wide and deep, 40 mm high, its middle at 0. Slices of 2 mm.
_SHAPE = (21, 31, 31)
BODY_HU, LATER_HU, SPOT_HU, PEAK_HU = 40, 90, 500, 900
SPOT = (12.0, 0.0, 6.0)  # LPS mm: a cube of 6 mm, of SPOT_HU, hot in the PET
PEAK = (-16.0, 4.0, 4.0)  # one voxel, two slices above the middle one
SUV_SPOT, SUV_BODY = 6.0, 0.5
WEIGHT_KG, DOSE_BQ = 70.0, 350e6


def _grid(shape: tuple[int, int, int], spacing: float) -> np.ndarray:
    affine = np.diag([spacing] * 3 + [1.0])[[2, 1, 0, 3]]
    affine[:3, 3] = [-spacing * (n // 2) for n in shape[::-1]]
    return affine


def _points(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1) @ affine[:3, :3].T + affine[:3, 3]


def body_ct(body: int = BODY_HU) -> Volume:
    """HU: a body with a bright cube and one brighter voxel."""
    affine = _grid(_SHAPE, 2.0)
    points = _points(_SHAPE, affine)
    voxels = np.where(np.hypot(points[..., 0], points[..., 1]) < 28, body, -1000)
    voxels[np.abs(points - SPOT).max(-1) <= 3] = SPOT_HU
    voxels[np.abs(points - PEAK).max(-1) < 1] = PEAK_HU
    return Volume(voxels.astype(np.int16), affine, FRAME, "CT", "HU")


def write_body_ct(folder: Path) -> None:
    write_ct_series(body_ct(), folder, "planes", "Body CT")


def write_later_ct(folder: Path) -> None:
    """The next phase of the CT: the same grid, the body brighter."""
    import pydicom

    for path in write_ct_series(body_ct(LATER_HU), folder, "planes-later", "Body CT"):
        ds = pydicom.dcmread(path)
        ds.SeriesNumber, ds.StudyInstanceUID, ds.PatientID = 3, fixed_uid("planes/study"), "PHANTOM-PLANES"
        ds.save_as(path)


def write_body_pet(folder: Path, name: str = "planes-pet", frame: str = FRAME, spot: float = SUV_SPOT) -> None:
    """The same place on voxels of 4 mm: SUV 0.5 in the body and `spot` in the spot, as Bq/mL with the facts for SUV."""
    import pydicom
    from pydicom.dataset import Dataset

    shape = (11, 16, 16)
    affine = _grid(shape, 4.0)
    points = _points(shape, affine)
    suv = np.where(np.hypot(points[..., 0], points[..., 1]) < 28, SUV_BODY, 0.0)
    suv[np.abs(points - SPOT).max(-1) <= 5] = spot
    # Stored in hundredths of SUV; the slope turns them into Bq/mL, so that SUV = Bq/mL x weight (g) / dose.
    stored = Volume(np.rint(suv * 100).astype(np.int16), affine, frame, "PT", "")
    slope = DOSE_BQ / (WEIGHT_KG * 1000) / 100
    for path in write_ct_series(replace(stored, frame_of_reference_uid=frame), folder, name, "Body PET"):
        ds = pydicom.dcmread(path)
        number = int(ds.InstanceNumber)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.128"
        ds.Modality, ds.SeriesNumber, ds.StudyInstanceUID = "PT", 2, fixed_uid("planes/study")
        ds.PatientID, ds.PatientWeight = "PHANTOM-PLANES", str(WEIGHT_KG)
        del ds.KVP, ds.RescaleType
        ds.Units, ds.CorrectedImage, ds.DecayCorrection = "BQML", ["ATTN", "DECY"], "START"
        ds.RescaleSlope, ds.RescaleIntercept = f"{slope:.10g}", "0"
        # Stored by the CT writer as HU + 1024.
        ds.PixelData = (ds.pixel_array.astype(np.int32) - 1024).astype("<u2").tobytes()
        ds.WindowWidth = ds.WindowCenter = None
        drug = Dataset()
        drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = str(DOSE_BQ), "6586.2"
        drug.RadiopharmaceuticalStartTime = "120000"
        ds.RadiopharmaceuticalInformationSequence = [drug]
        ds.ImageIndex, ds.FrameReferenceTime = number, "0"
        ds.save_as(path)
