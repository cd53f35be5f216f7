"""Changing the shape of a segment: pieces, margins, smoothing, filling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recon_engine import postprocess
from recon_engine.pieces import Piece
from recon_engine.refining.layers import Change, Layers, image_of, in_range, mask_of, nothing, over_of

SPLIT_MOST = 12  # pieces that become segments; who has more wants to remove small ones first


def islands(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Keep the largest piece, or every piece of at least `voxels`. Pieces touch by faces."""
    mask = mask_of(piece, prompt)
    kept = postprocess.largest(mask) if prompt["keep"] == "largest" else postprocess.drop_small(mask, prompt["voxels"])
    gone = mask & ~kept
    if not gone.any():
        raise nothing("There is no piece to remove: the segment is in one piece, or all are large enough.")
    pieces = len(postprocess.components(mask)[1]) - 1
    return Layers([Change(0, gone, (int(prompt["segment"]),))], {"pieces": pieces})


def split(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Every piece but the largest becomes a segment of its own, largest first."""
    labels, sizes = postprocess.components(mask_of(piece, prompt))
    if len(sizes) < 3:
        raise nothing("The segment is in one piece.")
    order = np.argsort(-sizes[1:], kind="stable") + 1
    own = (int(prompt["segment"]),)
    changes = [Change(-(n + 1), labels == number, own) for n, number in enumerate(order[1 : SPLIT_MOST + 1])]
    return Layers(changes, {"pieces": len(sizes) - 1})


def margin(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Grow (`mm` > 0) or shrink the segment by a distance in millimetres, the same in all directions."""
    from scipy.ndimage import distance_transform_edt

    mask, mm = mask_of(piece, prompt), float(prompt["mm"])
    spacing = piece.labelmap.spacing_mm
    if mm == 0:
        raise nothing("The distance is zero.")
    # Distances run between middles of voxels. The border lies half a voxel off the outermost middles, on both sides of
    # the comparison, so it cancels.
    if mm > 0:
        added = (distance_transform_edt(~mask, sampling=spacing) <= mm) & ~mask
        if prompt.get("range") is not None:
            added &= in_range(image_of(piece, prompt), prompt["range"])
        if not added.any():
            raise nothing("The distance is less than a voxel, or nothing lies within it.")
        return Layers([Change(int(prompt["segment"]), added, over_of(prompt))])
    removed = mask & (distance_transform_edt(mask, sampling=spacing) <= -mm)
    if not removed.any():
        raise nothing("The distance is less than a voxel.")
    return Layers([Change(0, removed, (int(prompt["segment"]),))])


def smooth(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Smooth by a blur of standard deviation `mm`: one segment, which keeps its volume, or all against each other."""
    from scipy.ndimage import gaussian_filter

    labelmap, mm = piece.labelmap, float(prompt["mm"])
    if prompt.get("segment") is None:
        after = postprocess.smooth_labelmap(labelmap.voxels, labelmap.spacing_mm, mm)
        changed = after != labelmap.voxels
        if not changed.any():
            raise nothing("Everything is as smooth as that already.")
        return Layers([Change(int(n), changed & (after == n)) for n in np.unique(after[changed])])
    mask = mask_of(piece, prompt)
    number = int(prompt["segment"])
    free = mask | (labelmap.voxels == 0)  # other segments keep what they have
    share = gaussian_filter(mask.astype(np.float32), [mm / s for s in labelmap.spacing_mm])
    share[~free] = 0
    # The level that keeps as many voxels as there were: a level of one half would eat corners and thin parts.
    count = int(mask.sum())
    level = np.partition(share.ravel(), -count)[-count]
    after = free & (share >= max(level, 1e-6))
    if (after == mask).all():
        raise nothing("The segment is as smooth as that already.")
    return Layers([Change(0, mask & ~after, (number,)), Change(number, after & ~mask, (0,))])


def fill_holes(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Fill spaces inside the segment that no path of empty voxels joins to the outside."""
    mask = mask_of(piece, prompt)
    padded = np.pad(mask, 1)
    inside = postprocess.fill_holes(padded)[1:-1, 1:-1, 1:-1] & ~mask
    if not inside.any():
        raise nothing("The segment has no closed hole.")
    return Layers([Change(int(prompt["segment"]), inside, (0,))])


def threshold(piece: Piece, prompt: Mapping[str, Any]) -> Layers:
    """Everything whose value lies in `range`."""
    found = in_range(image_of(piece, prompt), prompt["range"])
    if not found.any():
        raise nothing("No voxel has a value in this range.")
    return Layers([Change(int(prompt["segment"]), found, over_of(prompt))])
