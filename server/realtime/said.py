"""What a browser may say of itself in a room: ids, numbers and names of settings, each within its bounds.

`cleaned` builds a new value from the parts it knows, so nothing else of a frame ever travels on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

PANES = frozenset({"axial", "coronal", "sagittal", "surfaces"})
FARTHEST_MM = 100_000.0
LARGEST_BRUSH_MM = 500.0
VIEW_CHARACTERS = 3000
FRAME_BYTES = 4096
_VIEW = re.compile(r"v=1[A-Za-z0-9=&:,._~+%-]*\Z")
_MEMBER = re.compile(r"[0-9a-f]{16}\Z")


def cleaned(value: Any) -> dict[str, Any]:
    """`{cursor?, stroke?, view?, follow?}` as it may be passed on. Raises ValueError or TypeError for anything else.

    cursor: {series: uuid, at: [x, y, z] LPS mm of that series, pane, free: in the air of the 3D} or null (away).
    stroke: {segmentation: uuid, number: 1..255, mm: brush diameter, erases} or null (no stroke under way).
    view: the fragment of an address (frontend/static/lamina/state/address.js). follow: a member or null.
    """
    if not isinstance(value, Mapping) or not value or value.keys() - _PARTS.keys():
        raise ValueError("parts")
    return {name: None if part is None else _PARTS[name](part) for name, part in value.items()}


def _cursor(part: Mapping[str, Any]) -> dict[str, Any]:
    _only(part, {"series", "at", "pane", "free"})
    at, pane = part["at"], part["pane"]
    if not isinstance(at, list) or len(at) != 3 or pane not in PANES:
        raise ValueError("cursor")
    place = [round(_number(one, -FARTHEST_MM, FARTHEST_MM), 3) for one in at]
    return {"series": _id(part["series"]), "at": place, "pane": pane, "free": _flag(part.get("free", False))}


def _stroke(part: Mapping[str, Any]) -> dict[str, Any]:
    _only(part, {"segmentation", "number", "mm", "erases"})
    number = part["number"]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 255:
        raise ValueError("number")
    return {
        "segmentation": _id(part["segmentation"]),
        "number": number,
        "mm": round(_number(part["mm"], 0.0, LARGEST_BRUSH_MM), 2),
        "erases": _flag(part.get("erases", False)),
    }


def _view(part: str) -> str:
    if not isinstance(part, str) or len(part) > VIEW_CHARACTERS or not _VIEW.match(part):
        raise ValueError("view")
    return part


def member(part: str) -> str:
    """The id a socket has in a room. Raises ValueError or TypeError."""
    if not _MEMBER.match(part):
        raise ValueError("member")
    return part


_PARTS: dict[str, Callable[[Any], Any]] = {"cursor": _cursor, "stroke": _stroke, "view": _view, "follow": member}


def _only(part: Any, names: set[str]) -> None:
    if not isinstance(part, Mapping) or part.keys() - names:
        raise ValueError("names")


def _id(text: Any) -> str:
    if not isinstance(text, str) or len(text) != 36:
        raise ValueError("id")
    return str(UUID(text))


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("number")
    # An integer of a thousand digits is valid JSON; comparing it is harmless, turning it into a float is not.
    if not low <= value <= high or not math.isfinite(value):
        raise ValueError("number")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("flag")
    return value
