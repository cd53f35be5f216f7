"""Growing a segment from a click: a front that runs fast through what looks like the clicked place.

Fast marching (J. A. Sethian, "A fast marching level set method for monotonically advancing fronts", PNAS 93, 1996)
gives every voxel the time the front needs to it. The front runs 1 mm per unit where values are like those at the click,
and hardly moves across an edge; what it reaches within `radius_mm` is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.pieces import Piece
from recon_engine.refining.layers import Change, Layers, image_of, nothing, over_of

SLOWEST = 0.004  # of the full speed: crossing a millimetre of edge costs as much as 250 mm of the same tissue
BLUR_VOXELS = 0.7  # of the image the front runs through, against noise
OWN_ALREADY = "All that looks like the click is in this segment already. Click elsewhere, or grow another segment."
OTHERS_HOLD_IT = "What looks like the click lies in segments that may not be painted over. Unlock them or paint over."
LOOK_MM = 2.5  # round each click: what its tissue looks like


def grow(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Layers of one click or several. Raises EngineError where a click lies outside."""
    from scipy.ndimage import gaussian_filter

    image, number = image_of(piece, prompt), int(prompt["segment"])
    seeds = np.rint(image.to_index(np.atleast_2d(prompt["seeds_mm"]))).astype(int)
    if (seeds < 0).any() or (seeds >= image.shape).any():
        raise EngineError("bad_request", "The click lies outside the volume.")
    values = np.asarray(image.voxels, np.float32)
    spacing = np.array(image.spacing_mm)
    # Thick slices are blurred within themselves only.
    calm = gaussian_filter(values, BLUR_VOXELS * spacing.min() / spacing)
    wanted = prompt.get("range")
    middle, width = _tissue(values, calm, seeds, spacing, float(prompt.get("strictness", 0.5)))
    if wanted is None:
        wanted = (middle - width, middle + width)
    low, high = float(wanted[0]), float(wanted[1])
    half = max((high - low) / 2, 1e-6)
    # At the rim the blur mixes a voxel with what lies beside it: its own value may say that it belongs.
    away = np.minimum(np.abs(calm - (low + high) / 2), np.abs(values - (low + high) / 2)) / half
    speed = np.maximum(np.exp(-(away**8)), SLOWEST)  # flat inside the range, a cliff at its ends
    times = _march(speed.astype(np.float32), seeds, spacing, float(prompt["radius_mm"]))
    reached = _round_off(times <= float(prompt["radius_mm"]), away <= 1.1)
    for seed in seeds:
        reached[tuple(seed)] = True
    over = over_of(prompt)
    fresh = reached & (piece.labelmap.voxels != number)
    if over is not None:
        fresh &= np.isin(piece.labelmap.voxels, over)
    if not fresh.any():
        held = bool((reached & (piece.labelmap.voxels != number)).any())
        raise nothing(OTHERS_HOLD_IT if held else OWN_ALREADY)
    return Layers([Change(number, reached, over)], {"low": round(low, 2), "high": round(high, 2)})


def _tissue(values: NDArray, calm: NDArray, seeds: NDArray, spacing: NDArray, strictness: float) -> tuple[float, float]:
    """(middle, half width) of the values that count as the clicked tissue.

    The spread is that of the values in a small ball round the clicks, measured so that an edge in the ball does not
    widen it; the less strict, the more of it is let in.
    """
    reach = np.maximum(np.rint(LOOK_MM / spacing), 1).astype(int)
    near: list[NDArray] = []
    for seed in seeds:
        box = tuple(slice(max(s - r, 0), s + r + 1) for s, r in zip(seed, reach, strict=True))
        near.append(values[box].ravel())
    middle = float(np.median([calm[tuple(seed)] for seed in seeds]))
    spread = 1.4826 * float(np.median(np.abs(np.concatenate(near) - middle)))
    least = 0.015 * float(np.subtract(*np.percentile(values[::2, ::2, ::2], [99, 1])))
    return middle, max(spread, least, 1e-6) * (1.0 + 4.0 * (1.0 - strictness))


def _march(speed: NDArray, seeds: NDArray, spacing: NDArray, until: float) -> NDArray:
    """Arrival times in mm at full speed; a huge number where the front did not come."""
    import SimpleITK as sitk

    picture = sitk.GetImageFromArray(speed)
    picture.SetSpacing([float(s) for s in spacing[::-1]])
    march = sitk.FastMarchingImageFilter()
    march.SetStoppingValue(until)
    march.SetTrialPoints([[int(n) for n in seed[::-1]] for seed in seeds])
    return sitk.GetArrayFromImage(march.Execute(picture))


def _round_off(reached: NDArray, alike: NDArray) -> NDArray:
    """Without threads of single voxels that ran into noise, with pinholes filled."""
    from scipy.ndimage import uniform_filter

    share = uniform_filter(reached.astype(np.float32), 3)
    return (reached & (share > 0.3)) | (alike & (share > 0.5)) | (share > 0.8)
