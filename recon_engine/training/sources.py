"""Where the loop's samples come from, per kind of set. Each step's samples follow from (seed, step) alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recon_engine.contract import EngineError
from recon_engine.recipes.configuration import Recipe
from recon_engine.training import sets
from recon_engine.training.augmentation import augment, recolour
from recon_engine.training.loop import Source

if TYPE_CHECKING:
    from recon_engine.inference import Runner


def shuffled(count: int, batch: int, step: int, seed: int) -> list[int]:
    """Which of `count` samples make up one step: every epoch a new order, every sample once an epoch."""
    chosen = []
    for place in range(step * batch, (step + 1) * batch):
        epoch, index = divmod(place, count)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed * 7919 + epoch))
        chosen.append(int(order[index]))
    return chosen


def from_memory(recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> Source:
    """Samples kept in memory, (N, D, H, W) each, bent by the recipe's augmentation."""
    image_NCDHW = torch.from_numpy(images)[:, None]
    label_NDHW = torch.from_numpy(labels)

    def source(step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = shuffled(len(image_NCDHW), recipe.batch, step, recipe.seed)
        return augment(image_NCDHW[chosen], label_NDHW[chosen], recipe.augmentation, generator)

    return source


def hippocampus(recipe: Recipe, folder: Path, names: Sequence[str]) -> Source:
    """Crops of the hippocampus set."""
    return from_memory(recipe, *sets.hippocampus_samples(folder, names, recipe.box))


def cine_slices(recipe: Recipe, folder: Path, names: Sequence[str]) -> Source:
    """Single slices of the cine set."""
    from recon_engine.training import cine

    return from_memory(recipe, *cine.samples(cine.slices(folder, names), recipe.box))


def heads(recipe: Recipe, file: Path) -> Source:
    """Heads drawn anew for every step from the average brain."""
    from recon_engine.recipes.hippocampus_localiser import scaled
    from recon_engine.training.heads import average_brain, draw

    brain = average_brain(file)

    def source(step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        drawn = [draw(brain, recipe.box, recipe.spacing_mm, generator) for _ in range(recipe.batch)]
        images = torch.stack([torch.from_numpy(scaled(image[0].numpy()))[None] for image, _ in drawn])
        return images, torch.stack([heat for _, heat in drawn])

    return source


def phantom_seeds(data: str) -> list[int]:
    """The seeds in "phantoms:1-24" or "phantoms:9000,9001". Raises EngineError("bad_request")."""
    kind, colon, text = str(data).partition(":")
    seeds: list[int] = []
    try:
        for piece in text.split(","):
            first, dash, last = piece.partition("-")
            seeds += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError:
        seeds = []
    if kind != "phantoms" or not colon or not seeds:
        raise EngineError("bad_request", f"Phantoms are named by their seeds, as phantoms:1-24, not {str(data)!r}.")
    return seeds


def majority(labels: np.ndarray) -> np.ndarray:
    """(D, H, W) labels -> half as many voxels along each axis, each the label most of the eight have."""
    d, h, w = (n // 2 for n in labels.shape)
    votes = labels[: 2 * d, : 2 * h, : 2 * w].reshape(d, 2, h, 2, w, 2).transpose(0, 2, 4, 1, 3, 5).reshape(d, h, w, 8)
    # Where two labels meet, the middle of the sorted eight is the majority's; of a tie the upper one.
    votes = np.sort(votes, axis=-1)
    return np.where(votes[..., 3] == votes[..., 4], votes[..., 3], votes[..., 5])


def phantom_overviews(recipe: Recipe, seeds: Sequence[int]) -> Source:
    """Whole torsos at 4 mm, each a little elsewhere in the box every time."""
    from recon_engine.phantoms import torso_phantom
    from recon_engine.recipes.phantom_organs_overview import halved, scaled

    kept = []
    for seed in seeds:
        ct, labels, _ = torso_phantom(seed, recipe.spacing_mm[0] / 2)
        kept.append((scaled(halved(ct.voxels)), majority(labels.voxels)))

    def source(step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        dice = np.random.default_rng([recipe.seed, step])
        images = np.full((recipe.batch, *recipe.box), recipe.outside, np.float32)
        labels = np.zeros((recipe.batch, *recipe.box), np.int64)
        reach = round(recipe.augmentation.shift_voxels)
        for number in range(recipe.batch):
            image, label = kept[int(dice.integers(len(kept)))]
            to, of = [], []
            for room, length in zip(recipe.box, image.shape, strict=True):
                low, high = (0, room - length) if room > length else (-reach, reach)
                first = int(dice.integers(low, high + 1))
                to.append(slice(max(first, 0), min(first + length, room)))
                of.append(slice(max(-first, 0), min(room - first, length)))
            images[(number, *to)] = image[tuple(of)]
            labels[(number, *to)] = label[tuple(of)]
        return recolour(torch.from_numpy(images)[:, None], recipe.augmentation, generator), torch.from_numpy(labels)

    return source


def phantoms(recipe: Recipe, seeds: Sequence[int], overview: Runner) -> Source:
    """Patches of torso phantoms, half of them round a label drawn evenly, so that small organs are seen as often.

    `overview` must not have been trained on these seeds: on its own it is surer than it will ever be of new ones.
    """
    from recon_engine.phantoms import torso_phantom
    from recon_engine.recipes.phantom_organs_ct import seen
    from recon_engine.recipes.phantom_organs_overview import probabilities

    kept = []
    for seed in seeds:
        ct, labels, _ = torso_phantom(seed, recipe.spacing_mm[0])
        places = [np.flatnonzero(labels.voxels == n)[::20] for n in range(1, recipe.network.outputs)]
        # Half floats: forty overviews of 13 labels are 2 GB in full ones.
        kept.append((ct.voxels, labels.voxels, places, probabilities(overview, ct.voxels).astype(np.float16)))

    def source(step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        dice = np.random.default_rng([recipe.seed, step])
        images, labels = [], []
        for number in range(recipe.batch):
            hu, label, places, odds = kept[int(dice.integers(len(kept)))]
            middle = dice.integers(0, hu.shape)
            here = places[int(dice.integers(len(places)))]
            if number % 2 == 0 and len(here):
                middle = np.array(np.unravel_index(int(dice.choice(here)), hu.shape)) + dice.integers(-24, 25, 3)
            start = np.clip(middle - np.array(recipe.box) // 2, 0, np.array(hu.shape) - recipe.box)
            first = tuple(int(a) for a in start)
            images.append(torch.from_numpy(seen(hu, odds, first, recipe.box)))
            part = tuple(slice(a, a + n) for a, n in zip(first, recipe.box, strict=True))
            labels.append(torch.from_numpy(label[part].astype(np.int64)))
        image = torch.stack(images)
        image[:, :1] = recolour(image[:, :1], recipe.augmentation, generator)
        return image, torch.stack(labels)

    return source
