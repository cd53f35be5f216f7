"""Which kinds of stream there are and who may see each. A kind nobody registered is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

MaySee = Callable[[Any, UUID], bool]
_STREAM = re.compile(r"(?P<kind>[a-z]{1,20}):(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
_kinds: dict[str, MaySee] = {}


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
