"""hippocampus-mr: anterior and posterior hippocampus in T1-weighted MR, in a crop or a whole head.

A crop of about the extent of the training set goes to the network as it is. In a whole head the localiser finds both
sides first; each is cut out at 1 mm, the right one mirrored, because every case of the set looks like a left one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recon_engine import weights
from recon_engine.contract import AlgorithmDescription, Code, SegmentDescription
from recon_engine.recipes.configuration import Augmentation, NetworkConfiguration, Recipe

if TYPE_CHECKING:
    from recon_engine.recipes.base import Context, Labels
    from recon_engine.volume import Volume

NAME, VERSION = "hippocampus-mr", "1"
FOLDER = weights.folder(NAME, VERSION)
BOX = (48, 64, 48)  # voxels of 1 mm, (up, forward, right): every crop of the set fits in
CROP = (40, 56, 40)  # cut out of a whole head round each side, about the extent of the set's larger crops

PHASES = (("preprocess", 0.1), ("locate", 0.2), ("infer", 0.6), ("postprocess", 0.1))
PREPROCESSING = {
    "axes": "up, forward, right",
    "spacing_mm": 1.0,
    "box": BOX,
    "crop": CROP,
    "intensity": "1st to 99th percentile of the crop, mean 0, standard deviation 1",
    "right side": "mirrored",
    "localiser": "4 mm, 64x64x48",
}

ANATOMICAL = Code(value="91723000", scheme="SCT", meaning="Anatomical Structure")
HIPPOCAMPUS = Code(value="5366008", scheme="SCT", meaning="Hippocampus")
LABELS = (
    ("Hippocampus anterior", "#FB9202"),
    ("Hippocampus posterior", "#90A6FF"),
    ("Left hippocampus anterior", "#78FFE2"),
    ("Left hippocampus posterior", "#FEEE3E"),
    ("Right hippocampus anterior", "#E14B09"),
    ("Right hippocampus posterior", "#D8D1FF"),
)

ATTRIBUTION = (
    "Trained on Medical Segmentation Decathlon Task04 Hippocampus (Vanderbilt University Medical Center; Simpson et "
    "al., arXiv 1902.09063; Antonelli et al., Nature Communications 2022), CC BY-SA 4.0. Localiser made from the "
    "ICBM 152 average brain, Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal "
    "Neurological Institute, McGill University."
)

DESCRIPTION = AlgorithmDescription(
    name=NAME,
    version=VERSION,
    title="Hippocampus, T1 MR",
    summary=(
        "Outlines the anterior and posterior hippocampus in T1-weighted MR. A whole head gives both sides; a crop "
        "round one hippocampus gives that one, without saying which side it is."
    ),
    inputs=("MR",),
    segments=tuple(
        SegmentDescription(number=number, label=label, colour=colour, category=ANATOMICAL, type=HIPPOCAMPUS)
        for number, (label, colour) in enumerate(LABELS, 1)
    ),
    intended_for="any",  # the demo's average brain is no patient
    body_part="HEAD",
    minimum_slices=20,
    maximum_spacing_mm=2.0,
    weights_sha256=weights.recorded_sha256(FOLDER),
    licence="CC BY-SA 4.0",
    attribution=ATTRIBUTION,
    card=weights.card(FOLDER),
)


def recipe() -> Recipe:
    """The whole training: crops of 1 mm, mirrored left and right, at half resolution with a refining stage."""
    return Recipe(
        name=NAME,
        version=VERSION,
        data="hippocampus",
        segments=("anterior", "posterior"),
        box=BOX,
        network=NetworkConfiguration(outputs=3, channels=(32, 64, 128), refine=8),
        augmentation=Augmentation(
            rotate_degrees=15,
            scale=0.15,
            shift_voxels=3,
            elastic_voxels=3,
            mirror_axes=(2,),
            tighten_voxels=4,
            gamma=0.35,
            contrast=0.2,
            brightness=0.2,
            bias=0.2,
            noise=0.15,
            blur_probability=0.2,
            coarse_probability=0.15,
        ),
        steps=1900,
        horizon=2600,
        cooldown=300,
        batch=4,
        learning_rate=2e-3,
        average=0.998,
        precision="bfloat16",
        seed=0,
        test_time_mirror=(2,),
    )


def run(
    volumes: Mapping[str, Volume], parameters: Mapping[str, Any], context: Context, folder: weights.Path = FOLDER
) -> Labels:
    """Anterior and posterior hippocampus of one T1 volume, on its own grid.

    Raises EngineError: not_found (no hippocampus in it), bad_request (too small, or no spacing), the codes of the
    weights, cancelled.
    """
    from recon_engine.recipes.hippocampus_views import outline

    return outline(next(iter(volumes.values())), context, folder)
