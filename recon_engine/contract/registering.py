"""The records of the verb `register`; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recon_engine.contract.record import Record

NAME, VERSION = "Lamina rigid registration", "1.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterRequest(Record):
    """Where does the body of `moving` lie in `fixed`? Each is a file or folder: DICOM, NIfTI, or a prepared series.

    The same seed and inputs give the same answer, bit for bit, on one machine.
    """

    fixed: str
    moving: str
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterResult(Record):
    """`matrix` (4 x 4, rigid) takes LPS mm of `moving` to LPS mm of `fixed`.

    `error_mm` is the larger of two means over the body: how far runs from other starts end from this one
    (`repeat_mm`), and how far the way back ends from where it began (`inverse_mm`). It tells a stable answer from a
    chance one; a mistake that every run makes, such as a couch that moved with the body, is not in it.
    """

    matrix: tuple[tuple[float, ...], ...]
    algorithm: str
    version: str
    seed: int
    error_mm: float
    repeat_mm: float
    inverse_mm: float
    farthest_mm: float  # the largest of all those distances at any point of the body
    similarity_before: float | None  # correlation of values inside the body as both lay; None: they did not meet
    similarity_after: float
    overlap: float  # share of the smaller body that lies in the other
    rotation_degrees: float
    shift_mm: float  # of the middle of the body
    runs: int
    working_mm: tuple[float, ...]  # (k, j, i) of the grid of `fixed` that was worked on
    seconds: Mapping[str, float]
