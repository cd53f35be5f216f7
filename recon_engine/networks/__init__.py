"""Torch modules only, one per file. `build` makes one from the plain configuration in a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recon_engine.contract import EngineError

if TYPE_CHECKING:
    from torch import nn

    from recon_engine.recipes.configuration import NetworkConfiguration


def build(configuration: NetworkConfiguration) -> nn.Module:
    """The network a recipe names, with fresh weights.

    Raises EngineError("weights_incompatible") for an unknown kind.
    """
    if configuration.kind == "unet3d":
        from recon_engine.networks.unet3d import UNet3D

        return UNet3D(configuration)
    raise EngineError("weights_incompatible", f"This engine has no network of kind {configuration.kind!r}.")
