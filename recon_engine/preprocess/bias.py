"""The slow shading of an MR, taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recon_engine.preprocess.grid import Change
from recon_engine.volume import Volume

SHRUNK_MM = 3.0  # the field is smooth: found on voxels of about this edge, applied to all
ROUNDS = (40, 40, 30, 20)


def bias_field(volume: Volume, levels: int = 3) -> Change:
    """Without its bias field, by N4 (Tustison et al. 2010), float32; undo multiplies the field back in.

    The field is found where Otsu's threshold sees tissue, on `levels` (1 to 4) finer and finer meshes. Raises
    ValueError for a volume without two different values, with values below 0 (N4 works on logarithms), or for levels
    out of range.
    """
    import SimpleITK as sitk

    if not 1 <= levels <= len(ROUNDS):
        raise ValueError(f"the levels of N4 are 1 to {len(ROUNDS)}")
    values = np.ascontiguousarray(volume.voxels, np.float32)
    low, high = float(values.min()), float(values.max())
    if low < 0:
        raise ValueError("a bias field is found in values of 0 and above, as an MR has them")
    if high <= low:
        raise ValueError("a volume of one value has no bias field")
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(volume.spacing_mm[::-1])
    tissue = sitk.OtsuThreshold(image, 0, 1, 128)
    shrink = [
        max(1, min(round(SHRUNK_MM / s), n // 4)) for s, n in zip(image.GetSpacing(), image.GetSize(), strict=True)
    ]
    correct = sitk.N4BiasFieldCorrectionImageFilter()
    correct.SetMaximumNumberOfIterations(ROUNDS[:levels])
    correct.Execute(sitk.Shrink(image, shrink), sitk.Shrink(tissue, shrink))
    field = np.exp(sitk.GetArrayFromImage(correct.GetLogBiasFieldAsImage(image))).astype(np.float32)

    def undo(changed: Volume) -> Volume:
        return replace(changed, voxels=changed.voxels * field)

    return Change(replace(volume, voxels=values / field), undo)
