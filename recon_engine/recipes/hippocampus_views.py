"""How `hippocampus-mr` looks at a volume: a crop as it is, a whole head one side after the other."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from recon_engine.contract import EngineError
from recon_engine.inference import OnTile, Runner, segment
from recon_engine.recipes import hippocampus_localiser as localiser
from recon_engine.recipes.base import Context, Labels
from recon_engine.recipes.grids import (
    UP_FORWARD_RIGHT,
    box_affine,
    centred,
    oriented,
    regridded,
    sampled,
    standardised,
)
from recon_engine.recipes.hippocampus_mr import BOX, CROP, FOLDER, NAME
from recon_engine.volume import Volume
from recon_engine.weights.loading import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOCALISER = "localiser.safetensors"
LARGEST_CROP_MM = (60.0, 76.0, 60.0)  # beyond this along any of (up, forward, right) a volume is taken for a head
SMALLEST_CROP_MM = (20.0, 28.0, 20.0)
OWN_SPACING_MM = (0.8, 1.25)  # a grid within this is used voxel by voxel, others are resampled to 1 mm
OWN_TILT_DEGREES = 12.0  # and turned no further than this from the body's axes
PLAUSIBLE_ML = (0.5, 8.0)  # of one hippocampus; the set's lie between 2.1 and 4.6 mL
OFFSETS = {"": 0, "left": 2, "right": 4}  # added to the network's 1 (anterior) and 2 (posterior)
NO_HIPPOCAMPUS = (
    "No hippocampus was found: the volume does not look like a T1-weighted MR of a head. "
    "Give a whole head, or a crop of about 35 x 50 x 36 mm round one hippocampus."
)


def outline(volume: Volume, context: Context, folder: Path = FOLDER) -> Labels:
    """The labelmap of a crop (1, 2) or of a whole head (3 to 6). Raises what `hippocampus_mr.run` raises."""
    if not volume.spacing_known:
        raise EngineError("bad_request", f"{NAME} needs the spacing in millimetres; this series does not give it.")
    context.report("preprocess", 0.0)
    turned = oriented(volume)
    extent = [n * s for n, s in zip(turned.shape, turned.spacing_mm, strict=True)]
    if any(have < least for have, least in zip(extent, SMALLEST_CROP_MM, strict=True)):
        size = " x ".join(f"{edge:.0f}" for edge in extent)
        raise EngineError("bad_request", f"The volume covers {size} mm, too little to hold a hippocampus.")
    is_crop = all(have <= most for have, most in zip(extent, LARGEST_CROP_MM, strict=True))
    return _crop(volume, turned, context, folder) if is_crop else _head(volume, turned, context, folder)


@lru_cache(maxsize=2)
def _segmenter(folder: Path, device: str, threads: int) -> Runner:
    """Kept between calls: a warm process answers many jobs."""
    loaded = load(folder)
    return Runner(loaded.recipe, loaded.networks, device=device, threads=threads)


@lru_cache(maxsize=2)
def _localiser(folder: Path, device: str, threads: int) -> Runner:
    loaded = load(folder, LOCALISER)
    return Runner(loaded.recipe, loaded.networks, device=device, threads=threads, heat=True)


def outline_box(voxels: NDArray, runner: Runner, on_tile: OnTile) -> NDArray:
    """Labels 0, 1, 2 of a 1 mm box with axes (up, forward, right), same shape; one connected hippocampus."""
    box, into, out_of = centred(standardised(voxels), BOX)
    found, _ = segment(runner, box[None], on_tile=on_tile)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[out_of] = found[into]
    pieces, count = ndimage.label(labels > 0, structure=np.ones((3, 3, 3)))
    if count > 1:
        labels[pieces != np.bincount(pieces.ravel())[1:].argmax() + 1] = 0
    return labels


def _tiles(context: Context, turn: int, turns: int, what: str) -> OnTile:
    """Tiles of one of several passes, as progress of the phase "infer"."""

    def report(fraction: float, detail: str) -> None:
        context.report("infer", (turn + fraction) / turns, f"{what}, {detail}" if what else detail)

    return report


def _own_grid(turned: Volume) -> bool:
    """True where the volume's own voxels are near enough to 1 mm along the body's axes."""
    near = all(OWN_SPACING_MM[0] <= s <= OWN_SPACING_MM[1] for s in turned.spacing_mm)
    cosines = np.abs((turned.direction * UP_FORWARD_RIGHT).sum(axis=0))
    return near and bool((cosines >= np.cos(np.radians(OWN_TILT_DEGREES))).all())


def _crop(volume: Volume, turned: Volume, context: Context, folder: Path) -> Labels:
    grid = turned
    if not _own_grid(turned):
        shape = tuple(max(round(n * s), 1) for n, s in zip(turned.shape, turned.spacing_mm, strict=True))
        middle = turned.to_mm((np.asarray(turned.shape) - 1) / 2)
        affine = box_affine(middle, shape, (1.0, 1.0, 1.0), turned.direction)  # type: ignore[arg-type]
        grid = Volume(sampled(turned, shape, affine), affine)  # type: ignore[arg-type]
    found = grid.with_voxels(
        outline_box(grid.voxels, _segmenter(folder, context.device, context.threads), _tiles(context, 0, 1, ""))
    )
    if not found.voxels.any():
        raise EngineError("not_found", NO_HIPPOCAMPUS)
    return _labels(found, volume, {"view": "crop"}, [])


def _head(volume: Volume, turned: Volume, context: Context, folder: Path) -> Labels:
    context.report("locate", 0.0)
    places = localiser.locate(volume, _localiser(folder, context.device, context.threads))
    if not places:
        raise EngineError("not_found", NO_HIPPOCAMPUS)
    context.report("locate", 1.0, " and ".join(place.side for place in places))
    grid = turned if _own_grid(turned) else _body_grid(volume, places)
    labels = np.zeros(grid.shape, np.uint8)
    runner = _segmenter(folder, context.device, context.threads)
    for index, place in enumerate(places):
        # Twice: the second box is centred on what the first one found, as the boxes of the set are.
        centre = grid.to_index(place.centre_mm)
        for turn in range(2):
            start = np.round(centre - (np.asarray(CROP) - 1) / 2).astype(int)
            tiles = _tiles(context, 2 * index + turn, 2 * len(places), place.side)
            box = _window(grid.voxels, start, CROP)
            mirrored = place.side == "right"
            found = outline_box(box[..., ::-1] if mirrored else box, runner, tiles)
            found = found[..., ::-1] if mirrored else found
            if not found.any():
                break
            inside = np.argwhere(found)
            centre = start + (inside.min(0) + inside.max(0)) / 2
        _paste(labels, np.where(found > 0, found + OFFSETS[place.side], 0).astype(np.uint8), start)
    if not labels.any():
        raise EngineError("not_found", NO_HIPPOCAMPUS)
    warnings = [f"Only the {places[0].side} hippocampus was found."] if len(places) == 1 else []
    metrics = {"view": "head"} | {f"localiser_heat_{place.side}": round(place.heat, 3) for place in places}
    return _labels(Volume(labels, grid.affine), volume, metrics, warnings)


def _body_grid(volume: Volume, places: tuple[localiser.Place, ...]) -> Volume:
    """The volume at 1 mm along the body's axes, in a box that holds the crops of all places with room to re-centre."""
    along = np.array([UP_FORWARD_RIGHT.T @ place.centre_mm for place in places])
    low, high = along.min(0) - np.asarray(CROP) / 2 - 12, along.max(0) + np.asarray(CROP) / 2 + 12
    shape = tuple(int(n) for n in np.ceil(high - low) + 1)
    affine = box_affine(UP_FORWARD_RIGHT @ ((low + high) / 2), shape, (1.0, 1.0, 1.0), UP_FORWARD_RIGHT)  # type: ignore[arg-type]
    return Volume(sampled(volume, shape, affine), affine)  # type: ignore[arg-type]


