"""What a browser sends as an operation, checked: only what can be done becomes a step."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.reconstructions.editing.runs import Spans
from server.reconstructions.editing.steps import Layer, Step, spans_from_text
from server.reconstructions.editing.table import Row
from server.reconstructions.models import Edit

MOST_SEGMENTS = 255
MOST_TEXT = 4 * 2**20  # characters of base64
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\Z")


@dataclass(frozen=True)
class Wanted:
    """A checked operation: what it does to labels, to the list, and which segment it is about."""

    step: Step = field(default_factory=Step)
    params: Mapping[str, Any] = field(default_factory=dict)
    number: int | None = None


def segment_gone(number: int) -> LaminaError:
    message = _("This segment is not there any more. Somebody removed it or merged it into another one.")
    return LaminaError("segment_gone", message, 409, number=number)


def invalid(sentence: str) -> LaminaError:
    return LaminaError("invalid_operation", sentence, 422)


def checked(edit: Edit, rows: Sequence[Row], kind: str, payload: Mapping[str, Any], voxels: int) -> Wanted:
    """Raises LaminaError `invalid_operation`, `segment_gone` or `too_many_segments`."""
    check = _CHECKS.get(kind)
    if check is None:
        raise invalid(_("There is no kind of change called %(kind)s.") % {"kind": kind[:40]})
    return check(_Given(edit, rows, payload, voxels))


@dataclass(frozen=True)
class _Given:
    edit: Edit
    rows: Sequence[Row]
    payload: Mapping[str, Any]
    voxels: int

    def number(self, name: str) -> int:
        """A segment that is there."""
        value = self.payload.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(_("%(name)s is the number of a segment.") % {"name": name})
        if value not in {row["number"] for row in self.rows}:
            raise segment_gone(value)
        return value

    def spans(self) -> Spans:
        text = self.payload.get("spans")
        if not isinstance(text, str) or len(text) > MOST_TEXT:
            raise invalid(_("spans is base64 of runs, at most 4 MiB."))
        try:
            return spans_from_text(text, self.voxels)
        except (ValueError, binascii.Error) as error:
            raise invalid(_("The runs are not right: %(reason)s.") % {"reason": str(error)}) from None

    def over(self) -> tuple[int, ...] | None:
        return over_of(self.payload)


def over_of(payload: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Which labels may be overwritten; None: any. Raises LaminaError."""
    value = payload.get("over")
    if value is None:
        return None
    if not isinstance(value, list) or any(
        isinstance(one, bool) or not isinstance(one, int) or not 0 <= one <= MOST_SEGMENTS for one in value
    ):
        raise invalid(_("over is a list of labels from 0 to 255, or null."))
    return tuple(sorted(set(value)))


def _paint(given: _Given) -> Wanted:
    label, over, spans = given.number("label"), given.over(), given.spans()
    params = {"label": label, "over": over and list(over)}
    return Wanted(Step((Layer(label, spans, over),)), params, label)


def _erase(given: _Given) -> Wanted:
    over, spans = given.over(), given.spans()
    number = over[0] if over and len(over) == 1 and over[0] else None
    return Wanted(Step((Layer(0, spans, over),)), {"over": over and list(over)}, number)


def _add(given: _Given) -> Wanted:
    number = given.edit.last_number + 1
    if number > MOST_SEGMENTS or len(given.rows) >= MOST_SEGMENTS:
        message = _("A segmentation holds at most %(most)d segments.")
        raise LaminaError("too_many_segments", message % {"most": MOST_SEGMENTS}, 409)
    params: dict[str, Any] = {"number": number}
    for name in ("label", "colour", "category", "type"):
        params[name] = _FIELDS[name](given.payload.get(name))
    place = given.payload.get("place")
    if place is not None:
        if isinstance(place, bool) or not isinstance(place, int) or place < 0:
            raise invalid(_("place is a position in the list, from 0."))
        params["place"] = place
    return Wanted(params=params, number=number)


def _change(given: _Given) -> Wanted:
    number = given.number("number")
    changes = {name: _FIELDS[name](given.payload[name]) for name in _FIELDS if name in given.payload}
    if not changes:
        raise invalid(_("Say what shall change: label, colour, category or type."))
    return Wanted(params={"number": number, **changes}, number=number)


def _order(given: _Given) -> Wanted:
    numbers = given.payload.get("numbers")
    if not isinstance(numbers, list) or any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
        raise invalid(_("numbers is the list of segment numbers in their new order."))
    return Wanted(params={"numbers": list(dict.fromkeys(numbers))[:MOST_SEGMENTS]})


def _merge(given: _Given) -> Wanted:
    number, into = given.number("number"), given.number("into")
    if number == into:
        raise invalid(_("A segment cannot be merged into itself."))
    return Wanted(Step(mapping={number: into}), {"number": number, "into": into}, into)


def _remove(given: _Given) -> Wanted:
    number = given.number("number")
    return Wanted(Step(mapping={number: 0}), {"number": number}, number)


def _label(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 64:
        raise invalid(_("A segment has a name of 1 to 64 characters."))
    return value.strip()


def _colour(value: Any) -> str:
    if not isinstance(value, str) or not COLOUR.match(value):
        raise invalid(_("A colour is written #RRGGBB."))
    return value.upper()


def _code(value: Any) -> dict[str, str]:
    """A coded concept, DICOM PS3.3 section 8.8."""
    longest = {"value": 16, "scheme": 16, "meaning": 64}
    if not isinstance(value, dict) or set(value) != set(longest):
        raise invalid(_("A code has value, scheme and meaning."))
    if any(not isinstance(value[name], str) or not 1 <= len(value[name]) <= most for name, most in longest.items()):
        raise invalid(_("A code has a value and a scheme of up to 16 characters and a meaning of up to 64."))
    return {name: value[name] for name in longest}


_FIELDS: Mapping[str, Callable[[Any], Any]] = {"label": _label, "colour": _colour, "category": _code, "type": _code}
_CHECKS: Mapping[str, Callable[[_Given], Wanted]] = {
    "paint": _paint,
    "erase": _erase,
    "segment-add": _add,
    "segment-change": _change,
    "segment-order": _order,
    "segment-merge": _merge,
    "segment-remove": _remove,
}
KINDS = tuple(_CHECKS)
