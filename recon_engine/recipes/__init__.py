"""The algorithms, one module each, in the order they are shown. Looking them up loads no torch."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from recon_engine.contract import AlgorithmDescription, EngineError

MODULES = ("bone_ct", "hippocampus_mr", "phantom_organs_ct")


def modules() -> tuple[ModuleType, ...]:
    """Every recipe module that is present and offers an algorithm (one still in training has no DESCRIPTION)."""
    present = (import_module(f"{__name__}.{name}") for name in MODULES if find_spec(f"{__name__}.{name}"))
    return tuple(module for module in present if hasattr(module, "DESCRIPTION"))


def descriptions() -> tuple[AlgorithmDescription, ...]:
    """What each algorithm is, in order."""
    return tuple(module.DESCRIPTION for module in modules())


def find(name: str, version: str = "") -> ModuleType:
    """The recipe module of one algorithm; `version` "" takes the newest.

    Raises EngineError("not_found") naming the algorithms or the version there is.
    """
    known = {module.DESCRIPTION.name: module for module in modules()}
    if name not in known:
        raise EngineError(
            "not_found", f"There is no algorithm {name!r}. The engine has: {', '.join(known)}.", algorithm=name
        )
    module = known[name]
    if version and version != module.DESCRIPTION.version:
        have = module.DESCRIPTION.version
        raise EngineError("not_found", f"{name} has no version {version}; this engine has {have}.", algorithm=name)
    return module


def encloses(name: str) -> dict[int, tuple[int, ...]]:
    """Segment number -> numbers inside it, as an algorithm says; {} where nothing is, or nobody knows the name."""
    known = {module.DESCRIPTION.name: module for module in modules()}
    return {outer: tuple(inner) for outer, inner in getattr(known.get(name), "ENCLOSES", {}).items()}
