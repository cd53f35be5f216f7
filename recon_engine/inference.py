"""A volume through a network: windows planned from volume and memory, labels out, never a float volume per class.

The arg-max runs inside the graph, so each window gives one uint8 per voxel. Neighbouring windows share a halo and
keep their middle. On a CPU the graph runs in OpenVINO where it is installed, in torch otherwise and on GPUs. A window
that does not fit in memory is halved; a GPU that cannot even hold a small one hands over to the CPU.

B batch, C channels, S outputs (background first), DHW voxels along (k, j, i).
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recon_engine.contract import EngineError
from recon_engine.recipes.configuration import NetworkConfiguration, Recipe

OnTile = Callable[[float, str], None]
"""(fraction, "tile 3 of 8"): called before every tile and once at the end; may raise EngineError("cancelled")."""

DEFAULT_BUDGET = 2 * 2**30  # bytes for one window's tensors where nobody says otherwise


class Answer(nn.Module):
    """Networks and their mirrored selves averaged, then the best output per voxel.

    (B, C, D, H, W) -> uint8 (B, D, H, W).

    One network without mirroring needs no probabilities: its logits are compared directly.
    """

    def __init__(self, members: Sequence[nn.Module], mirror_axes: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.mirrors: list[tuple[int, ...]] = [
            tuple(axis + 2 for axis in chosen)
            for count in range(len(mirror_axes) + 1)
            for chosen in itertools.combinations(mirror_axes, count)
        ]

    def forward(self, image_BCDHW: Tensor) -> Tensor:
        if len(self.members) == 1 and len(self.mirrors) == 1:
            return self.members[0](image_BCDHW).argmax(1).to(torch.uint8)
        total = None
        for member, mirror in itertools.product(self.members, self.mirrors):
            seen = torch.flip(image_BCDHW, mirror) if mirror else image_BCDHW
            odds_BSDHW = torch.softmax(member(seen), dim=1)
            odds_BSDHW = torch.flip(odds_BSDHW, mirror) if mirror else odds_BSDHW
            total = odds_BSDHW if total is None else total + odds_BSDHW
        return total.argmax(1).to(torch.uint8)


class Heat(nn.Module):
    """The members' mean output as it is, for networks whose answer is a map: float32 (B, S, D, H, W)."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, image_BCDHW: Tensor) -> Tensor:
        total = self.members[0](image_BCDHW)
        for member in self.members[1:]:
            total = total + member(image_BCDHW)
        return total / len(self.members)


@dataclass(frozen=True)
class Tile:
    """One window: what it reads (may reach beyond the volume) and what it keeps, as (start, stop) per axis."""

    reads: tuple[tuple[int, int], ...]
    keeps: tuple[tuple[int, int], ...]


def bytes_per_voxel(network: NetworkConfiguration) -> float:
    """About what one window voxel costs in float32 tensors that live at the same time."""
    folded = math.prod(network.folds)
    full = 2 * network.inputs + (2 * network.refine if network.refine else 0) + 2 * network.outputs
    coarse = (5 * network.channels[0] + (network.inputs - network.guides) * folded + network.guides) / folded
    return 4.0 * 1.3 * (full + coarse)


