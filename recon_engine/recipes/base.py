"""What a recipe gets and what it gives.

A recipe is one module of this folder: `DESCRIPTION`, an AlgorithmDescription made without heavy imports, and
`run(volumes, parameters, context) -> Labels`. It may also hold `PHASES`, its own phases with their share of its time,
and `PREPROCESSING`, the plain values that fix what is done to a volume before the network sees it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from recon_engine.contract import AlgorithmDescription, EngineError, Parameter
from recon_engine.volume import Volume


@dataclass(frozen=True)
class Labels:
    """What a recipe found.

    `labelmap` holds uint8 SegmentNumbers (0 is nothing) on the grid of the source volume.
    `working` is the labelmap at the resolution the recipe worked in, to make surfaces from; None: use `labelmap`.
    `segments` are the numbers that apply to this input (a crop has no left and right); empty: all that are described.
    `files` are the algorithm's own additions to the result folder, name to bytes; names hold no folder.
    """

    labelmap: Volume
    working: Volume | None = None
    warnings: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    segments: tuple[int, ...] = ()


def _unheard(phase: str, fraction: float, detail: str) -> None:
    """For recipes run without a watcher."""


@dataclass
class Context:
    """The recipe's line to whoever runs it.

    `report` passes real work units on and may raise EngineError("cancelled"), so a recipe calls it between units.
    `seconds` holds the time from one phase's first report to the next phase's.
    """

    device: str = "cpu"
    threads: int = 1
    on_report: Callable[[str, float, str], None] = _unheard
    seconds: dict[str, float] = field(default_factory=dict)
    _phase: str = ""
    _since: float = 0.0

    def report(self, phase: str, fraction: float, detail: str = "") -> None:
        """Say how far `phase` is (0 to 1), with the unit of work just done ("tile 19 of 50")."""
        now = time.monotonic()
        if phase != self._phase:
            self.close(now)
            self._phase, self._since = phase, now
        self.on_report(phase, min(max(float(fraction), 0.0), 1.0), detail)

    def close(self, now: float | None = None) -> None:
        """Book the running phase's time. Whoever made the context calls this once at the end."""
        now = time.monotonic() if now is None else now
        if self._phase:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = "", now


class RecipeModule(Protocol):
    """The shape of a module in this folder."""

    DESCRIPTION: AlgorithmDescription

    def run(self, volumes: Mapping[str, Volume], parameters: Mapping[str, Any], context: Context) -> Labels: ...


def checked_parameters(description: AlgorithmDescription, given: Mapping[str, Any]) -> dict[str, Any]:
    """The algorithm's parameters with defaults filled in.

    Raises EngineError("bad_request") naming an unknown parameter, a wrong kind or a value out of range.
    """
    known = {parameter.name: parameter for parameter in description.parameters}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise EngineError(
                "bad_request", f"{description.name} has no parameter {name}. It takes: {names}.", parameter=name
            )
    return {name: _checked(parameter, given.get(name, parameter.default)) for name, parameter in known.items()}


def _checked(parameter: Parameter, value: Any) -> Any:
    def refuse(rule: str) -> EngineError:
        return EngineError("bad_request", f"{parameter.title} {rule}.", parameter=parameter.name)

    if parameter.kind == "boolean":
        if not isinstance(value, bool):
            raise refuse("is either true or false")
        return value
    if parameter.kind == "choice":
        if value not in parameter.choices:
            raise refuse(f"is one of {', '.join(parameter.choices)}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refuse("is a number")
    if parameter.kind == "integer" and int(value) != value:
        raise refuse("is a whole number")
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.minimum is not None and value < parameter.minimum:
        raise refuse(f"is at least {parameter.minimum:g}{unit}")
    if parameter.maximum is not None and value > parameter.maximum:
        raise refuse(f"is at most {parameter.maximum:g}{unit}")
    return int(value) if parameter.kind == "integer" else float(value)
