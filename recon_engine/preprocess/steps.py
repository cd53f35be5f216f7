"""Preprocessing as a list of named steps: in a recipe, in the shell, and taken back one by one.

A step is written `name` or `name:option=value,option=value`, such as `gaussian:width_mm=1.5`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recon_engine.contract import EngineError
from recon_engine.preprocess import bias, filters, grid, regions, values
from recon_engine.preprocess.grid import Change
from recon_engine.volume import Volume

STEPS: dict[str, Callable[..., Volume | Change]] = {
    "normalise": values.normalise,
    "z_score": values.z_score,
    "window": values.window,
    "clahe": filters.clahe,
    "sharpen": filters.sharpen,
    "gaussian": filters.gaussian,
    "median": filters.median,
    "bilateral": filters.bilateral,
    "non_local_means": filters.non_local_means,
    "bias_field": bias.bias_field,
    "resample": grid.resampled,
    "threshold": regions.threshold,
    "otsu": lambda volume: regions.threshold(volume, regions.otsu_threshold(volume)),
    "grow_region": lambda volume, x_mm, y_mm, z_mm, low, high: regions.grow_region(
        volume, (x_mm, y_mm, z_mm), low, high
    ),
}
_NOT_OPTIONS = {"volume", "mask", "threads"}


@dataclass(frozen=True)
class Step:
    """One step with its options; `text` writes it as it is read."""

    name: str
    options: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        given = ",".join(f"{name}={value:g}" for name, value in self.options)
        return f"{self.name}:{given}" if given else self.name


def options_of(name: str) -> dict[str, bool]:
    """The options of a step, each with whether it must be given."""
    known = inspect.signature(STEPS[name]).parameters.values()
    return {p.name: p.default is inspect.Parameter.empty for p in known if p.name not in _NOT_OPTIONS}


def parse(text: str) -> Step:
    """A step from its text. Raises EngineError("bad_request") naming the step or option, the rule and what there is."""
    name, _, rest = text.strip().partition(":")
    if name not in STEPS:
        raise EngineError("bad_request", f"There is no step {name!r}. There are: {', '.join(STEPS)}.", usage=True)
    known = options_of(name)
    options: dict[str, float] = {}
    for piece in filter(None, (part.strip() for part in rest.split(","))):
        option, equals, value = piece.partition("=")
        if option not in known:
            takes = ", ".join(known) or "none"
            raise EngineError("bad_request", f"{name} has no option {option!r}. It takes: {takes}.", usage=True)
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not equals or number != number:
            raise EngineError("bad_request", f"{name}: {option} takes a number, not {value!r}.", usage=True)
        options[option] = int(number) if number == int(number) else number
    if missing := [option for option, needed in known.items() if needed and option not in options]:
        example = f"{name}:{','.join(f'{option}=1' for option in missing)}"
        raise EngineError("bad_request", f"{name} needs {', '.join(missing)}, as in {example}.", usage=True)
    return Step(name, tuple(options.items()))


def take(volume: Volume, step: Step) -> Volume:
    """One step done. Raises EngineError("bad_request") where the step refuses the volume or a value."""
    try:
        made = STEPS[step.name](volume, **dict(step.options))
    except ValueError as error:
        raise EngineError("bad_request", f"{step.name}: {error}.", step=step.name) from None
    return made.volume if isinstance(made, Change) else made


@dataclass
class Bench:
    """A volume on which steps are done and taken back, newest first.

    The volume before each step is kept, because a filter cannot be worked backwards.
    """

    volume: Volume
    done: list[Step] = field(default_factory=list)
    _before: list[Volume] = field(default_factory=list)

    def do(self, step: Step) -> Volume:
        """Do a step; the volume before it is kept. Raises as `take`, and then nothing has changed."""
        made = take(self.volume, step)
        self._before.append(self.volume)
        self.done.append(step)
        self.volume = made
        return made

    def undo(self) -> Step:
        """Take the last step back and name it. Raises EngineError("bad_request") where there is none."""
        if not self.done:
            raise EngineError("bad_request", "There is no step to take back.")
        self.volume = self._before.pop()
        return self.done.pop()


def apply(volume: Volume, steps: Sequence[Step | str]) -> Volume:
    """All steps in order, each after `parse` where it is text. Raises as `parse` and `take`."""
    for step in steps:
        volume = take(volume, parse(step) if isinstance(step, str) else step)
    return volume


def write(volume: Volume, path: str | Path) -> None:
    """A volume as NIfTI-1 (gzipped where the name says so), in RAS mm; bool and uint8 stay, all else is float32.

    Raises EngineError("bad_request") for another ending or where the file cannot be written.
    """
    import nibabel

    target = Path(path)
    if not target.name.endswith((".nii", ".nii.gz")):
        raise EngineError("bad_request", f"{target.name} is no name of a NIfTI file: end it with .nii or .nii.gz.")
    kind = np.uint8 if volume.voxels.dtype in (np.uint8, bool) else np.float32
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine[:, [2, 1, 0, 3]]
    image = nibabel.Nifti1Image(volume.voxels.transpose(2, 1, 0).astype(kind), affine)
    image.header.set_xyzt_units("mm" if volume.spacing_known else "unknown")
    try:
        nibabel.save(image, target)
    except OSError as error:
        raise EngineError("bad_request", f"{target.name} cannot be written: {error.strerror}.") from None
