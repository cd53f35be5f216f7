"""A phantom as a DICOM CT series: CT Image Storage, PS3.3 A.3, one file per slice, explicit VR little endian.

The files say what they are: QualityControlImage (0028,0300) is YES, ManufacturerModelName is "Lamina phantom", and the
name given to the subject is one no person has.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recon_engine.contract import ENGINE_VERSION
from recon_engine.volume import Volume

MODEL_NAME = "Lamina phantom"
_CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_OFFSET = 1024  # stored values are HU + 1024, 12 bits, as scanners have it
_SPACE = uuid.UUID("b3b51c17-4f0e-4a9b-9d6d-6b9f2f1a4c55")


def fixed_uid(name: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) that depends on `name` alone."""
    return f"2.25.{uuid.uuid5(_SPACE, name).int}"


def write_ct_series(
    volume: Volume,
    folder: str | Path,
    name: str,
    description: str,
    window: tuple[float, float] = (400.0, 40.0),
    *,
    patient: str = "",
    date: str = "20250101",
) -> list[Path]:
    """Write `volume` (HU) as slices along its first axis, in shuffled file order as archives have them.

    `name` fixes every UID: the same name and volume give the same bytes. `patient` is the name of another phantom
    that is the same subject; `date` is DICOM's DA. -> the files.
    Raises ValueError for HU outside 12 bits and for axes that are not square to each other.
    """
    voxels = np.rint(volume.voxels).astype(np.int32)
    if voxels.min() < -_OFFSET or voxels.max() > 4095 - _OFFSET:
        raise ValueError(f"HU from {voxels.min()} to {voxels.max()} do not fit into 12 bits; clip to -1024..3071")
    direction = volume.direction
    if np.abs(direction.T @ direction - np.eye(3)).max() > 1e-6:
        raise ValueError("slices of a DICOM series are square to its axis")
    if np.linalg.det(direction[:, [2, 1, 0]]) < 0:
        raise ValueError("slices are stacked along row x column; turn the first axis round")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(len(voxels)).permutation(len(voxels))
    paths = []
    for place, dataset in zip(order, _datasets(volume, voxels, name, description, window), strict=True):
        path = folder / f"IM{place:04d}.dcm"
        dataset.PatientID = f"PHANTOM-{(patient or name).upper()}"[:64]
        dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = date
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _datasets(
    volume: Volume, voxels: np.ndarray, name: str, description: str, window: tuple[float, float]
) -> Iterator[Any]:
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import UID

    spacing = volume.spacing_mm
    direction = volume.direction
    row = [_number(v) for v in (*direction[:, 2], *direction[:, 1])]
    stored = (voxels + _OFFSET).astype("<u2")
    for k in range(volume.shape[0]):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(_CT_IMAGE_STORAGE)
        meta.MediaStorageSOPInstanceUID = UID(fixed_uid(f"{name}/{k}"))
        meta.TransferSyntaxUID = UID(_EXPLICIT_LITTLE)
        meta.ImplementationClassUID = UID(fixed_uid("implementation"))
        meta.ImplementationVersionName = f"LAMINA_{ENGINE_VERSION}"
        ds = FileDataset(None, Dataset(), file_meta=meta, preamble=b"\0" * 128)
        # Patient and study
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.PatientName, ds.PatientID = "Phantom^Lamina", ""  # the writer says which, and the dates
        ds.PatientBirthDate, ds.PatientSex = "", "O"
        ds.StudyInstanceUID, ds.StudyID = fixed_uid(f"{name}/study"), "1"
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = ""
        ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "120000"
        ds.AccessionNumber, ds.ReferringPhysicianName = "", ""
        ds.StudyDescription = "Phantom"
        # Series, frame of reference, equipment
        ds.Modality, ds.SeriesInstanceUID = "CT", fixed_uid(f"{name}/series")
        ds.SeriesNumber, ds.SeriesDescription = 1, description
        ds.BodyPartExamined, ds.PatientPosition = "CHEST", "HFS"
        ds.FrameOfReferenceUID = volume.frame_of_reference_uid or fixed_uid(f"{name}/frame")
        ds.PositionReferenceIndicator = ""
        ds.Manufacturer, ds.ManufacturerModelName = "Lamina", MODEL_NAME
        ds.DeviceSerialNumber, ds.SoftwareVersions = "0", ENGINE_VERSION
        # Image
        ds.SOPClassUID, ds.SOPInstanceUID = UID(_CT_IMAGE_STORAGE), meta.MediaStorageSOPInstanceUID
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.InstanceNumber, ds.AcquisitionNumber = k + 1, 1
        ds.QualityControlImage, ds.BurnedInAnnotation = "YES", "NO"
        ds.LossyImageCompression = "00"
        position = volume.to_mm((k, 0, 0))
        ds.ImagePositionPatient = [_number(v) for v in position]
        ds.ImageOrientationPatient = row
        ds.PixelSpacing = [_number(spacing[1]), _number(spacing[2])]
        ds.SliceThickness = ds.SpacingBetweenSlices = _number(spacing[0])
        ds.SliceLocation = _number(float(direction[:, 0] @ position))
        ds.KVP, ds.ConvolutionKernel = "120", "NONE"
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns = volume.shape[1:]
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = str(-_OFFSET), "1", "HU"
        ds.WindowWidth, ds.WindowCenter = _number(window[0]), _number(window[1])
        ds.PixelData = stored[k].tobytes()
        ds["PixelData"].VR = "OW"
        yield ds


def _number(value: float) -> str:
    """A decimal string of at most 16 bytes (DS, PS3.5 6.2), as exact as that allows; never "-0"."""
    value = float(value) + 0.0
    for digits in range(15, 4, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return "0" if float(text) == 0 else text
    raise ValueError(f"{value} does not fit into a decimal string")
