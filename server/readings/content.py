"""What an annotation may hold. Everything that comes from a browser passes here before it becomes a row."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.readings import geometry
from server.readings.codes import code_in
from server.readings.models import Kind, LesionRole
from server.studies.models import Series

FIELDS = (
    "points", "plane_normal", "value", "unit", "statistics", "colour", "finding", "finding_site", "laterality",
    "lesion_role",
)  # fmt: skip
GEOMETRY = frozenset({"points", "plane_normal", "value", "unit", "statistics"})
CODED = ("finding", "finding_site", "laterality")
NAME_LENGTH = 200
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\Z")
STATISTICS = ("mean", "sd", "min", "max")

# Points travel as decimals; a browser rounds where Python does not.
LENGTH_SLACK = 0.01  # mm, and the same share of the value
PLANE_SLACK = 0.5  # mm
EDGE_SLACK = 1.0  # voxels


def _wrong(field: str, message: str) -> LaminaError:
    return LaminaError("invalid_annotation", message, 422, field=field)


def _number(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(field, _("%(field)s must be a number.") % {"field": field})
    return float(value)


def _vector(field: str, value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) != 3:
        raise _wrong(field, _("%(field)s must hold three numbers.") % {"field": field})
    return [_number(field, part) for part in value]


def checked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Each given field in its form. Raises LaminaError naming the first that does not fit; unknown ones are refused."""
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise _wrong(unknown[0], _("An annotation has no field %(field)s.") % {"field": unknown[0]})
    checked: dict[str, Any] = {}
    for field, value in values.items():
        match field:
            case "points":
                if not isinstance(value, list) or not value or len(value) > 4000:
                    raise _wrong(field, _("points must be a list of places."))
                checked[field] = [_vector(field, point) for point in value]
            case "plane_normal":
                checked[field] = None if value is None else _unit_vector(field, value)
            case "value":
                checked[field] = None if value is None else _number(field, value)
            case "unit":
                if value not in {"", "mm", "mm2", "deg"}:
                    raise _wrong(field, _("unit is mm, mm2 or deg."))
                checked[field] = value
            case "statistics":
                checked[field] = None if value is None else _statistics(value)
            case "colour":
                if not isinstance(value, str) or not COLOUR.match(value):
                    raise _wrong(field, _("colour looks like #FEEE3E."))
                checked[field] = value.upper()
            case "lesion_role":
                if value != "" and value not in LesionRole.values:
                    raise _wrong(field, _("lesion_role is target, node, new, gone or small."))
                checked[field] = value
            case _:
                checked[field] = None if value is None else _coded(field, value)
    return checked


def _unit_vector(field: str, value: Any) -> list[float]:
    vector = _vector(field, value)
    if abs(geometry.size(vector) - 1) > 1e-3:
        raise _wrong(field, _("plane_normal must have length 1."))
    return vector


def _statistics(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {*STATISTICS, "count", "unit"}:
        raise _wrong("statistics", _("statistics hold mean, sd, min, max, count and unit."))
    numbers = {name: _number("statistics", value[name]) for name in STATISTICS}
    count = value["count"]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise _wrong("statistics", _("statistics count at least one voxel."))
    slack = 1e-6 * max(1.0, abs(numbers["min"]), abs(numbers["max"]))
    spread = numbers["max"] - numbers["min"]
    if not (numbers["min"] - slack <= numbers["mean"] <= numbers["max"] + slack) or not (
        -slack <= numbers["sd"] <= spread + slack
    ):
        raise _wrong("statistics", _("The mean must lie between minimum and maximum, the deviation within their span."))
    if not isinstance(value["unit"], str) or len(value["unit"]) > 16:
        raise _wrong("statistics", _("statistics name the unit of the voxels."))
    return {**numbers, "count": count, "unit": value["unit"]}


def _coded(field: str, value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        entry = code_in(field, str(value.get("value", "")), str(value.get("scheme", "")))
        if entry is not None:
            return dict(entry)
    raise _wrong(field, _("%(field)s must be one of the coded list.") % {"field": field})


def checked_name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > NAME_LENGTH:
        raise _wrong("name", _("A name has at most %(count)s characters.") % {"count": NAME_LENGTH})
    return " ".join(value.split())


def check_role(kind: str, role: str) -> None:
    """A target is measured as a length; what is gone or too small to measure has none. Raises LaminaError."""
    measured = role in (LesionRole.TARGET, LesionRole.NODE)
    if measured and kind != Kind.LENGTH:
        raise _wrong("lesion_role", _("A target lesion is measured with a length."))
    if role in (LesionRole.GONE, LesionRole.SMALL) and kind not in (Kind.POINT, Kind.PROBE, Kind.ARROW, Kind.TEXT):
        raise _wrong("lesion_role", _("What is gone or too small to measure is marked with a point."))


def check_whole(kind: str, values: Mapping[str, Any], series: Series) -> None:
    """Do points, plane, value and unit agree with each other and with the series? Raises LaminaError where not."""
    if kind not in Kind.values:
        raise _wrong("kind", _("There is no annotation of this kind."))
    points = values["points"]
    fewest, most = geometry.COUNTS[kind]
    if not fewest <= len(points) <= most:
        raise _wrong("points", _("This kind of annotation has another number of points."))
    if series.volume is None:
        raise _wrong("series", _("Only a series with a volume can be measured."))
    if geometry.outside(points, series.volume["shape"], series.volume["affine"]) > EDGE_SLACK:
        raise _wrong("points", _("A point lies outside the images of this series."))
    normal = values.get("plane_normal")
    if kind in geometry.REGIONS and normal is None:
        raise _wrong("plane_normal", _("A region lies in a plane; its normal is missing."))
    if normal is not None and geometry.out_of_plane(points, normal) > PLANE_SLACK:
        raise _wrong("points", _("The points do not lie in their plane."))
    _check_value(kind, values, series)


def _check_value(kind: str, values: Mapping[str, Any], series: Series) -> None:
    value, unit = values.get("value"), values.get("unit", "")
    wanted = geometry.UNITS.get(kind, "")
    if value is None:
        if unit:
            raise _wrong("unit", _("A unit needs a value."))
        if wanted and series.spacing_mm is not None:
            raise _wrong("value", _("The measured value is missing."))
        return
    if series.spacing_mm is None:
        raise _wrong("value", _("The spacing of this series is unknown: there are no millimetres to measure in."))
    if unit != wanted or not wanted:
        raise _wrong("unit", _("The unit does not fit this kind of annotation."))
    truth = geometry.measured(kind, values["points"])
    if truth is None or abs(value - truth) > LENGTH_SLACK + 1e-4 * abs(truth):
        message = _("The value %(value)s does not agree with its points: they give %(truth)s.")
        shown = {"value": f"{value:.2f}", "truth": f"{truth or 0:.2f}"}
        raise _wrong("value", message % shown)
