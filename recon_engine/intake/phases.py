"""Series that hold several volumes of one place: a heart in steps, b-values. What tells them apart, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recon_engine.intake import tags
from recon_engine.intake.reasons import Issue
from recon_engine.intake.slices import Frame


@dataclass(frozen=True)
class Mark:
    """`kind`: "time" (ms), "b" (s/mm2), "echo" (ms) or "number" (counted from 1)."""

    kind: str
    value: float


# What is asked first says most: a series with b-values has times, too.
_ASKED = (("b", tags.B_VALUE), ("time", tags.TRIGGER_TIME), ("echo", tags.ECHO_TIME))


def marks_of(volumes: Sequence[Sequence[Frame]]) -> tuple[Mark, ...]:
    """One per volume, from the frames at the first place: the first value that differs from volume to volume."""
    firsts = [frames[0] for frames in volumes]
    for kind, tag in _ASKED:
        found = [frame.marks.get(kind) or frame.header.decimals(tag) for frame in firsts]
        values = [one[0] for one in found if one]
        if len(values) == len(firsts) == len(set(values)):
            return tuple(Mark(kind, value) for value in values)
    return counted(len(firsts))


def counted(count: int) -> tuple[Mark, ...]:
    return tuple(Mark("number", float(n + 1)) for n in range(count))


def too_many(count: int) -> Issue:
    """All together are more voxels than may be kept: the first volume alone is."""
    message = f"The file holds {count} volumes, together more voxels than the limit; the first is used."
    return Issue("four_d_first_volume_used", message)
