"""Checkpoints of a running training: safetensors with everything needed to go on as if nothing had happened."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn, optim

from recon_engine.contract import ENGINE_VERSION, EngineError
from recon_engine.recipes.configuration import Recipe


def write_atomically(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """A complete file or none: written beside its place, flushed to disk, renamed."""
    part = path.with_suffix(".part")
    data = save({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, metadata=metadata)
    # The library writes the metadata in a random order; sorted, equal content has equal bytes and one SHA-256.
    length = struct.unpack("<Q", data[:8])[0]
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with open(part, "wb") as handle:
        handle.write(struct.pack("<Q", len(header)) + header)
        handle.write(data[8 + length :])
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(part, path)


def store(
    path: Path, recipe: Recipe, step: int, net: nn.Module, average: dict[str, Tensor], optimiser: optim.Optimizer
) -> None:
    """Weights, their running mean and the optimiser's memory after `step` steps."""
    tensors = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.items()}
    for index, memory in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in memory.items()}
    metadata = {"recipe": recipe.to_json(), "step": str(step), "engine_version": ENGINE_VERSION}
    write_atomically(tensors, path, metadata)


def restore(path: Path, recipe: Recipe, net: nn.Module, average: dict[str, Tensor], optimiser: optim.Optimizer) -> int:
    """Put a saved training back; returns the number of steps done, 0 where there is no checkpoint.

    Raises EngineError: "weights_corrupt" for a damaged file, "bad_request" where it belongs to another recipe.
    """
    if not path.exists():
        return 0
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise EngineError("weights_corrupt", f"The checkpoint {path.name} is damaged: {error}. Delete it.") from None
    if metadata.get("recipe") != recipe.to_json():
        raise EngineError(
            "bad_request", f"{path.parent.name} holds a training of another recipe. Choose another output folder."
        )
    net.load_state_dict({k.removeprefix("net."): v for k, v in tensors.items() if k.startswith("net.")})
    for name in average:
        average[name].copy_(tensors[f"average.{name}"])
    memory: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".")
            memory.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": memory, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(metadata["step"])
