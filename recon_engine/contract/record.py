"""What every record can do, how work is reported, and how it is refused."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

ENGINE_VERSION = "0.1.0"


class Record:
    """Base of all records: a dataclass that goes to JSON and comes back equal."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries and lists, ready for JSON."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True, allow_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a record. Raises ValueError naming an unknown or missing field."""
        hints = typing.get_type_hints(cls)
        known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = set(values) - set(known)
        if unknown:
            raise ValueError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
        try:
            return cls(**{name: _revive(hints[name], value) for name, value in values.items()})
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from None


def _revive(hint: Any, value: Any) -> Any:
    """Turn JSON lists back into tuples and dictionaries back into records, as the type hint says."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in arguments if a is not type(None)]
        return _revive(inner[0], value) if len(inner) == 1 else value
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_revive(arguments[0], v) for v in value)
        return tuple(_revive(a, v) for a, v in zip(arguments, value, strict=True))
    if isinstance(hint, type) and issubclass(hint, Record):
        return value if isinstance(value, hint) else hint.from_dict(value)
    return value


class EngineError(Exception):
    """A refusal or failure with a stable code, a sentence for people and facts for the log.

    `code` is one of PROMISES' reason codes or: not_found, out_of_memory, cancelled, bad_request, internal.
    `message` names the thing, the rule and the cure. It never holds patient data.
    """

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress(Record):
    """One step of a long verb."""

    phase: str  # "read" | "preprocess" | "locate" | "infer" | "postprocess" | "surface" | "write" | ...
    fraction: float  # 0 to 1 over the whole job
    detail: str = ""  # real work units, "tile 19 of 50"


OnProgress = Callable[[Progress], None]
"""Called at every real unit of work. It may raise EngineError("cancelled", ...) to stop the verb."""


def no_progress(progress: Progress) -> None:
    """For callers that do not watch."""
