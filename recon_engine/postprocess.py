"""What is done to a mask or a labelmap once it is found. Everything takes and gives arrays (k, j, i)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def components(mask: NDArray) -> tuple[NDArray, NDArray]:
    """Pieces that touch by faces: (labels int32, 0 outside; voxels of each piece, [0] is outside)."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    return labels, np.bincount(labels.ravel(), minlength=count + 1)


def drop_small(mask: NDArray, fewest_voxels: int) -> NDArray:
    """Without the pieces of fewer voxels."""
    labels, sizes = components(mask)
    keep = sizes >= fewest_voxels
    keep[0] = False
    return keep[labels]


def largest(mask: NDArray) -> NDArray:
    """The one largest piece; an empty mask stays empty. Of equals the first in array order."""
    labels, sizes = components(mask)
    if len(sizes) < 2:
        return np.zeros_like(mask, bool)
    return labels == 1 + int(np.argmax(sizes[1:]))


def fill_holes(mask: NDArray) -> NDArray:
    """With every space inside that no path joins to the edge of the volume."""
    labels, sizes = components(~mask)
    outside = np.zeros(len(sizes), bool)
    for axis in range(3):
        for end in (0, -1):
            outside[np.unique(np.take(labels, end, axis))] = True
    outside[0] = False  # 0 is the mask itself
    return ~outside[labels]


def fill_holes_in_slices(mask: NDArray, axis: int = 0) -> NDArray:
    """As fill_holes, slice by slice along one axis: lungs and bowel open at an end of the volume are filled too."""
    from scipy import ndimage

    out = np.empty(mask.shape, bool)
    moved, source = np.moveaxis(out, axis, 0), np.moveaxis(mask, axis, 0)
    for k in range(len(source)):
        moved[k] = ndimage.binary_fill_holes(source[k])
    return out


def keep_largest_pieces(labelmap: NDArray, pieces: dict[int, int], fewest_voxels: int = 1) -> NDArray:
    """Per label the `pieces` largest pieces of at least `fewest_voxels`; labels not named stay as they are."""
    out = labelmap.copy()
    for label, most in pieces.items():
        found, sizes = components(labelmap == label)
        keep = np.zeros(len(sizes), bool)
        order = np.argsort(-sizes[1:], kind="stable")[:most] + 1
        keep[order] = sizes[order] >= fewest_voxels
        out[(found > 0) & ~keep[found]] = 0
    return out


def smooth_labelmap(labelmap: NDArray, spacing_mm: tuple[float, float, float], width_mm: float) -> NDArray:
    """Every voxel takes the label with the largest blurred share; `width_mm` is the blur's standard deviation.

    Nothing (0) votes too. A label that would vanish altogether keeps its voxels.
    """
    from scipy.ndimage import find_objects, gaussian_filter

    sigma = [width_mm / s for s in spacing_mm]
    reach = [int(np.ceil(4 * s)) + 1 for s in sigma]
    best = gaussian_filter((labelmap == 0).astype(np.float32), sigma)
    out = np.zeros_like(labelmap)
    for index, box in enumerate(find_objects(labelmap)):
        if box is None:
            continue
        label = index + 1
        grown = tuple(
            slice(max(b.start - r, 0), min(b.stop + r, n)) for b, r, n in zip(box, reach, labelmap.shape, strict=True)
        )
        share = gaussian_filter((labelmap[grown] == label).astype(np.float32), sigma)
        wins = share > best[grown]
        if not wins.any():
            wins = labelmap[grown] == label
        out[grown][wins] = label
        best[grown][wins] = share[wins]
    return out