def plan_tiles(
    shape: tuple[int, int, int], multiple: int, halo: int, voxels: float
) -> tuple[tuple[int, int, int], list[Tile]]:
    """The fewest equal windows of at most `voxels` voxels that cover `shape`: (window shape, tiles).

    Edges are multiples of `multiple`. The longest axis is cut first, as long as cutting makes the window smaller; where
    the halo eats what a cut saves, the halo is halved. Where nothing helps, the smallest window found is taken.
    """
    # Steps and halo are multiples too: pooling must fall on the same voxels in every tile as in one large window.
    halo = math.ceil(halo / multiple) * multiple
    cuts = [1, 1, 1]

    def step(axis: int, parts: int = 0) -> int:
        return math.ceil(shape[axis] / (parts or cuts[axis]) / multiple) * multiple

    def edge(axis: int, parts: int = 0) -> int:
        parts = parts or cuts[axis]
        return step(axis, parts) + (2 * halo if parts > 1 else 0)

    def window() -> tuple[int, int, int]:
        return edge(0), edge(1), edge(2)

    while math.prod(window()) > voxels:
        helpful = [a for a in range(3) if any(edge(a, cuts[a] + more) < edge(a) for more in (1, 2))]
        if helpful:
            axis = max(helpful, key=step)
            cuts[axis] += 1 if edge(axis, cuts[axis] + 1) < edge(axis) else 2
        elif halo > multiple:
            halo = math.ceil(halo / 2 / multiple) * multiple
        else:
            break
    edges = window()
    tiles = []
    for starts in itertools.product(*(range(0, shape[axis], step(axis)) for axis in range(3))):
        lows = [start - (halo if cuts[axis] > 1 else 0) for axis, start in enumerate(starts)]
        reads = tuple((low, low + edge) for low, edge in zip(lows, edges, strict=True))
        keeps = tuple((start, min(start + step(axis), shape[axis])) for axis, start in enumerate(starts))
        tiles.append(Tile(reads=reads, keeps=keeps))
    return edges, tiles


def cut(image_CDHW: NDArray, tile: Tile, outside: float) -> NDArray:
    """The window a tile reads, (C, *window) float32, filled with `outside` beyond the volume."""
    window = np.full((image_CDHW.shape[0], *(b - a for a, b in tile.reads)), outside, np.float32)
    source, target = [], []
    for (low, high), length in zip(tile.reads, image_CDHW.shape[1:], strict=True):
        a, b = max(low, 0), min(high, length)
        source.append(slice(a, b))
        target.append(slice(a - low, b - low))
    window[(slice(None), *target)] = image_CDHW[(slice(None), *source)]
    return window


def openvino_available() -> bool:
    """True where OpenVINO can be imported and nobody switched it off (LAMINA_OPENVINO=0)."""
    from importlib.util import find_spec

    return os.environ.get("LAMINA_OPENVINO", "1") != "0" and find_spec("openvino") is not None


def choose_device(wanted: str = "") -> str:
    """ "" takes a GPU where there is one. Raises EngineError("bad_request") for a device this machine has not."""
    if wanted in ("", "auto"):
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if wanted == "cpu":
        return "cpu"
    if wanted.startswith("cuda"):
        index = int(wanted.partition(":")[2] or 0) if wanted.partition(":")[2].isdigit() or wanted == "cuda" else -1
        if torch.cuda.is_available() and 0 <= index < torch.cuda.device_count():
            return f"cuda:{index}"
    raise EngineError("bad_request", f"This machine has no device {wanted!r}. Choose cpu, or leave it out.")


