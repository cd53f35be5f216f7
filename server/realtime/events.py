"""The event catalogue: every event is a frozen dataclass with a type, so an undeclared field fails where it is written.

    @dataclass(frozen=True, kw_only=True)
    class SeriesImported(Event):
        type: ClassVar[str] = "series.imported"
        series_id: UUID

Each app keeps its own in `<app>/events.py`. A payload holds ids, numbers, codes and pseudonyms; never what
identifies a patient. Fields are checked against their type hints when the event is published.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

_TYPE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*\Z")
_catalogue: dict[str, type[Event]] = {}


class Event:
    """Base of all events. `type` is `noun.past_tense` and unique."""

    type: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = cls.type
        if not _TYPE.match(name):
            raise TypeError(f"{cls.__name__}.type is {name!r}; an event type looks like 'reading.submitted'")
        known = _catalogue.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{name!r} is already the type of {known.__module__}.{known.__qualname__}")
        _catalogue[name] = cls

    def payload(self) -> dict[str, Any]:
        """The declared fields as JSON values. Raises TypeError naming a field whose value does not fit its hint."""
        hints = typing.get_type_hints(type(self))
        values = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if not _fits(hints[field.name], value):
                raise TypeError(f"{self.type}: {field.name} is {type(value).__name__}, declared {field.type}")
            values[field.name] = to_json_value(value)
        return values


def catalogue() -> Mapping[str, type[Event]]:
    """Every declared event by its type."""
    return types.MappingProxyType(_catalogue)


def to_json_value(value: Any) -> Any:
    """Ids and times become text, tuples become lists; anything JSON has no word for raises TypeError."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(name): to_json_value(item) for name, item in value.items()}
        case list() | tuple():
            return [to_json_value(item) for item in value]
    raise TypeError(f"an event cannot carry a {type(value).__name__}")


def _fits(hint: Any, value: Any) -> bool:
    """Outermost type only: what is inside a mapping or a list is checked by the contract tests of its maker."""
    if hint is Any:
        return True
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(part, value) for part in typing.get_args(hint))
    if origin is not None:
        return isinstance(value, origin)
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
