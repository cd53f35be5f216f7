"""What training makes small. MONAI's implementations where it has one.

B batch, S outputs (background first), DHW voxels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from recon_engine.contract import EngineError


def loss_function(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """(logits (B, S, D, H, W), target) -> scalar. Raises EngineError("bad_request") for an unknown name."""
    if name == "dice+ce":
        from monai.losses import DiceCELoss

        both = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, batch=True)

        def dice_and_cross_entropy(logits_BSDHW: Tensor, label_BDHW: Tensor) -> Tensor:
            return both(logits_BSDHW, label_BDHW[:, None])

        return dice_and_cross_entropy
    if name == "present dice+ce":
        from monai.losses import DiceLoss

        overlap = DiceLoss(include_background=False, to_onehot_y=True, softmax=True, batch=True, reduction="none")

        def dice_of_what_is_there(logits_BSDHW: Tensor, label_BDHW: Tensor) -> Tensor:
            # A patch holds few of many segments; the Dice of an absent one is noise that drives it to extinction.
            there = torch.bincount(label_BDHW.flatten(), minlength=logits_BSDHW.shape[1])[1:] > 0
            cross_entropy = torch.nn.functional.cross_entropy(logits_BSDHW, label_BDHW)
            if not there.any():
                return cross_entropy
            return cross_entropy + overlap(logits_BSDHW, label_BDHW[:, None]).flatten()[there].mean()

        return dice_of_what_is_there
    if name == "heatmap":

        def weighted_squares(logits_BSDHW: Tensor, heat_BSDHW: Tensor) -> Tensor:
            # The peaks fill a thousandth of the box: without weight the answer "nowhere" would do.
            weight = 1 + 50 * heat_BSDHW
            return (weight * torch.square(logits_BSDHW - heat_BSDHW)).mean()

        return weighted_squares
    raise EngineError("bad_request", f"There is no loss {name!r}.")
