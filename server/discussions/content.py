"""What a thread may hold. Everything that comes from a browser passes here before it becomes a row."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from django.utils.translation import gettext as _

from server.core.errors import LaminaError

TEXT_LENGTH = 4000
VIEW_LENGTH = 4000
MOST_LINES = 200
FARTHEST_MM = 100_000.0  # nothing that is scanned is a hundred metres away
# The fragment as state/address.js writes it: keys, numbers, words. No "<", no quote, no scheme.
_VIEW = re.compile(r"v=1(?:&[a-z0-9]+=[\w.,:;!~*'()+|@ %/#-]*)*\Z", re.ASCII)


def checked_text(text: str) -> str:
    """Plain text as it is kept: one kind of line end, no control characters. Raises LaminaError."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(one for one in plain if one == "\n" or unicodedata.category(one) not in {"Cc", "Cs"})
    # Characters that turn the reading direction of what follows can make a link look like another one.
    plain = re.sub("[\u202a-\u202e\u2066-\u2069]", "", plain).strip()
    if not plain:
        raise LaminaError("empty_comment", _("Write something first."), 422, field="text")
    if len(plain) > TEXT_LENGTH or plain.count("\n") > MOST_LINES:
        message = _("A comment holds up to %(most)d characters.") % {"most": TEXT_LENGTH}
        raise LaminaError("comment_too_long", message, 422, field="text", most=TEXT_LENGTH)
    return plain


def checked_point(field: str, point: Any) -> list[float]:
    """Three finite numbers, LPS mm, rounded to a thousandth. Raises LaminaError."""
    good = isinstance(point, list) and len(point) == 3
    if good:
        good = all(
            isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) and abs(one) < FARTHEST_MM
            for one in point
        )
    if not good:
        message = _("%(field)s must hold three numbers, in millimetres.") % {"field": field}
        raise LaminaError("invalid_thread", message, 422, field=field)
    return [round(float(one), 3) for one in point]


def checked_view(view: str) -> str:
    """The fragment of an address, without "#". What does not look like one is left out: the point is enough."""
    return view if len(view) <= VIEW_LENGTH and _VIEW.match(view) else ""
