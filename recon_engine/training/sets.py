"""Labelled sets on disk: which cases there are, which part they belong to, and each as volume and labelmap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recon_engine.contract import EngineError
from recon_engine.volume import Volume

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_nifti(path: Path) -> Volume:
    """A NIfTI file of a training set as a Volume. Raises EngineError("not_found") or ("parse_error")."""
    import nibabel

    if not path.exists():
        raise EngineError("not_found", f"{path.parent.name}/{path.name} is missing from the set.", file=path.name)
    try:
        image = nibabel.load(path)
        voxels = np.asarray(image.dataobj).T
        affine = LPS_FROM_RAS @ image.affine
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError) as error:
        raise EngineError("parse_error", f"{path.name} cannot be read as NIfTI: {error}.", file=path.name) from None
    return Volume(voxels, affine[:, [2, 1, 0, 3]])


def split_part(splits: Path, set_name: str, part: str) -> list[str]:
    """The cases of one part ("train", "val") of a set, from a splits file {set: {part: [case, ...]}}.

    A file that holds the parts directly is taken too. Raises EngineError("bad_request") naming what is missing.
    """
    try:
        table = json.loads(Path(splits).read_text())
    except (OSError, ValueError) as error:
        raise EngineError("bad_request", f"{Path(splits).name} is no readable JSON file: {error}.") from None
    parts = table.get(set_name, table)
    if part not in parts or not isinstance(parts[part], list):
        known = ", ".join(str(k) for k in parts)
        raise EngineError("bad_request", f"{Path(splits).name} has no part {part!r} of {set_name}; it has: {known}.")
    return [str(case) for case in parts[part]]


def hippocampus_cases(folder: Path) -> list[str]:
    """The ids in a folder laid out as images/<id>.nii.gz and labels/<id>.nii.gz, sorted."""
    names = sorted(p.name.removesuffix(".nii.gz") for p in (Path(folder) / "images").glob("*.nii.gz"))
    if not names:
        raise EngineError("not_found", f"{Path(folder).name} holds no images/<case>.nii.gz.")
    return names


def hippocampus_case(folder: Path, name: str) -> tuple[Volume, Volume]:
    """(image, labelmap with 1 anterior, 2 posterior) of one case, on one grid."""
    image = read_nifti(Path(folder) / "images" / f"{name}.nii.gz")
    return image, read_nifti(Path(folder) / "labels" / f"{name}.nii.gz")


def hippocampus_samples(folder: Path, names: Sequence[str], box: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """All crops as the network sees them: images (N, *box) float32 and labels (N, *box) uint8.

    Every axis of every set member runs (up, forward, right) after `oriented`, as at inference.
    """
    from recon_engine.recipes.grids import centred, oriented, standardised

    images = np.zeros((len(names), *box), np.float32)
    labels = np.zeros((len(names), *box), np.uint8)
    for index, name in enumerate(names):
        image, label = (oriented(volume) for volume in hippocampus_case(folder, name))
        images[index] = centred(standardised(image.voxels), box)[0]
        labels[index] = centred(label.voxels.astype(np.uint8), box)[0]
    return images, labels
