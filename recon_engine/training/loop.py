"""The loop: steps from a source of samples to averaged weights, repeatable to the bit on a CPU.

Every step draws its samples and their bending from a generator seeded by (recipe seed, step), so a training that is
killed and started again makes the same steps as one that was left alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from recon_engine import networks
from recon_engine.contract import OnProgress, Progress, no_progress
from recon_engine.recipes.configuration import Recipe
from recon_engine.training import checkpoint
from recon_engine.training.losses import loss_function

Source = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
"""(step, generator) -> image (B, C, D, H, W) and its target, ready for the network."""


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, half a cosine down to a hundredth at the horizon, and a straight cool-down at the end.

    With a restart the cosine ends there and a second one runs from there to the end.
    """
    if recipe.restart:
        first = step < recipe.restart
        part = replace(recipe, restart=0, steps=recipe.restart if first else recipe.steps - recipe.restart)
        return learning_rate(part, step if first else step - recipe.restart)
    horizon = recipe.horizon or recipe.steps
    rise = max(1, round(recipe.warm_up * horizon))
    if step < rise:
        return recipe.learning_rate * (step + 1) / rise
    along = (step - rise) / max(1, horizon - rise)
    rate = recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(along, 1.0))))
    into = step - (recipe.steps - recipe.cooldown)
    return rate * (1 - 0.99 * into / recipe.cooldown) if recipe.cooldown and into > 0 else rate


def train_network(
    recipe: Recipe,
    source: Source,
    out: Path,
    *,
    device: str = "cpu",
    save_every: int = 100,
    stop_after: int | None = None,
    on_progress: OnProgress = no_progress,
) -> dict[str, Tensor]:
    """Train one network to the end and return the weights to ship (CPU, float32).

    `out` keeps checkpoint.safetensors and TensorBoard logs. `stop_after` ends early after that many steps, as a kill
    would right after a checkpoint. Raises what the source, the checkpoint and `on_progress` raise.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    net = networks.build(recipe.network).to(device, memory_format=torch.channels_last_3d)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    average = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
    file = out / "checkpoint.safetensors"
    done = checkpoint.restore(file, recipe, net, average, optimiser)
    measure = loss_function(recipe.loss)
    bf16 = recipe.precision == "bfloat16"
    board = _board(out)
    began, first = time.monotonic(), done
    last = recipe.steps if stop_after is None else min(recipe.steps, stop_after)
    net.train()
    for step in range(done, last):
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        image, target = source(step, generator)
        image = image.to(device, memory_format=torch.channels_last_3d)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
            logits = net(image)
        loss = measure(logits.float(), target.to(device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 12.0)
        optimiser.step()
        _blend(average, net.state_dict(), recipe.average, step)
        if board is not None:
            board.add_scalar("loss", loss.item(), step)
            board.add_scalar("learning_rate", learning_rate(recipe, step), step)
        if (step + 1) % save_every == 0 or step + 1 == last:
            checkpoint.store(file, recipe, step + 1, net, average, optimiser)
        rate = (time.monotonic() - began) / (step + 1 - first)
        left = rate * (recipe.steps - step - 1)
        on_progress(
            Progress(
                phase="train",
                fraction=(step + 1) / recipe.steps,
                detail=f"step {step + 1} of {recipe.steps}, loss {loss.item():.4f}, {left / 60:.1f} min left",
            )
        )
    if board is not None:
        board.close()
    if recipe.network.norm == "batch" and last == recipe.steps:
        average = _settled(net, average, recipe, source, device)
    return {name: tensor.to("cpu").contiguous() for name, tensor in average.items()}


SETTLING_STEPS = 40


def _settled(
    net: torch.nn.Module, average: dict[str, Tensor], recipe: Recipe, source: Source, device: str
) -> dict[str, Tensor]:
    """The averaged weights with batch statistics of their own.

    The running mean of statistics belongs to weights that never were: measured anew, over samples of steps to come.
    """
    net.load_state_dict(average)
    net.train()
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm3d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all that follow
    with torch.no_grad():
        for step in range(recipe.steps, recipe.steps + SETTLING_STEPS):
            image, _ = source(step, torch.Generator().manual_seed(recipe.seed * 1_000_003 + step))
            net(image.to(device, memory_format=torch.channels_last_3d))
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def _blend(average: dict[str, Tensor], now: dict[str, Tensor], decay: float, step: int) -> None:
    """Running mean of the weights, with a shorter memory at the start so that the first guess is soon forgotten."""
    decay = min(decay, (1 + step) / (10 + step))
    for name, tensor in now.items():
        if tensor.is_floating_point():
            average[name].lerp_(tensor.detach().to(average[name].dtype), 1 - decay)
        else:
            average[name].copy_(tensor)


def _board(out: Path):  # type: ignore[no-untyped-def]  # SummaryWriter | None, an optional package
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "tensorboard"))
