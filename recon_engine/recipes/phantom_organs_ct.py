"""phantom-organs-ct: organs, bones and lesions of the torso phantoms. Made for phantoms only, and refused elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from recon_engine import weights
from recon_engine.contract import AlgorithmDescription, Code, EngineError, SegmentDescription
from recon_engine.recipes.configuration import Augmentation, NetworkConfiguration, Recipe
from recon_engine.recipes.phantom_organs_overview import HU_SCALE, LOWEST_HU, OUTPUTS
from recon_engine.recipes.phantom_organs_overview import WEIGHTS as OVERVIEW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recon_engine.inference import Runner
    from recon_engine.recipes.base import Context, Labels
    from recon_engine.volume import Volume

NAME, VERSION = "phantom-organs-ct", "1"
FOLDER = weights.folder(NAME, VERSION)
SPACING = 2.0
PHASES = (("preprocess", 0.1), ("infer", 0.8), ("postprocess", 0.1))
PREPROCESSING = {
    "axes": "up, back, left",
    "spacing_mm": SPACING,
    "hu": (-1000, 1000),
    "scale": 1 / HU_SCALE,
    "overview": "4 mm, the whole torso",
}

ANATOMICAL = Code(value="91723000", scheme="SCT", meaning="Anatomical Structure")
ABNORMAL = Code(value="49755003", scheme="SCT", meaning="Morphologically Abnormal Structure")
SEGMENTS = (
    ("Liver", "#FB9202", "10200004", "Liver"),
    ("Spleen", "#90A6FF", "78961009", "Spleen"),
    ("Right kidney", "#78FFE2", "64033007", "Kidney"),
    ("Left kidney", "#FEEE3E", "64033007", "Kidney"),
    ("Right lung", "#E14B09", "39607008", "Lung"),
    ("Left lung", "#D8D1FF", "39607008", "Lung"),
    ("Heart", "#766AFC", "80891009", "Heart"),
    ("Aorta", "#4E9688", "15825003", "Aorta"),
    ("Urinary bladder", "#B4E29D", "89837001", "Bladder"),
    ("Stomach", "#CB9BBC", "69695003", "Stomach"),
    ("Bone", "#E9E4D6", "272673000", "Bone"),
    ("Lesion", "#8677A4", "52988006", "Lesion"),
)

DESCRIPTION = AlgorithmDescription(
    name=NAME,
    version=VERSION,
    title="Organs of the CT phantom",
    summary=(
        "Outlines ten organs, bone and lesions in the torso phantoms this engine draws. It has never seen a patient "
        "and is refused on anything but a phantom."
    ),
    inputs=("CT",),
    segments=tuple(
        SegmentDescription(
            number=number,
            label=label,
            colour=colour,
            category=ABNORMAL if label == "Lesion" else ANATOMICAL,
            type=Code(value=value, scheme="SCT", meaning=meaning),
        )
        for number, (label, colour, value, meaning) in enumerate(SEGMENTS, 1)
    ),
    intended_for="phantom",
    body_part="TORSO",
    status="experimental",  # until every organ in the card passes its floor
    minimum_slices=16,
    maximum_spacing_mm=5.0,
    weights_sha256=weights.recorded_sha256(FOLDER),
    licence="CC BY 4.0",
    attribution="Trained on phantoms drawn by this engine; no patient data.",
    card=weights.card(FOLDER),
)


def recipe() -> Recipe:
    """The whole training of the edges, on patches of phantoms at 2 mm, each with what the overview says of it."""
    return Recipe(
        name=NAME,
        version=VERSION,
        data="phantoms",
        segments=tuple(label for label, *_ in SEGMENTS),
        spacing_mm=(SPACING,) * 3,
        box=(64, 64, 64),
        network=NetworkConfiguration(
            inputs=1 + OUTPUTS, guides=OUTPUTS, outputs=OUTPUTS, channels=(24, 48, 96), norm="batch", refine=12
        ),
        augmentation=Augmentation(contrast=0.03, brightness=0.02, noise=0.03),
        loss="present dice+ce",
        steps=820,
        restart=320,
        batch=4,
        learning_rate=2e-3,
        average=0.98,
        precision="bfloat16",
        outside=LOWEST_HU / HU_SCALE,
        halo=24,
        seed=0,
    )


def seen(
    hu: NDArray, overview_SDHW: NDArray, start: tuple[int, ...] = (0, 0, 0), shape: tuple[int, ...] = ()
) -> NDArray:
    """What the second network sees of a part of a phantom: (14, *shape) float32.

    HU -1000 to 1000 as -2 to 2, then the overview's probability of each label. `hu` is the whole volume at 2 mm,
    `start` and `shape` count its voxels; without them the whole is seen.
    """
    import numpy as np

    from recon_engine.recipes.phantom_organs_overview import doubled, scaled

    shape = shape or hu.shape
    image = np.empty((1 + OUTPUTS, *shape), np.float32)
    image[0] = scaled(hu[tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))])
    image[1:] = doubled(overview_SDHW, start, shape)
    return image


@lru_cache(maxsize=4)
def _runner(device: str, threads: int, folder: str, name: str) -> Runner:
    from recon_engine.inference import Runner
    from recon_engine.weights.loading import load

    loaded = load(weights.Path(folder), name)
    return Runner(loaded.recipe, loaded.networks, device=device, threads=threads, heat=name == OVERVIEW)


def overview_runner(device: str, threads: int, folder: weights.Path = FOLDER) -> Runner:
    """The first network, ready. Raises the EngineErrors of the weights."""
    return _runner(device, threads, str(folder), OVERVIEW)


def run(
    volumes: Mapping[str, Volume], parameters: Mapping[str, Any], context: Context, folder: weights.Path = FOLDER
) -> Labels:
    """Labels of one phantom CT. Raises EngineError: bad_request (no spacing), the weights' codes, cancelled."""
    import numpy as np

    from recon_engine.inference import segment
    from recon_engine.recipes.base import Labels
    from recon_engine.recipes.grids import UP_BACK_LEFT, box_affine, oriented, regridded, sampled
    from recon_engine.recipes.phantom_organs_overview import probabilities
    from recon_engine.volume import Volume

    volume = next(iter(volumes.values()))
    if not volume.spacing_known:
        raise EngineError("bad_request", f"{NAME} needs the spacing in millimetres; this series does not give it.")
    context.report("preprocess", 0.0)
    turned = oriented(volume, UP_BACK_LEFT)
    grid = turned
    if max(abs(s - SPACING) for s in turned.spacing_mm) > 0.02:
        shape = tuple(max(round(n * s / SPACING), 1) for n, s in zip(turned.shape, turned.spacing_mm, strict=True))
        middle = turned.to_mm((np.asarray(turned.shape) - 1) / 2)
        affine = box_affine(middle, shape, (SPACING,) * 3, turned.direction)  # type: ignore[arg-type]
        grid = Volume(sampled(turned, shape, affine, outside=LOWEST_HU), affine)  # type: ignore[arg-type]
    context.report("infer", 0.0, "overview")
    overview = probabilities(overview_runner(context.device, context.threads, folder), grid.voxels)
    image = seen(grid.voxels, overview)
    runner = _runner(context.device, context.threads, str(folder), weights.WEIGHTS)
    labels, took = segment(runner, image, on_tile=lambda f, d: context.report("infer", 0.1 + 0.9 * f, d))
    context.report("postprocess", 0.0)
    found = Volume(labels, grid.affine, volume.frame_of_reference_uid, volume.modality)
    return Labels(regridded(found, volume), None if grid is turned else found, (), dict(took))
