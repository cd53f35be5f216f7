"""Weights files become networks only after their bytes have been checked. No pickle is ever opened.

Order of checks: what kind of file it is, its SHA-256, its header, every tensor's name, shape and type.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from recon_engine import networks
from recon_engine.contract import ENGINE_VERSION, EngineError
from recon_engine.recipes.configuration import Recipe
from recon_engine.weights import WEIGHTS, recorded_sha256, sha256_of

LARGEST_HEADER = 16 * 2**20
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")  # bare, and torch's zip


@dataclass(frozen=True)
class LoadedWeights:
    """Networks ready for inference, with what they were made by. `sha256` is of the whole file."""

    recipe: Recipe
    networks: tuple[nn.Module, ...]
    sha256: str


def read_header(file: Path) -> dict[str, Any]:
    """The checked header of a safetensors file: {"__metadata__": ..., tensor name: {dtype, shape, data_offsets}}.

    Raises EngineError: not_found, weights_unsafe (a pickle), weights_corrupt (anything that does not add up).
    """
    refuse_unsafe(file)
    size = file.stat().st_size
    with open(file, "rb") as handle:
        start = handle.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise _corrupt(file, f"its header claims {length} bytes")
        try:
            header = json.loads(handle.read(length))
        except (ValueError, RecursionError):
            raise _corrupt(file, "its header is no JSON") from None
    if not isinstance(header, dict):
        raise _corrupt(file, "its header is no table")
    _check_offsets(file, header, size - 8 - length)
    return header


def _check_offsets(file: Path, header: dict[str, Any], data_bytes: int) -> None:
    """Tensors lie one after the other and fill the file, each as long as its shape says."""
    spans = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            begin, end = entry["data_offsets"]
            count = 1
            for edge in entry["shape"]:
                count *= int(edge)
            wanted = count * BYTES[entry["dtype"]]
        except (KeyError, TypeError, ValueError):
            raise _corrupt(file, f"tensor {name[:80]} is not described") from None
        if not 0 <= begin <= end <= data_bytes or end - begin != wanted:
            raise _corrupt(file, f"tensor {name[:80]} does not fit its place")
        spans.append((begin, end))
    reached = 0
    for begin, end in sorted(spans):
        if begin != reached:
            raise _corrupt(file, "its tensors overlap or leave holes")
        reached = end
    if reached != data_bytes:
        raise _corrupt(file, f"{data_bytes - reached} bytes belong to no tensor")


def _corrupt(file: Path, why: str) -> EngineError:
    return EngineError("weights_corrupt", f"{file.parent.name}/{file.name} is damaged: {why}. Install it again.")


def load(where: Path, name: str = WEIGHTS, sha256: str | None = None) -> LoadedWeights:
    """The networks in one file of a weights folder, in evaluation mode on the CPU, float32.

    `sha256` None takes the hash recorded in recipe.json; "" checks none. Raises EngineError: not_found, weights_unsafe,
    weights_hash_mismatch, weights_corrupt, weights_incompatible.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = where / name
    refuse_unsafe(file)
    wanted = recorded_sha256(where, name) if sha256 is None else sha256
    found = sha256_of(file)
    if wanted and wanted != found:
        raise EngineError(
            "weights_hash_mismatch",
            f"{where.name}/{name} is not the file that was shipped (SHA-256 {found[:12]}, not {wanted[:12]}). "
            "Install it again.",
            found=found,
            wanted=wanted,
        )
    header = read_header(file)
    recipe = recipe_in(header.get("__metadata__", {}), file)
    try:
        tensors = load_file(file, device="cpu")
    except (SafetensorError, OSError) as error:
        raise _corrupt(file, str(error)) from None
    made = []
    for member in range(recipe.members):
        net = networks.build(recipe.network)
        prefix = f"{member}."
        own = {key.removeprefix(prefix): value.float() for key, value in tensors.items() if key.startswith(prefix)}
        _check_shapes(file, net, own)
        net.load_state_dict(own)
        made.append(net.eval())
    return LoadedWeights(recipe=recipe, networks=tuple(made), sha256=found)


def refuse_unsafe(file: Path) -> None:
    """Raise EngineError("not_found") for a missing file, ("weights_unsafe") for a pickle or a zip of pickles."""
    if not file.is_file():
        raise EngineError("not_found", f"The weights file {file.parent.name}/{file.name} is missing. Install it again.")
    with open(file, "rb") as handle:
        start = handle.read(9)
    # A header of 640 bytes starts like a pickle too; only then do the next six bytes hold zeros and a brace.
    is_header = start[4:8] == bytes(4) and start[8:9] == b"{"
    if start.startswith(PICKLE_STARTS) and not is_header:
        raise EngineError(
            "weights_unsafe", f"{file.name} is a pickle, which can run code. Only safetensors files are opened."
        )


def recipe_in(metadata: dict[str, Any], file: Path) -> Recipe:
    """The recipe that travels in a file's metadata. Raises EngineError("weights_incompatible")."""
    try:
        return Recipe.from_dict(json.loads(metadata["recipe"]))
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(
            "weights_incompatible",
            f"{file.parent.name}/{file.name} holds no recipe engine {ENGINE_VERSION} knows: {error}. "
            "Train it again, or install the engine it was made with.",
        ) from None


def _check_shapes(file: Path, net: nn.Module, tensors: dict[str, Any]) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted == found:
        return
    wrong = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))[0]
    raise EngineError(
        "weights_incompatible",
        f"{file.parent.name}/{file.name}: tensor {wrong} is {found.get(wrong, 'missing')}, "
        f"the recipe's network wants {wanted.get(wrong, 'none')}. Install weights and recipe of one version.",
    )
