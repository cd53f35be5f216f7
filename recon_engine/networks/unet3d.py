"""A compact 3D U-Net whose convolutions run at half resolution or coarser.

A space-to-depth stem folds 2x2x2 voxels into channels: on a CPU that buys about eight times the speed of a stage at
full resolution, and costs nothing in the answer because a small refining stage sees the full grid again at the end.

B batch, C channels, S outputs (background and segments), DHW voxels, dhw voxels of a coarser grid.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from recon_engine.recipes.configuration import NetworkConfiguration

LEAST = 1e-3  # a guide's probability never counts as less: what the guide missed can still be found


def space_to_depth(x_BCDHW: Tensor, factor: int) -> Tensor:
    """(B, C, D, H, W) -> (B, C * factor^3, D/factor, H/factor, W/factor)."""
    b, c, d, h, w = x_BCDHW.shape
    f = factor
    x = x_BCDHW.reshape(b, c, d // f, f, h // f, f, w // f, f)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(b, c * f**3, d // f, h // f, w // f)


def depth_to_space(x_BCdhw: Tensor, factor: int) -> Tensor:
    """The inverse of `space_to_depth`."""
    b, c, d, h, w = x_BCdhw.shape
    f = factor
    x = x_BCdhw.reshape(b, c // f**3, f, f, f, d, h, w)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(b, c // f**3, d * f, h * f, w * f)


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm3d(channels)
    return nn.InstanceNorm3d(channels, affine=True)


class Stage(nn.Sequential):
    """Two 3x3x3 convolutions, each normalised and bent."""

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers += [
                nn.Conv3d(channels, outputs, 3, padding=1, bias=False),
                _norm(norm, outputs),
                nn.LeakyReLU(0.01, inplace=True),
            ]
        super().__init__(*layers)


class UNet3D(nn.Module):
    """Takes (B, inputs, D, H, W), gives logits (B, outputs, D, H, W); D, H, W are multiples of `multiple`."""

    def __init__(self, configuration: NetworkConfiguration) -> None:
        super().__init__()
        c = configuration
        self.stem = c.stem
        self.multiple = c.multiple
        self.guides = c.guides
        detailed = c.inputs - c.guides
        first = detailed * c.stem**3 + c.guides
        widths = c.channels
        self.encoder = nn.ModuleList(
            Stage(first if level == 0 else widths[level - 1], width, c.norm) for level, width in enumerate(widths)
        )
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose3d(deep, shallow, 2, 2) for shallow, deep in pairs)
        self.decoder = nn.ModuleList(Stage(2 * shallow, shallow, c.norm) for shallow, _ in pairs)
        if c.refine:
            self.head = nn.Conv3d(widths[0], c.refine * c.stem**3, 1)
            self.refine = nn.Sequential(
                nn.Conv3d(c.refine + detailed, c.refine, 3, padding=1),
                nn.LeakyReLU(0.01, inplace=True),
                nn.Conv3d(c.refine, c.outputs, 3, padding=1),
            )
            last = self.refine[-1]
        else:
            last = self.head = nn.Conv3d(widths[0], c.outputs * c.stem**3, 1)
            self.refine = None
        if c.guides:
            # The guides are the first answer, and what is learnt is how to correct it: at the beginning, not at all.
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, image_BCDHW: Tensor) -> Tensor:
        detailed = image_BCDHW[:, : image_BCDHW.shape[1] - self.guides] if self.guides else image_BCDHW
        x_BCdhw = space_to_depth(detailed, self.stem) if self.stem > 1 else detailed
        if self.guides:
            guides = functional.avg_pool3d(image_BCDHW[:, -self.guides :], self.stem)
            x_BCdhw = torch.cat([x_BCdhw, guides], dim=1)
        skips = []
        for level, stage in enumerate(self.encoder):
            if level:
                x_BCdhw = functional.max_pool3d(x_BCdhw, 2)
            x_BCdhw = stage(x_BCdhw)
            skips.append(x_BCdhw)
        for up, stage, skip in zip(self.up, self.decoder, skips[-2::-1], strict=True):
            x_BCdhw = stage(torch.cat([up(x_BCdhw), skip], dim=1))
        x_BCdhw = self.head(x_BCdhw)
        full = depth_to_space(x_BCdhw, self.stem) if self.stem > 1 else x_BCdhw
        logits = full if self.refine is None else self.refine(torch.cat([full, detailed], dim=1))
        if self.guides:
            logits = logits + torch.log(image_BCDHW[:, -self.guides :].clamp_min(LEAST))
        return logits
