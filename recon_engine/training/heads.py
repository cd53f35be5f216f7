"""Heads with a known place of both hippocampi, drawn from one average brain by bending, turning and dressing it.

The average brain (ICBM152 2009a, symmetric, skull-stripped) is the only whole head there is to learn from, so every
sample differs: a non-linear asymmetric bend, rotation to 30 degrees, scale, contrast, bias field, noise, blur as from
1 to 3 mm slices, cut fields of view, and for most a drawn skull, scalp, neck and face, since real heads have them.
Some samples are no head at all and have nothing to find. The truth is where the bend took the known centres.

Tensors are (B, C, D, H, W) along (up, forward, right); places are LPS mm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recon_engine.recipes.grids import UP_FORWARD_RIGHT, box_affine, sampled
from recon_engine.training.augmentation import rotations, smooth_field
from recon_engine.training.sets import read_nifti
from recon_engine.volume import Volume

# Middle of the box round each hippocampus of the average brain, LPS mm: what `hippocampus-mr` itself outlines there.
CENTRES_MM = {"left": (25.5, 23.5, -14.0), "right": (-25.5, 23.5, -14.0)}
ROOM_MM = 32.0  # that a cut field of view leaves round each hippocampus
SIGMA_MM = 8.0  # of the heat round a centre
SOURCE_SPACING = 2.0
SOURCE_SHAPE = (144, 160, 136)  # (up, forward, right) at 2 mm: the brain with room for a skull
MIDDLE_MM = (0.0, 18.0, 6.0)  # about the middle of the average brain


@dataclass(frozen=True)
class Brain:
    """The average brain prepared for drawing: grey values 0 to 1 and mm to the brain's surface (0 inside)."""

    image_CDHW: Tensor
    outside_mm_CDHW: Tensor
    affine: np.ndarray  # (k, j, i, 1) -> LPS mm


def average_brain(file: Path) -> Brain:
    """Read the ICBM152 T1 file once. Raises EngineError("not_found") or ("parse_error")."""
    from scipy import ndimage

    volume = read_nifti(file)
    affine = box_affine(np.array(MIDDLE_MM), SOURCE_SHAPE, (SOURCE_SPACING,) * 3, UP_FORWARD_RIGHT)
    grey = sampled(volume.with_voxels(volume.voxels.astype(np.float32) / 255), SOURCE_SHAPE, affine)
    # Volumes are averaged when they are sampled at 4 mm; the drawing must look the same.
    soft = ndimage.gaussian_filter(grey, 0.8)
    solid = ndimage.binary_fill_holes(ndimage.binary_closing(grey > 0.05, iterations=3))
    beyond = ndimage.distance_transform_edt(~solid, sampling=SOURCE_SPACING).astype(np.float32)
    return Brain(torch.from_numpy(soft)[None], torch.from_numpy(beyond)[None], affine)


@dataclass(frozen=True)
class Head:
    """One drawn head on a grid, with truth. `centres_mm` is empty for a sample that is no head."""

    volume: Volume
    centres_mm: dict[str, np.ndarray]


