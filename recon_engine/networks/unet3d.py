"""A compact 3D U-Net whose convolutions run at half resolution or coarser.

A space-to-depth stem folds 2x2x2 voxels into channels: on a CPU that buys about eight times the speed of a stage at
full resolution, and costs nothing in the answer because a small refining stage sees the full grid again at the end.

A flat one does the same to slices: its convolutions, pools and folds leave the first axis alone.

B batch, C channels, S outputs (background and segments), DHW voxels, dhw voxels of a coarser grid.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from recon_engine.recipes.configuration import NetworkConfiguration

LEAST = 1e-3  # a guide's probability never counts as less: what the guide missed can still be found


Edges = tuple[int, int, int]
"""Voxels along D, H and W that one step takes together."""


def space_to_depth(x_BCDHW: Tensor, folds: Edges) -> Tensor:
    """(B, C, D, H, W) -> (B, C * p * q * r, D/p, H/q, W/r) for folds (p, q, r)."""
    b, c, d, h, w = x_BCDHW.shape
    p, q, r = folds
    x = x_BCDHW.reshape(b, c, d // p, p, h // q, q, w // r, r)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(b, c * p * q * r, d // p, h // q, w // r)


def depth_to_space(x_BCdhw: Tensor, folds: Edges) -> Tensor:
    """The inverse of `space_to_depth`."""
    b, c, d, h, w = x_BCdhw.shape
    p, q, r = folds
    x = x_BCdhw.reshape(b, c // (p * q * r), p, q, r, d, h, w)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(b, c // (p * q * r), d * p, h * q, w * r)


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm3d(channels)
    return nn.InstanceNorm3d(channels, affine=True)


def _convolution(inputs: int, outputs: int, flat: bool, bias: bool = True) -> nn.Conv3d:
    """3x3x3, or 1x3x3 where it is flat; the size stays."""
    kernel, padding = ((1, 3, 3), (0, 1, 1)) if flat else ((3, 3, 3), (1, 1, 1))
    return nn.Conv3d(inputs, outputs, kernel, padding=padding, bias=bias)


class Stage(nn.Sequential):
    """Two convolutions, each normalised and bent."""

    def __init__(self, inputs: int, outputs: int, norm: str, flat: bool = False) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers += [
                _convolution(channels, outputs, flat, bias=False),
                _norm(norm, outputs),
                nn.LeakyReLU(0.01, inplace=True),
            ]
        super().__init__(*layers)


class UNet3D(nn.Module):
    """Takes (B, inputs, D, H, W), gives logits (B, outputs, D, H, W); D, H, W are multiples of `multiple`.

    A flat one takes slices as its batch, D is 1: its norms would mix the slices of a stack.
    """

    def __init__(self, configuration: NetworkConfiguration) -> None:
        super().__init__()
        c = configuration
        self.folds: Edges = c.folds
        self.pool: Edges = (1 if c.flat else 2, 2, 2)
        folded = math.prod(self.folds)
        self.multiple = c.multiple
        self.guides = c.guides
        detailed = c.inputs - c.guides
        first = detailed * folded + c.guides
        widths = c.channels
        self.encoder = nn.ModuleList(
            Stage(first if level == 0 else widths[level - 1], width, c.norm, c.flat)
            for level, width in enumerate(widths)
        )
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose3d(deep, shallow, self.pool, self.pool) for shallow, deep in pairs)
        self.decoder = nn.ModuleList(Stage(2 * shallow, shallow, c.norm, c.flat) for shallow, _ in pairs)
        if c.refine:
            self.head = nn.Conv3d(widths[0], c.refine * folded, 1)
            self.refine = nn.Sequential(
                _convolution(c.refine + detailed, c.refine, c.flat),
                nn.LeakyReLU(0.01, inplace=True),
                _convolution(c.refine, c.outputs, c.flat),
            )
            last = self.refine[-1]
        else:
            last = self.head = nn.Conv3d(widths[0], c.outputs * folded, 1)
            self.refine = None
        if c.guides:
            # The guides are the first answer, and what is learnt is how to correct it: at the beginning, not at all.
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, image_BCDHW: Tensor) -> Tensor:
        detailed = image_BCDHW[:, : image_BCDHW.shape[1] - self.guides] if self.guides else image_BCDHW
        x_BCdhw = space_to_depth(detailed, self.folds)
        if self.guides:
            guides = functional.avg_pool3d(image_BCDHW[:, -self.guides :], self.folds)
            x_BCdhw = torch.cat([x_BCdhw, guides], dim=1)
        skips = []
        for level, stage in enumerate(self.encoder):
            if level:
                x_BCdhw = functional.max_pool3d(x_BCdhw, self.pool)
            x_BCdhw = stage(x_BCdhw)
            skips.append(x_BCdhw)
        for up, stage, skip in zip(self.up, self.decoder, skips[-2::-1], strict=True):
            x_BCdhw = stage(torch.cat([up(x_BCdhw), skip], dim=1))
        x_BCdhw = self.head(x_BCdhw)
        full = depth_to_space(x_BCdhw, self.folds)
        logits = full if self.refine is None else self.refine(torch.cat([full, detailed], dim=1))
        if self.guides:
            logits = logits + torch.log(image_BCDHW[:, -self.guides :].clamp_min(LEAST))
        return logits
