"""Checking what a form sends against the parameters an algorithm describes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from server.algorithms.models import AlgorithmVersion
from server.core.errors import LaminaError


def checked_parameters(version: AlgorithmVersion, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of the algorithm with the given value or its default.

    Raises LaminaError with `fields`: parameter name -> sentence, for unknown names and values that do not fit.
    """
    described = {parameter["name"]: parameter for parameter in version.description["parameters"]}
    wrong: dict[str, str] = {}
    for name in given:
        if name not in described:
            known = ", ".join(described) or _("none")
            wrong[name[:60]] = _("The algorithm has no such parameter. It has: %(known)s.") % {"known": known}
    values = {name: parameter["default"] for name, parameter in described.items()}
    for name, parameter in described.items():
        if name in given:
            try:
                values[name] = _checked(parameter, given[name])
            except ValueError as error:
                wrong[name] = str(error)
    if wrong:
        message = " ".join(f"{name}: {sentence}" for name, sentence in wrong.items())
        raise LaminaError("invalid_parameters", message, 422, fields=wrong)
    return values


def _checked(parameter: Mapping[str, Any], value: Any) -> Any:
    match parameter["kind"]:
        case "boolean":
            if not isinstance(value, bool):
                raise ValueError(_("Answer yes or no."))
        case "choice":
            if value not in parameter["choices"]:
                raise ValueError(_("Choose one of: %(known)s.") % {"known": ", ".join(parameter["choices"])})
        case "integer":
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(_("Give a whole number."))
            _check_range(parameter, value)
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(_("Give a number."))
            _check_range(parameter, value)
    return value


def _check_range(parameter: Mapping[str, Any], value: float) -> None:
    low, high = parameter["minimum"], parameter["maximum"]
    if (low is not None and value < low) or (high is not None and value > high):
        unit = f" {parameter['unit']}" if parameter["unit"] else ""
        if low is not None and high is not None:
            raise ValueError(
                _("Give a value from %(low)g to %(high)g%(unit)s.") % {"low": low, "high": high, "unit": unit}
            )
        if low is not None:
            raise ValueError(_("Give at least %(low)g%(unit)s.") % {"low": low, "unit": unit})
        raise ValueError(_("Give at most %(high)g%(unit)s.") % {"high": high, "unit": unit})
