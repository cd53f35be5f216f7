"""Rooms: who is here now, where they point, what they look at. Nothing of it is stored or numbered.

What the browser says goes to the room's group in Redis as ids and numbers; names are added by the process that holds
the receiving socket. Everything here may be lost: a newer word replaces an older one, a member who is not heard of for
a while is gone. The right to be here is asked at every batch, of who speaks and of who listens.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from server.realtime import bells, registry, said
from server.realtime.pace import Bucket

if TYPE_CHECKING:
    from server.realtime.consumers import LiveConsumer

COLOURS = 6
ROOMS_PER_SOCKET = 2
GUESTS_PER_ROOM = 64
FRAMES_PER_SECOND = 20
OVER_THE_TOP = 200  # dropped frames before a socket that never slows down is closed
BATCH_SECONDS = 1 / FRAMES_PER_SECOND
ASK_AGAIN_SECONDS = 0.25  # one person moving in one room costs at most four questions a second
SILENT_ROUNDS = 3


class TooFast(Exception):
    """A browser that says far more than it may."""


@dataclass
class Guest:
    """One socket in a room."""

    member: str
    user: str
    colour: int
    since: float  # s since 1970: who came first keeps the colour
    follows: str | None = None
    heard: int = 0  # the last round in which there was a word of it

    @property
    def rank(self) -> tuple[float, str]:
        return self.since, self.member


@dataclass
class Room:
    """A room as one socket knows it."""

    name: str
    me: Guest
    own: dict[str, Any] = field(default_factory=dict)  # the newest own words, for who comes later
    guests: dict[str, Guest] = field(default_factory=dict)
    people: dict[str, registry.Person] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)  # by member, not yet sent to the browser
    changed: bool = True  # the list of who is here
    round: int = 0

    @property
    def group(self) -> str:
        return bells.room_group(self.name)


class Rights:
    """The answers of `registry.may_join`, kept for a moment and shared by the sockets of an event loop."""

    def __init__(self) -> None:
        self._answers: dict[tuple[Any, str], tuple[float, asyncio.Future[bool]]] = {}

    async def ask(self, user: Any, room: str, *, anew: bool = False) -> bool:
        now = time.monotonic()
        key = (user.pk, room)
        kept = self._answers.get(key)
        if kept is None or anew or now - kept[0] > ASK_AGAIN_SECONDS:
            self._forget(now)
            asked = asyncio.ensure_future(database_sync_to_async(registry.may_join)(user, room))
            self._answers[key] = kept = (now, asked)
        return await asyncio.shield(kept[1])

    def _forget(self, now: float) -> None:
        for key in [key for key, (at, _) in self._answers.items() if now - at > ASK_AGAIN_SECONDS]:
            del self._answers[key]


class Rooms:
    """What one socket has to do with rooms. The consumer hands frames and messages in and sends what `batch` gives."""

    def __init__(self, socket: LiveConsumer, rights: Rights) -> None:
        self.socket = socket
        self.rights = rights
        self.joined: dict[str, Room] = {}
        self.pace = Bucket(FRAMES_PER_SECOND, FRAMES_PER_SECOND)
        self.patience = Bucket(OVER_THE_TOP, FRAMES_PER_SECOND / 2)
        self.sent_at = 0.0
        self.later: asyncio.TimerHandle | None = None

    # --- what the browser says --------------------------------------------------------------------------------------

    def _in_time(self) -> bool:
        """Raises TooFast for who goes on and on above the pace."""
        if self.pace.take():
            return True
        if not self.patience.take():
            raise TooFast
        return False

    async def join(self, name: Any) -> None:
        if not isinstance(name, str):
            raise TypeError
        if not self._in_time():
            return
        await self.leave(name)
        if len(self.joined) >= ROOMS_PER_SOCKET or not await self.rights.ask(self.socket.user, name, anew=True):
            self.socket.answer({"shut": name})
            return
        user = str(self.socket.user.pk)
        people = await database_sync_to_async(registry.people_in)(name, [user])
        if user not in people:
            self.socket.answer({"shut": name})
            return
        me = Guest(secrets.token_hex(8), user, people[user].colour, time.time())
        room = self.joined[name] = Room(name, me, people=dict(people))
        await self._group("group_add", room)
        await self._tell(room, "hello", reply=self.socket.channel_name)
        self.socket.wake.set()

    async def leave(self, name: Any) -> None:
        room = self.joined.pop(name, None) if isinstance(name, str) else None
        if room is None:
            return
        await self._tell(room, "bye")
        await self._group("group_discard", room)

    async def here(self, value: Any) -> None:
        """{"room": name, cursor?, stroke?, view?, follow?}"""
        if not isinstance(value, dict):
            raise TypeError
        if not self._in_time():
            return
        name = value.pop("room")
        words = said.cleaned(value)
        room = self.joined.get(name)
        if room is None or not await self._still(room):
            return
        if "follow" in words:
            room.me.follows = words.pop("follow")
            room.changed = True
        room.own.update(words)
        await self._tell(room, "here", said=words)

    # --- what the others say ----------------------------------------------------------------------------------------

    async def hear(self, message: dict[str, Any]) -> None:
        """Keep it short: while one word is worked off, the socket's other messages wait."""
        room = self.joined.get(message["room"])
        if room is None or message["member"] == room.me.member:
            return
        member = message["member"]
        if message["kind"] == "bye":
            self._gone(room, member)
            return
        guest = Guest(member, message["user"], message["colour"], message["since"], message["follows"], room.round)
        before = room.guests.get(member)
        if before is None and len(room.guests) >= GUESTS_PER_ROOM:
            return
        room.guests[member] = guest
        if before is None or (before.colour, before.follows) != (guest.colour, guest.follows):
            room.changed = True
        words = {name: part for name, part in message["said"].items() if name != "view" or room.me.follows == member}
        if words:
            room.waiting[member] = {**room.waiting.get(member, {}), **words}
        moved = self._give_way(room, guest)
        if message["kind"] == "hello":
            await self._tell(room, "here", to=message["reply"], said=room.own)
        if moved:
            await self._tell(room, "here")
        if room.changed or room.waiting:
            self.socket.wake.set()

    def _gone(self, room: Room, member: str) -> None:
        room.waiting.pop(member, None)
        if room.guests.pop(member, None) is None:
            return
        if room.me.follows == member:
            room.me.follows = None
        room.changed = True
        self.socket.wake.set()

    def _give_way(self, room: Room, guest: Guest) -> bool:
        """Two people never have one colour as long as there are enough; two tabs of one person always do."""
        me = room.me
        if guest.rank > me.rank:
            return False
        if guest.user == me.user:
            wanted = guest.colour
        elif guest.colour == me.colour:
            taken = {one.colour for one in room.guests.values() if one.user != me.user}
            free = [(me.colour + step) % COLOURS for step in range(1, COLOURS)]
            wanted = next((colour for colour in free if colour not in taken), me.colour)
        else:
            return False
        if wanted == me.colour:
            return False
        me.colour = wanted
        room.changed = True
        return True

    # --- rounds and rights ------------------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Once a round: say that we are here, and let go of who was silent for long."""
        for room in list(self.joined.values()):
            if not await self._still(room):
                continue
            room.round += 1
            for member in [one.member for one in room.guests.values() if room.round - one.heard > SILENT_ROUNDS]:
                self._gone(room, member)
            await self._tell(room, "here")

    async def recheck(self, name: str | None = None) -> None:
        """Rights may have changed: in one room, or in all; then names may have, too."""
        for room in list(self.joined.values()):
            if name is None or room.name == name:
                await self._still(room, anew=True)
                if name is None:
                    room.people = {}
                    room.changed = True
        self.socket.wake.set()

    async def _still(self, room: Room, *, anew: bool = False) -> bool:
        """May this socket still be here? If not it leaves, and hears what everybody hears who never was inside."""
        if await self.rights.ask(self.socket.user, room.name, anew=anew):
            return self.joined.get(room.name) is room
        if self.joined.get(room.name) is room:
            await self.leave(room.name)
            self.socket.answer({"shut": room.name})
        return False

    async def close(self) -> None:
        if self.later is not None:
            self.later.cancel()
        for name in list(self.joined):
            await self.leave(name)

    # --- what is sent -----------------------------------------------------------------------------------------------

    async def batch(self) -> list[dict[str, Any]]:
        """What the browser does not know yet, at most 20 times a second; the newest word of each member only."""
        if not any(room.changed or room.waiting for room in self.joined.values()):
            return []
        now = time.monotonic()
        if (early := self.sent_at + BATCH_SECONDS - now) > 0:
            if self.later is None:
                self.later = asyncio.get_running_loop().call_later(early, self._wake)
            return []
        self.sent_at = now
        frames: list[dict[str, Any]] = []
        for room in list(self.joined.values()):
            if not (room.changed or room.waiting) or not await self._still(room):
                continue
            if room.changed:
                room.changed = False
                frames.append({"room": await self._roster(room)})
            words = {member: one for member, one in room.waiting.items() if self._shown(room, member)}
            room.waiting.clear()
            if words:
                frames.append({"here": {"room": room.name, "said": words}})
        return frames

    def _wake(self) -> None:
        self.later = None
        self.socket.wake.set()

    def _shown(self, room: Room, member: str) -> bool:
        guest = room.guests.get(member)
        return guest is not None and guest.user in room.people

    async def _roster(self, room: Room) -> dict[str, Any]:
        guests = [room.me, *room.guests.values()]
        unknown = {guest.user for guest in guests} - room.people.keys()
        if unknown:
            room.people.update(await database_sync_to_async(registry.people_in)(room.name, unknown))
        rows = [
            {
                "member": guest.member,
                "id": guest.user,
                "name": person.name,
                "colour": guest.colour,
                "watches": person.watches,
                "since": guest.since,
                "follows": guest.follows,
            }
            for guest in sorted(guests, key=lambda one: one.rank)
            if (person := room.people.get(guest.user)) is not None
        ]
        return {"name": room.name, "me": room.me.member, "people": rows}

    # --- through Redis ----------------------------------------------------------------------------------------------

    async def _tell(self, room: Room, kind: str, *, to: str | None = None, **more: Any) -> None:
        me = room.me
        message = {
            "type": "room.word",
            "room": room.name,
            "kind": kind,
            "member": me.member,
            "user": me.user,
            "colour": me.colour,
            "since": me.since,
            "follows": me.follows,
            "said": {},
            **more,
        }
        layer = self.socket.channel_layer
        try:
            await (layer.send(to, message) if to else layer.group_send(room.group, message))
        except Exception as error:  # whatever the client library raises: a word may be lost
            bells.complain(error)

    async def _group(self, act: str, room: Room) -> None:
        try:
            await getattr(self.socket.channel_layer, act)(room.group, self.socket.channel_name)
        except Exception as error:
            bells.complain(error)
