"""What fixes an algorithm that was trained: one frozen record that travels with its weights. Plain values, no torch.

An experiment is a function that returns a full Recipe; a variant is `dataclasses.replace` of one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recon_engine.contract import Record


@dataclass(frozen=True, kw_only=True)
class NetworkConfiguration(Record):
    """The shape of a network. `outputs` counts the background."""

    kind: str = "unet3d"
    inputs: int = 1
    outputs: int = 2
    channels: tuple[int, ...] = (32, 64, 128)
    guides: int = 0  # the last so many inputs are probabilities of the outputs, which the network corrects
    stem: int = 2  # voxels folded into channels along each axis; 1 folds none
    flat: bool = False  # one slice at a time: nothing is folded, pooled or convolved along k
    norm: str = "instance"  # or "batch"
    refine: int = 0  # channels of the last stage at full resolution; 0 leaves it out

    @property
    def folds(self) -> tuple[int, int, int]:
        """Voxels along (k, j, i) that the stem makes one of."""
        return (1 if self.flat else self.stem, self.stem, self.stem)

    @property
    def multiple(self) -> int:
        """Every edge of a window must be a multiple of this many voxels (of a flat network: every edge but k)."""
        return self.stem * 2 ** (len(self.channels) - 1)


@dataclass(frozen=True, kw_only=True)
class Augmentation(Record):
    """How far training samples are bent; each value is the largest change, drawn evenly up to it."""

    rotate_degrees: float = 0.0
    scale: float = 0.0  # fraction
    shift_voxels: float = 0.0
    elastic_voxels: float = 0.0
    mirror_axes: tuple[int, ...] = ()  # of (k, j, i); each with probability 0.5
    tighten_voxels: int = 0  # the outer voxels of a crop that may be blanked on each side
    gamma: float = 0.0  # exponent between 1/(1+gamma) and 1+gamma
    contrast: float = 0.0
    brightness: float = 0.0  # in standard deviations
    bias: float = 0.0  # smooth field, fraction
    noise: float = 0.0  # in standard deviations
    blur_probability: float = 0.0
    coarse_probability: float = 0.0  # thick slices along one axis


@dataclass(frozen=True, kw_only=True)
class Recipe(Record):
    """One named, complete training: same recipe, same data, same seed, same weights."""

    name: str
    version: str
    data: str  # the kind of set, a reader in training/sets.py
    segments: tuple[str, ...]  # of outputs 1, 2, ...
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    box: tuple[int, int, int] = (48, 64, 48)  # voxels of one training sample
    network: NetworkConfiguration = field(default_factory=NetworkConfiguration)
    augmentation: Augmentation = field(default_factory=Augmentation)
    loss: str = "dice+ce"  # or "present dice+ce", "heatmap"
    steps: int = 1000
    batch: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.05  # fraction of the horizon
    horizon: int = 0  # the steps over which half a cosine would bring the learning rate down; 0 takes `steps`
    restart: int = 0  # the step at which the whole schedule of the learning rate begins anew; 0: never
    cooldown: int = 0  # last steps, over which the learning rate falls straight to a hundredth of what it then is
    average: float = 0.998  # decay of the running mean of the weights, which is what ships; 0 ships the last ones
    precision: str = "float32"  # or "bfloat16" where the machine has it
    seed: int = 0
    inference_precision: str = "float32"  # on a CPU; bfloat16 only where it was measured to change Dice by <= 0.001
    outside: float = 0.0  # what lies beyond the volume, in standardised units
    halo: int = 24  # voxels a tile reads beyond the part it keeps
    test_time_mirror: tuple[int, ...] = ()  # axes of (k, j, i) over which the answer is averaged
    members: int = 1  # networks trained from seed, seed + 1, ... whose answers are averaged
