"""Contrast and noise. Widths are in mm, so a filter does the same on every grid; results are float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recon_engine.volume import Volume


def _values(volume: Volume) -> np.ndarray:
    return np.ascontiguousarray(volume.voxels, np.float32)


def gaussian(volume: Volume, width_mm: float) -> Volume:
    """Blurred; `width_mm` is the standard deviation."""
    from scipy.ndimage import gaussian_filter

    return replace(volume, voxels=gaussian_filter(_values(volume), [width_mm / s for s in volume.spacing_mm]))


def sharpen(volume: Volume, width_mm: float, amount: float = 1.0) -> Volume:
    """Unsharp masking: what a blur of `width_mm` takes away is added `amount` times."""
    values = _values(volume)
    return replace(volume, voxels=values + np.float32(amount) * (values - gaussian(volume, width_mm).voxels))


def median(volume: Volume, radius_mm: float) -> Volume:
    """The median of the box that reaches `radius_mm` to each side, at least one voxel in the plane."""
    import SimpleITK as sitk

    radius = [round(radius_mm / s) for s in volume.spacing_mm]
    radius[1], radius[2] = max(radius[1], 1), max(radius[2], 1)
    out = sitk.Median(sitk.GetImageFromArray(_values(volume)), radius[::-1])
    return replace(volume, voxels=sitk.GetArrayFromImage(out))


def bilateral(volume: Volume, width_mm: float, tolerance: float) -> Volume:
    """Blurred among voxels of like value: differences well above `tolerance` (the volume's unit) stay sharp."""
    import SimpleITK as sitk

    if not (width_mm > 0 and tolerance > 0):
        raise ValueError("width and tolerance of a bilateral filter are above 0")
    image = sitk.GetImageFromArray(_values(volume))
    image.SetSpacing(volume.spacing_mm[::-1])
    return replace(volume, voxels=sitk.GetArrayFromImage(sitk.Bilateral(image, width_mm, tolerance)))


def non_local_means(volume: Volume, noise: float | None = None, strength: float = 0.8) -> Volume:
    """Averaged over patches that look alike, slice by slice. `noise` is its standard deviation; None: estimated."""
    from skimage.restoration import denoise_nl_means

    values = _values(volume)
    out = np.empty_like(values)
    for k in range(len(values)):
        sigma = noise_of(values[k]) if noise is None else noise
        out[k] = denoise_nl_means(
            values[k], patch_size=5, patch_distance=6, h=strength * sigma, sigma=sigma, fast_mode=True
        )
    return replace(volume, voxels=out)


def noise_of(values: np.ndarray) -> float:
    """Standard deviation of the noise of one slice, after Immerkaer (1996): edges and slopes cancel in the mask."""
    from scipy.ndimage import convolve

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    left = np.abs(convolve(np.asarray(values, np.float32), mask, mode="nearest"))[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) / 6 * left.mean()) if left.size else 0.0


def clahe(volume: Volume, limit: float = 0.01, tile_mm: float = 40.0) -> Volume:
    """Contrast-limited adaptive histogram equalisation over 3D tiles of about `tile_mm`; values 0..1, without unit."""
    from skimage.exposure import equalize_adapthist

    values = _values(volume)
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return replace(volume, voxels=np.zeros_like(values), unit="")
    tile = [min(max(round(tile_mm / s), 2), n) for s, n in zip(volume.spacing_mm, volume.shape, strict=True)]
    out = equalize_adapthist((values - low) / (high - low), kernel_size=tile, clip_limit=limit)
    return replace(volume, voxels=out.astype(np.float32), unit="")