def _window(voxels: NDArray, start: NDArray, shape: tuple[int, int, int]) -> NDArray:
    """A box of the voxels, cut off where it leaves them (the set's crops end somewhere too)."""
    return voxels[tuple(slice(max(s, 0), max(s + n, 0)) for s, n in zip(start, shape, strict=True))]


def _paste(labels: NDArray, found: NDArray, start: NDArray) -> None:
    """Write a window's labels where nothing stands yet."""
    target = labels[tuple(slice(max(s, 0), max(s, 0) + n) for s, n in zip(start, found.shape, strict=True))]
    np.copyto(target, found, where=(target == 0) & (found > 0))


def _labels(found: Volume, volume: Volume, metrics: dict[str, object], warnings: list[str]) -> Labels:
    """What was found on a working grid, carried to the source's grid, with what a reader should know."""
    volumes = {}
    for side, offset in OFFSETS.items():
        voxels = int(((found.voxels == offset + 1) | (found.voxels == offset + 2)).sum())
        if voxels:
            volumes[side] = voxels * found.voxel_volume_ml
    for side, millilitres in volumes.items():
        if not PLAUSIBLE_ML[0] <= millilitres <= PLAUSIBLE_ML[1]:
            which = f"The {side} hippocampus" if side else "The hippocampus"
            warnings.append(
                f"{which} measures {millilitres:.1f} mL; the training cases lie between 2.1 and 4.6 mL. Check it."
            )
    if max(volume.spacing_mm) > OWN_SPACING_MM[1]:
        warnings.append(f"Unlike training data: spacing {max(volume.spacing_mm):.1f} mm, trained on 1 mm.")
    working = Volume(found.voxels, found.affine, volume.frame_of_reference_uid, volume.modality)
    apply = tuple(offset + n for side, offset in OFFSETS.items() if side in volumes for n in (1, 2))
    return Labels(regridded(found, volume), working, tuple(warnings), metrics, segments=apply)
