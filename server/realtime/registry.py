"""Which kinds of stream and room there are, who may see each, who may be in each. Unregistered kinds are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

MaySee = Callable[[Any, UUID], bool]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a room, as the others there may know them. `colour` is the place in the palette they like best."""

    name: str
    colour: int
    watches: bool  # may look only


@dataclass(frozen=True, slots=True)
class RoomKind:
    may_join: MaySee
    people: Callable[[UUID, Iterable[str]], Mapping[str, Person]]


_STREAM = re.compile(r"(?P<kind>[a-z]{1,20}):(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
_kinds: dict[str, MaySee] = {}
_rooms: dict[str, RoomKind] = {}


def register_stream(kind: str, *, may_see: MaySee) -> None:
    """Let streams `kind:<uuid>` exist. `may_see(user, id)` is the same rule as the HTTP resource's."""
    _kinds[kind] = may_see


def parse(stream: str) -> tuple[str, UUID] | None:
    """("study", id) of "study:<id>", None when the text is no stream of a registered kind."""
    match = _STREAM.match(stream)
    if match is None or match["kind"] not in _kinds:
        return None
    return match["kind"], UUID(match["id"])


def may_see(user: Any, stream: str) -> bool:
    """Asks the rule of the stream's kind. Nobody who is signed out sees anything."""
    parsed = parse(stream)
    if parsed is None or not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    kind, owner_id = parsed
    return bool(_kinds[kind](user, owner_id))


def register_room(
    kind: str, *, may_join: MaySee, people: Callable[[UUID, Iterable[str]], Mapping[str, Person]]
) -> None:
    """Let rooms `kind:<uuid>` exist. `people(id, user ids)` names those who may be shown there; others are not."""
    _rooms[kind] = RoomKind(may_join, people)


def _room(room: str) -> tuple[RoomKind, UUID] | None:
    match = _STREAM.match(room)
    return (_rooms[match["kind"]], UUID(match["id"])) if match is not None and match["kind"] in _rooms else None


def may_join(user: Any, room: str) -> bool:
    """May this person be shown in the room, and see the others there?"""
    found = _room(room)
    if found is None or not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    kind, owner_id = found
    return bool(kind.may_join(user, owner_id))


def people_in(room: str, user_ids: Iterable[str]) -> Mapping[str, Person]:
    """By user id; who may not be shown is left out."""
    found = _room(room)
    return found[0].people(found[1], user_ids) if found else {}
