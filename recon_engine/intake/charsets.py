"""Text of a header in its own character set (DICOM PS3.3 C.12.1.1.2), for the few lines people see."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from recon_engine.intake import tags
from recon_engine.intake.header import Header
from recon_engine.intake.reasons import Issue

_ASCII = frozenset(("", "ISO_IR 6", "ISO 2022 IR 6"))


@dataclass(frozen=True)
class SeriesText:
    series: str
    study: str


def series_text(header: Header, issues: list[Issue]) -> SeriesText:
    """Series and study description as text without control characters; charset_replaced where bytes did not fit."""
    codes = header.text(tags.CHARACTER_SET)
    for tag in (tags.PATIENT_NAME, tags.SERIES_DESCRIPTION, tags.STUDY_DESCRIPTION):
        if not fits(header.values.get(tag, b""), codes):
            issues.append(Issue("charset_replaced"))
            break
    return SeriesText(
        shown(decode(header.values.get(tags.SERIES_DESCRIPTION, b""), codes)),
        shown(decode(header.values.get(tags.STUDY_DESCRIPTION, b""), codes)),
    )


def shown(value: str) -> str:
    """Printable, at most 64 characters: the longest a description may be."""
    return "".join(c for c in value if c.isprintable()).strip()[:64]


def fits(raw: bytes, codes: str) -> bool:
    try:
        _decode(raw, codes, "strict")
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def decode(raw: bytes, codes: str) -> str:
    """Never fails: what does not fit becomes the replacement character."""
    try:
        return _decode(raw, codes, "replace")
    except (UnicodeDecodeError, LookupError):
        return raw.decode("latin-1")


def _decode(raw: bytes, codes: str, errors: str) -> str:
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    if codes in _ASCII:
        return raw.decode("ascii", errors)
    from pydicom import charset

    if any(code.strip() not in charset.python_encoding for code in codes.split("\\")):
        if errors == "strict":
            raise LookupError("the header names an unknown character set")
        return raw.decode("ascii", errors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encodings = charset.convert_encodings([code.strip() for code in codes.split("\\")])
    if b"\x1b" not in raw:
        return raw.decode(encodings[0], errors)
    if errors == "strict":
        for encoding in encodings:
            if encoding.startswith("iso2022") or encoding in ("gb18030", "euc_kr"):
                return charset.decode_bytes(raw, encodings, set())
        raise LookupError("escape sequences without a code extension")
    return charset.decode_bytes(raw, encodings, set())