def _rand(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


@dataclass(frozen=True)
class Bend:
    """Where each point of a drawn head comes from in the average brain: rotate, scale, shift, then ripple."""

    matrix: Tensor  # (3, 3) acting on (k, j, i) mm about the middle
    shift: Tensor  # (3,) mm
    ripple_CDHW: Tensor  # (3, D, H, W) mm on the drawn grid


def draw_bend(shape: tuple[int, int, int], generator: torch.Generator, rotate: float = 30.0) -> Bend:
    """A random bend; the ripple has a wide and a narrow part and differs left from right."""
    angles = (torch.rand((1, 3), generator=generator) * 2 - 1) * math.radians(rotate)
    scale = 1 + (torch.rand(3, generator=generator) * 2 - 1) * 0.15
    matrix = rotations(angles)[0] * scale[None, :]
    shift = (torch.rand(3, generator=generator) * 2 - 1) * 14
    ripple = smooth_field(1, 3, shape, 4, generator)[0] * _rand(generator, 0, 9)
    ripple = ripple + smooth_field(1, 3, shape, 7, generator)[0] * _rand(generator, 0, 4)
    return Bend(matrix, shift, ripple)


def source_points(shape: tuple[int, int, int], spacing: tuple[float, float, float], bend: Bend) -> Tensor:
    """(D, H, W, 3): for every voxel of the drawn grid, mm from the middle of the average brain along (k, j, i)."""
    axes = [(torch.arange(n, dtype=torch.float32) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    return points @ bend.matrix.T + bend.shift + bend.ripple_CDHW.movedim(0, -1)


def read_at(source_CDHW: Tensor, points_DHW3: Tensor, outside: str = "zeros") -> Tensor:
    """Linear values of the source at mm from its middle: (C, D, H, W)."""
    half = torch.tensor([n * SOURCE_SPACING / 2 for n in source_CDHW.shape[1:]])
    grid = (points_DHW3 / half).flip(-1)[None]
    return functional.grid_sample(source_CDHW[None], grid, padding_mode=outside, align_corners=False)[0]


def centre_from_middle(side: str) -> Tensor:
    """A known centre as mm along (up, forward, right) from the middle of the average brain."""
    offset = np.array(CENTRES_MM[side]) - np.array(MIDDLE_MM)
    return torch.from_numpy(UP_FORWARD_RIGHT.T @ offset).float()


def _dress(grey: Tensor, beyond: Tensor, generator: torch.Generator) -> Tensor:
    """Fluid, skull and scalp as shells round the brain, and soft blobs for neck and face."""
    fluid, skull, scalp = (_rand(generator, *span) for span in ((1, 5), (4, 10), (3, 14)))
    texture = 1 + 0.35 * smooth_field(1, 1, tuple(grey.shape[1:]), 12, generator)[0]
    wobble = beyond * (1 + 0.25 * smooth_field(1, 1, tuple(grey.shape[1:]), 5, generator)[0])
    shell = torch.zeros_like(grey)
    shell[wobble > 0] = _rand(generator, 0.05, 0.35)
    shell[wobble > fluid] = _rand(generator, 0.02, 0.35)
    shell[wobble > fluid + skull] = _rand(generator, 0.4, 1.4)
    shell[wobble > fluid + skull + scalp] = 0
    d, h, w = grey.shape[1:]
    up, forward, right = torch.meshgrid(
        torch.linspace(-1, 1, d), torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij"
    )
    empty = (wobble > fluid + skull)[0]
    for centre, size in (((-0.8, -0.1, 0), (0.6, 0.35, 0.35)), ((-0.55, 0.45, 0), (0.4, 0.35, 0.4))):
        places = zip((up, forward, right), centre, size, strict=True)
        inside = sum(((axis - c) / (s * _rand(generator, 0.7, 1.2))) ** 2 for axis, c, s in places) < 1
        inside = inside & empty & (up < _rand(generator, -0.35, -0.15))
        shell[0][inside] = _rand(generator, 0.2, 0.9)
    return torch.where(beyond > 0, torch.maximum(grey, shell * texture), grey)


def _nonsense(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """(1, D, H, W) that is no head: a body of smooth blobs, or only noise."""
    axes = [torch.linspace(-1, 1, n) for n in shape]
    up, forward, right = torch.meshgrid(*axes, indexing="ij")
    image = torch.zeros(shape)
    for _ in range(int(torch.randint(2, 12, (), generator=generator))):
        centre = torch.rand(3, generator=generator) * 1.4 - 0.7
        size = torch.rand(3, generator=generator) * 0.6 + 0.1
        inside = ((up - centre[0]) / size[0]) ** 2 + ((forward - centre[1]) / size[1]) ** 2
        inside = inside + ((right - centre[2]) / size[2]) ** 2 < 1
        image[inside] = _rand(generator, 0, 1.2)
    texture = smooth_field(1, 1, shape, 14, generator)[0, 0]
    return (image * (1 + 0.5 * texture))[None]


def _scanned(image: Tensor, generator: torch.Generator) -> Tensor:
    """Contrast, bias field, slice blur and noise of a scanner."""
    shape = tuple(image.shape[1:])
    image = image.clamp_min(0) ** math.exp(_rand(generator, -0.4, 0.4))
    image = image * (1 + 0.35 * smooth_field(1, 1, shape, 3, generator)[0])
    if _rand(generator, 0, 1) < 0.4:
        axis = int(torch.randint(0, 3, (), generator=generator)) + 1
        image = (image + image.roll(1, axis) + image.roll(-1, axis)) / 3
    return image + torch.randn(image.shape, generator=generator) * _rand(generator, 0, 0.06)


def _cut(image: Tensor, keep: list[Tensor], spacing: tuple[float, float, float], generator: torch.Generator) -> Tensor:
    """A smaller field of view: outside is 0; places in `keep` (voxel indices) stay inside with ROOM_MM round them."""
    if _rand(generator, 0, 1) < 0.5:
        return image
    image = image.clone()
    for axis, length in enumerate(image.shape[1:]):
        low = int(_rand(generator, 0, 0.3) * length)
        high = length - int(_rand(generator, 0, 0.3) * length)
        for place in keep:
            low = min(low, int(place[axis] - ROOM_MM / spacing[axis]))
            high = max(high, int(place[axis] + ROOM_MM / spacing[axis]))
        view = image.movedim(axis + 1, 0)
        view[: max(low, 0)] = 0
        view[high:] = 0
    return image


def draw(
    brain: Brain,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    generator: torch.Generator,
    *,
    empty_chance: float = 0.15,
    dressed_chance: float = 0.6,
) -> tuple[Tensor, Tensor]:
    """One sample: image (1, D, H, W), grey values from 0, and heat (2, D, H, W) for left and right, 0 to 1."""
    if _rand(generator, 0, 1) < empty_chance:
        return _scanned(_nonsense(shape, generator), generator), torch.zeros(2, *shape)
    bend = draw_bend(shape, generator)
    points = source_points(shape, spacing, bend)
    image = read_at(brain.image_CDHW, points)
    if _rand(generator, 0, 1) < dressed_chance:
        image = _dress(image, read_at(brain.outside_mm_CDHW, points, "border"), generator)
    # The heat is measured in the average brain, so its peak lies exactly where the bend took the centre.
    away = torch.stack([(points - centre_from_middle(side)).square().sum(-1) for side in ("left", "right")])
    heat = torch.exp(-away / (2 * SIGMA_MM**2))
    peaks = [torch.tensor(np.unravel_index(int(h.argmax()), shape)) for h in heat]
    return _cut(_scanned(image, generator), peaks, spacing, generator), heat


def draw_head(brain: Brain, seed: int, spacing_mm: tuple[float, float, float], dressed: bool) -> Head:
    """A head at 1 to 3 mm for measuring: the same drawing at a finer grid, with the true centres to a tenth of a mm."""
    generator = torch.Generator().manual_seed(seed)
    shape = tuple(round(216 / s) for s in spacing_mm)
    bend = draw_bend(shape, generator)  # type: ignore[arg-type]
    points = source_points(shape, spacing_mm, bend)  # type: ignore[arg-type]
    image = read_at(brain.image_CDHW, points)
    if dressed:
        image = _dress(image, read_at(brain.outside_mm_CDHW, points, "border"), generator)
    affine = box_affine(np.zeros(3), shape, spacing_mm, UP_FORWARD_RIGHT)  # type: ignore[arg-type]
    centres, keep = {}, []
    for side in ("left", "right"):
        away = (points - centre_from_middle(side)).square().sum(-1)
        near = torch.exp(-away / 8.0)  # weights within about 4 mm give the place between voxels
        axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in shape), indexing="ij")
        index = torch.stack([(a * near).sum() / near.sum() for a in axes]).double().numpy()
        centres[side] = affine[:3, :3] @ index + affine[:3, 3]
        keep.append(torch.from_numpy(index))
    image = _cut(_scanned(image, generator), keep, spacing_mm, generator)
    return Head(Volume(image[0].numpy(), affine, None, "MR"), centres)
