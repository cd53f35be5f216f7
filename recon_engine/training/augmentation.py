"""Samples bent while training: geometry and intensity, in batches, from one generator, so a step can be repeated.

B batch, C channels, DHW voxels along (k, j, i). A displacement field follows torch's grid order (x, y, z) = (i, j, k).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from recon_engine.recipes.configuration import Augmentation


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def _chance(batch: int, probability: float, generator: torch.Generator) -> Tensor:
    return torch.rand(batch, generator=generator) < probability


def rotations(angles_B3: Tensor) -> Tensor:
    """(B, 3) angles in radians about the k, j, i axes -> (B, 3, 3) matrices acting on (k, j, i)."""
    b = angles_B3.shape[0]
    matrix = torch.eye(3).expand(b, 3, 3)
    for axis, (p, q) in enumerate(((1, 2), (0, 2), (0, 1))):
        cos, sin = torch.cos(angles_B3[:, axis]), torch.sin(angles_B3[:, axis])
        turn = torch.eye(3).repeat(b, 1, 1)
        turn[:, p, p], turn[:, p, q], turn[:, q, p], turn[:, q, q] = cos, -sin, sin, cos
        matrix = matrix @ turn
    return matrix


def smooth_field(batch: int, channels: int, shape: tuple[int, ...], knots: int, generator: torch.Generator) -> Tensor:
    """(batch, channels, *shape) of values about -1 to 1 that vary over 1/knots of the box."""
    coarse = _uniform((batch, channels, knots, knots, knots), -1, 1, generator)
    return functional.interpolate(coarse, size=tuple(shape), mode="trilinear", align_corners=True)


def sampling_grid(shape: tuple[int, int, int], batch: int, a: Augmentation, generator: torch.Generator) -> Tensor:
    """(B, D, H, W, 3): where each voxel of the bent sample is read, in torch's grid coordinates."""
    angles = _uniform((batch, 3), -1, 1, generator) * math.radians(a.rotate_degrees)
    scale = 1 + _uniform((batch, 3), -1, 1, generator) * a.scale
    shift = _uniform((batch, 3), -1, 1, generator) * a.shift_voxels
    if flat := shape[0] == 1:  # a slice stays in its plane: anything else would read beside it
        angles[:, 1:] = 0
        shift[:, 0] = 0
    matrix = rotations(angles) * scale[:, None, :]
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    centred_DHW3 = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    places = torch.einsum("bij,dhwj->bdhwi", matrix, centred_DHW3) + shift[:, None, None, None, :]
    if a.elastic_voxels:
        bend = smooth_field(batch, 3, shape, 5, generator) * a.elastic_voxels
        if flat:
            bend[:, 0] = 0
        places = places + bend.permute(0, 2, 3, 4, 1)
    for axis in a.mirror_axes:
        flip = torch.where(_chance(batch, 0.5, generator), -1.0, 1.0)
        places[..., axis] = places[..., axis] * flip[:, None, None, None]
    half = torch.tensor([n / 2 for n in shape])
    return (places / half).flip(-1)  # (k, j, i) -> (x, y, z)


def bend(image_BCDHW: Tensor, label_BDHW: Tensor, a: Augmentation, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same geometric change for image (linear) and labels (nearest). Outside reads 0 in both."""
    shape = tuple(image_BCDHW.shape[2:])
    grid = sampling_grid(shape, image_BCDHW.shape[0], a, generator)  # type: ignore[arg-type]
    image = functional.grid_sample(image_BCDHW, grid, mode="bilinear", align_corners=False)
    label = functional.grid_sample(label_BDHW[:, None].float(), grid, mode="nearest", align_corners=False)
    return image, label[:, 0].long()


def tighten(image_BCDHW: Tensor, label_BDHW: Tensor, a: Augmentation, generator: torch.Generator) -> Tensor:
    """Blank a random margin of each sample, so that its border says nothing of where the structure lies."""
    if not a.tighten_voxels:
        return image_BCDHW
    image = image_BCDHW.clone()
    for b in range(image.shape[0]):
        inside = (image[b, 0] != 0).nonzero()
        labelled = label_BDHW[b].nonzero()
        if not len(inside) or not len(labelled):
            continue
        low, high = inside.amin(0), inside.amax(0)
        near, far = labelled.amin(0), labelled.amax(0)
        cuts = torch.randint(0, a.tighten_voxels + 1, (2, 3), generator=generator)
        for axis in range(3):
            start = int(min(low[axis] + cuts[0, axis], max(near[axis] - 2, low[axis])))
            stop = int(max(high[axis] - cuts[1, axis], min(far[axis] + 2, high[axis]))) + 1
            view = image[b].movedim(axis + 1, 0)
            view[:start] = 0
            view[stop:] = 0
    return image


def recolour(image_BCDHW: Tensor, a: Augmentation, generator: torch.Generator) -> Tensor:
    """Gamma, contrast, brightness, bias field, blur, thick slices and noise. Voxels that were 0 (outside) stay 0."""
    image = image_BCDHW
    b, outside = image.shape[0], image_BCDHW == 0
    per_sample = (b, 1, 1, 1, 1)
    if a.gamma:
        low = image.amin((2, 3, 4), keepdim=True)
        reach = (image.amax((2, 3, 4), keepdim=True) - low).clamp_min(1e-6)
        exponent = torch.exp(_uniform(per_sample, -1, 1, generator) * math.log1p(a.gamma))
        image = ((image - low) / reach).pow(exponent) * reach + low
    image = image * (1 + _uniform(per_sample, -1, 1, generator) * a.contrast)
    image = image + _uniform(per_sample, -1, 1, generator) * a.brightness
    if a.bias:
        image = image * (1 + smooth_field(b, 1, tuple(image.shape[2:]), 3, generator) * a.bias)
    blurred = _chance(b, a.blur_probability, generator)
    if blurred.any():
        soft = functional.avg_pool3d(functional.pad(image, (1,) * 6, mode="replicate"), 3, stride=1)
        image = torch.where(blurred[:, None, None, None, None], 0.5 * image + 0.5 * soft, image)
    coarse = _chance(b, a.coarse_probability, generator)
    axis = int(torch.randint(0, 3, (1,), generator=generator))
    if coarse.any() and image.shape[2 + axis] > 1:
        size = list(image.shape[2:])
        size[axis] //= 2
        thick = functional.interpolate(image, size=size, mode="area")
        thick = functional.interpolate(thick, size=image.shape[2:], mode="trilinear", align_corners=False)
        image = torch.where(coarse[:, None, None, None, None], thick, image)
    if a.noise:
        level = _uniform(per_sample, 0, a.noise, generator)
        image = image + torch.randn(image.shape, generator=generator) * level
    return image.masked_fill(outside, 0.0)


def augment(
    image_BCDHW: Tensor, label_BDHW: Tensor, a: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One bent, recoloured copy of a batch of samples and labels."""
    image = tighten(image_BCDHW, label_BDHW, a, generator)
    image, label = bend(image, label_BDHW, a, generator)
    return recolour(image, a, generator), label