class Runner:
    """Networks of one recipe, ready to answer windows; keeps compiled graphs per window shape."""

    def __init__(
        self,
        recipe: Recipe,
        members: Sequence[nn.Module],
        *,
        device: str = "",
        threads: int = 0,
        backend: str = "",
        heat: bool = False,
    ) -> None:
        self.recipe = recipe
        self.device = choose_device(device)
        self.threads = threads or min(os.cpu_count() or 1, 8)
        self.backend = backend or ("openvino" if self.device == "cpu" and openvino_available() else "torch")
        self.module = (Heat(members) if heat else Answer(members, recipe.test_time_mirror)).eval()
        self._graphs: dict[tuple[int, ...], Callable[[NDArray], NDArray]] = {}

    def window(self, image_CDHW: NDArray) -> NDArray:
        """One window (C, D, H, W) float32 -> what the graph gives, without the batch axis."""
        if self.backend == "openvino":
            return self._openvino(image_CDHW.shape)(image_CDHW[None])[0]
        return self._torch(image_CDHW[None])[0]

    def to_cpu(self) -> None:
        """Leave the GPU: later windows run on the CPU."""
        self.device, self.backend = "cpu", "openvino" if openvino_available() else "torch"
        self.module = self.module.to("cpu")

    def _torch(self, image_BCDHW: NDArray) -> NDArray:
        kind = torch.device(self.device).type
        if kind == "cpu":
            torch.set_num_threads(self.threads)
        module = self.module.to(self.device, memory_format=torch.channels_last_3d)
        image = torch.from_numpy(np.ascontiguousarray(image_BCDHW)).to(self.device)
        image = image.contiguous(memory_format=torch.channels_last_3d)
        half = kind == "cuda" or self.recipe.inference_precision == "bfloat16"
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=half):
            answer = module(image)
        return (answer.float() if answer.is_floating_point() else answer).cpu().numpy()

    def _openvino(self, shape: tuple[int, ...]) -> Callable[[NDArray], NDArray]:
        if shape not in self._graphs:
            self._graphs = {shape: self._compiled(shape)}  # one at a time: a graph holds its window's memory
        return self._graphs[shape]

    def _compiled(self, shape: tuple[int, ...]) -> Callable[[NDArray], NDArray]:
        import openvino

        with torch.no_grad():
            model = openvino.convert_model(self.module, example_input=torch.zeros(1, *shape), input=[1, *shape])
        # OpenVINO takes bfloat16 by itself where the machine has it; the recipe decides, after measuring.
        precision = "bf16" if self.recipe.inference_precision == "bfloat16" else "f32"
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": self.threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
        return lambda image: np.array(request.infer({0: np.ascontiguousarray(image)})[0])


def _out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in words or "alloc" in words)


def _silent(fraction: float, detail: str) -> None:
    """For callers that do not watch."""


def segment(
    runner: Runner, image_CDHW: NDArray, *, budget: float = DEFAULT_BUDGET, on_tile: OnTile = _silent
) -> tuple[NDArray, dict[str, object]]:
    """Labels (D, H, W) uint8 of a standardised image, and what it took: device, backend, window, tiles, retries.

    `budget` is the memory in bytes one window's tensors may take. Raises EngineError("out_of_memory") when even the
    smallest window on the CPU does not fit, and whatever `on_tile` raises: a cancel waits for one tile at most.
    """
    recipe, shape = runner.recipe, image_CDHW.shape[1:]
    multiple = recipe.network.multiple
    voxels = max(budget / bytes_per_voxel(recipe.network), float(multiple**3))
    retries: list[str] = []
    while True:
        window, tiles = plan_tiles(shape, multiple, recipe.halo, voxels)  # type: ignore[arg-type]
        labels = np.zeros(shape, np.uint8)
        try:
            for number, tile in enumerate(tiles):
                on_tile(number / len(tiles), f"tile {number + 1} of {len(tiles)}")
                found = runner.window(cut(image_CDHW, tile, recipe.outside))
                inner = tuple(slice(a - low, b - low) for (a, b), (low, _) in zip(tile.keeps, tile.reads, strict=True))
                labels[tuple(slice(a, b) for a, b in tile.keeps)] = found[inner]
            on_tile(1.0, f"tile {len(tiles)} of {len(tiles)}")
            took = {"device": runner.device, "backend": runner.backend, "window": window, "tiles": len(tiles)}
            return labels, took | {"retries": tuple(retries)}
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, EngineError) or not _out_of_memory(error):
                raise
            retries.append(f"window {window} did not fit on {runner.device}")
        smaller = math.prod(window) / 2
        if smaller >= multiple**3 and len(plan_tiles(shape, multiple, recipe.halo, smaller)[1]) > len(tiles):  # type: ignore[arg-type]
            voxels = smaller
        elif runner.device != "cpu":
            runner.to_cpu()
            voxels = budget / bytes_per_voxel(recipe.network)
        else:
            raise EngineError(
                "out_of_memory",
                f"The volume {shape} does not fit in memory, even in windows of {window}. Free memory or use a "
                "larger machine.",
                window=window,
            )
