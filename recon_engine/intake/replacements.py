"""What stands in for an identifier: keyed UIDs, shifted dates, a pseudonym."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date as calendar_date
from datetime import timedelta

STANDARD_PREFIX = "1.2.840.10008."  # the standard's own UIDs name no person and keep their meaning
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")


@dataclass(frozen=True)
class Replacements:
    """Everything a person's identifiers are exchanged for. The same key gives the same UIDs, in every series."""

    pseudonym: str
    uid_key: bytes
    date_shift_days: int

    def uid(self, value: str) -> str:
        """HMAC-SHA256 of a UID, 122 bits of it as a UUID-derived UID (DICOM PS3.5 annex B.2); at most 44 characters."""
        if value.startswith(STANDARD_PREFIX):
            return value
        digest = hmac.new(self.uid_key, value.encode("utf-8", "replace"), hashlib.sha256).digest()
        number = int.from_bytes(digest[:16], "big")
        number = (number & ~(0xF << 76)) | (8 << 76)  # version 8: made by an application's own rule (RFC 9562)
        number = (number & ~(0x3 << 62)) | (2 << 62)
        return f"2.25.{number}"

    def date(self, value: str) -> str:
        """A DICOM date moved by the patient's days; "" for what is no date."""
        match = _DATE.fullmatch(value.strip())
        moved = self._moved(match)
        return moved.strftime("%Y%m%d") if moved is not None else ""

    def moment(self, value: str) -> str:
        """A DICOM date and time: the date moves, the time of day stays; "" for what is none."""
        stripped = value.strip()
        moved = self._moved(_DATE.match(stripped))
        rest = stripped[8:]
        if moved is None or not re.fullmatch(r"(\d{2,6}(\.\d{1,6})?)?([+-]\d{4})?", rest):
            return ""
        return moved.strftime("%Y%m%d") + rest

    def _moved(self, match: re.Match[str] | None) -> calendar_date | None:
        if match is None:
            return None
        try:
            return calendar_date(*(int(part) for part in match.groups())) + timedelta(days=self.date_shift_days)
        except (ValueError, OverflowError):
            return None


def iso(value: str) -> str:
    """20190823 -> 2019-08-23, as the pages show it; other text stays."""
    return f"{value[:4]}-{value[4:6]}-{value[6:8]}" if re.fullmatch(r"\d{8}", value) else value
