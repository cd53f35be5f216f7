"""Bone and skin of any CT by threshold and connected pieces; nothing here is trained.

It is what fits when no network does. Volumes larger than MOST_VOXELS are worked on at half or a third of their
resolution, so memory stays below about 500 MiB whatever comes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recon_engine.contract import AlgorithmDescription, Code, EngineError, Parameter, SegmentDescription

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recon_engine.recipes.base import Context, Labels
    from recon_engine.volume import Volume

BONE, SKIN = 1, 2
MOST_VOXELS = 16_000_000
STRETCH = 4.0  # how much longer than wide a voxel may be where surfaces are made
ENCLOSES = {SKIN: (BONE,)}  # the skin runs round the bones: its surface is the outside of both
PHASES = (("preprocess", 0.25), ("infer", 0.45), ("postprocess", 0.3))
SKIN_HU = -300.0  # half way between air and skin, as a voxel half filled by each has it

_ANATOMY = Code(value="91723000", scheme="SCT", meaning="Anatomical Structure")

DESCRIPTION = AlgorithmDescription(
    name="bone-ct",
    version="1.0.0",
    title="Bone and skin from CT",
    summary="Finds bone by its density and the outside of the body, in any CT. Works without training.",
    inputs=("CT",),
    segments=(
        SegmentDescription(
            number=BONE,
            label="Bone",
            colour="#E9E4D6",
            category=_ANATOMY,
            type=Code(value="272673000", scheme="SCT", meaning="Bone"),
        ),
        SegmentDescription(
            number=SKIN,
            label="Skin",
            colour="#CB9BBC",
            category=_ANATOMY,
            type=Code(value="39937001", scheme="SCT", meaning="Skin"),
        ),
    ),
    parameters=(
        Parameter(
            name="bone_threshold",
            title="Bone threshold",
            kind="number",
            default=200.0,
            minimum=50.0,
            maximum=2000.0,
            unit="HU",
            help="Voxels at or above it count as bone. Raise it when vessels with contrast medium come along.",
        ),
        Parameter(
            name="smallest_piece",
            title="Smallest piece",
            kind="number",
            default=0.5,
            minimum=0.0,
            maximum=100.0,
            unit="mL",
            help="Loose pieces of bone smaller than this are left out.",
        ),
        Parameter(
            name="fill_marrow",
            title="Fill marrow",
            kind="boolean",
            default=True,
            help="Closed spaces inside a bone count as bone.",
        ),
        Parameter(
            name="skin",
            title="Skin",
            kind="boolean",
            default=True,
            help="Also find the outside of the body.",
        ),
    ),
    intended_for="any",
    body_part="Any",
    licence="Apache-2.0",
    card={
        "method": "Threshold, connected pieces, filled holes. No training data.",
        "known_failures": (
            "Contrast medium, metal and calcified vessels above the threshold count as bone. "
            "Thin bone on thick slices falls below it. A table that touches the body stays with the skin."
        ),
    },
)


def run(volumes: Mapping[str, Volume], parameters: Mapping[str, Any], context: Context) -> Labels:
    """CT in HU -> Labels 1 bone, 2 the rest of the body. Raises EngineError where the volume holds no tissue."""
    import numpy as np

    from recon_engine.preprocess.resample import back_to_grid
    from recon_engine.recipes.base import Labels

    ct = volumes["CT"]
    work = _working_grid(ct, context)
    voxel_ml = work.voxel_volume_ml
    body = _body(work, context)
    if not body.any():
        raise EngineError(
            "bad_request", f"No voxel lies above {SKIN_HU:g} HU, so there is no body in this CT. Check its units."
        )
    bone = _bone(work, body, parameters, voxel_ml, context)
    labels = np.zeros(work.shape, np.uint8)
    if parameters["skin"]:
        labels[body] = SKIN
    labels[bone] = BONE
    warnings = []
    if not bone.any():
        warnings.append(f"No piece of bone at or above {parameters['bone_threshold']:g} HU was found.")
    found = work.with_voxels(labels)
    metrics = {
        "working_spacing_mm": [round(s, 3) for s in work.spacing_mm],
        "bone_mean_hu": round(float(work.voxels[bone].mean()), 1) if bone.any() else None,
    }
    context.report("postprocess", 0.9, "labels back to the source grid")
    whole = found if work.shape == ct.shape else back_to_grid(found, ct, context.threads)
    return Labels(whole, _for_surfaces(found, context), tuple(warnings), metrics)


def _working_grid(ct: Volume, context: Context) -> Volume:
    """The CT itself, or a shrunk one where it is too large: int16 or float32 in HU."""
    import numpy as np

    from recon_engine.preprocess.resample import grid_for, resample

    context.report("preprocess", 0.0, "choosing the working grid")
    size = int(np.prod(ct.shape))
    if size <= MOST_VOXELS:
        return ct
    # Fine axes give way first: thick slices are coarse enough already.
    spacing = np.array(ct.spacing_mm)
    low, high = spacing.min(), spacing.max() * (size / MOST_VOXELS)
    for _ in range(40):
        edge = (low + high) / 2
        wanted = np.maximum(spacing, edge)
        low, high = (edge, high) if np.prod(np.array(ct.shape) * spacing / wanted) > MOST_VOXELS else (low, edge)
    shape = grid_for(ct, tuple(float(v) for v in np.maximum(spacing, high)))
    context.report("preprocess", 0.3, f"working on {shape[0]} x {shape[1]} x {shape[2]} voxels")
    shrunk = resample(ct, shape, threads=context.threads)
    return shrunk.with_voxels(np.rint(np.clip(shrunk.voxels, -32768, 32767)).astype(np.int16))


def _for_surfaces(found: Volume, context: Context) -> Volume:
    """The labels on voxels at most STRETCH times longer than wide; as they are where they are that already.

    On thick slices of fine pixels every slice is a step many pixels wide, which smoothing by voxels cannot round.
    """
    import numpy as np

    from recon_engine.preprocess.resample import grid_for, resample

    spacing = np.array(found.spacing_mm)
    wanted = np.maximum(spacing, spacing.max() / STRETCH)
    if (wanted < spacing * 1.2).all():
        return found
    shape = grid_for(found, (float(wanted[0]), float(wanted[1]), float(wanted[2])))
    labels = np.zeros(shape, np.uint8)
    for number, inside in ((SKIN, found.voxels > 0), (BONE, found.voxels == BONE)):
        share = resample(found.with_voxels(inside.astype(np.uint8)), shape, threads=context.threads)
        labels[share.voxels >= 0.5] = number
    if not (found.voxels == SKIN).any():
        labels[labels == SKIN] = 0
    return type(found)(labels, share.affine, found.frame_of_reference_uid, None, "", found.spacing_known)


def _body(work: Volume, context: Context) -> NDArray:
    """Everything inside the skin: tissue without what only touches it (table, tubes), lungs and bowel filled in."""
    import numpy as np
    from scipy import ndimage

    from recon_engine.postprocess import fill_holes_in_slices, largest

    tissue = work.voxels > SKIN_HU
    context.report("infer", 0.1, "tissue found")
    # Opening with a plus of about 4 mm in the slice parts a table or a blanket from the back.
    steps = [max(1, round(4.0 / s)) for s in work.spacing_mm[1:]]
    rows, columns = np.ones((1, 2 * steps[0] + 1, 1), bool), np.ones((1, 1, 2 * steps[1] + 1), bool)
    core = ndimage.binary_erosion(ndimage.binary_erosion(tissue, rows, border_value=1), columns, border_value=1)
    context.report("infer", 0.35, "table parted")
    core = largest(core)
    if not core.any():  # thinner than the opening: keep the largest piece as it is
        core = largest(tissue)
    # Back to where it was, and on to the next slices: ends too slim for the opening belong to the body.
    ends = np.ones((2 * max(1, round(2.0 / work.spacing_mm[0])) + 1, 1, 1), bool)
    core = ndimage.binary_dilation(ndimage.binary_dilation(ndimage.binary_dilation(core, rows), columns), ends)
    body = fill_holes_in_slices(core & tissue)
    context.report("infer", 0.6, "body filled")
    return largest(body)


def _bone(work: Volume, body: NDArray, parameters: Mapping[str, Any], voxel_ml: float, context: Context) -> NDArray:
    from recon_engine.postprocess import drop_small, fill_holes

    dense = (work.voxels >= parameters["bone_threshold"]) & body
    context.report("infer", 0.8, "bone found")
    bone = drop_small(dense, max(round(parameters["smallest_piece"] / voxel_ml), 1))
    context.report("postprocess", 0.2, "small pieces left out")
    if parameters["fill_marrow"] and bone.any():
        bone = fill_holes(bone) & body
    context.report("postprocess", 0.7, "marrow filled")
    return bone
