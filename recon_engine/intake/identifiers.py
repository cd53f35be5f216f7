"""Replace what identifies a person in a DICOM header, and say so tag by tag.

Names and ids become the pseudonym, UIDs are exchanged by keyed HMAC, dates move by the patient's own days, free text
is cut to known words, and everything that keeplist.py does not name is removed: addresses, institutions, physicians,
comments, private elements, overlays, icons, signatures. Pixel data is not touched.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from recon_engine.contract import TagChange
from recon_engine.intake import keeplist
from recon_engine.intake.descriptors import cleaned
from recon_engine.intake.replacements import Replacements, iso

CHARACTER_SET, UTF_8 = 0x00080005, "ISO_IR 192"
METHOD = "Lamina: direct identifiers replaced"
_CODE_STRING = re.compile(r"[A-Z0-9_ /.,+\-]{0,16}")
_TIME = re.compile(r"\d{2,6}(\.\d{1,6})?")
_AGE = re.compile(r"\d{3}[DWMY]")
_SHORT_CODE = re.compile(r"[A-Za-z0-9.\-_]{1,16}")
_ZONE = re.compile(r"[+-]\d{4}")
_NUMBER = re.compile(r"[ +\-0-9.eE]*")
_IDENTIFYING = (0x00100010, 0x00100020, 0x00101000, 0x00101001, 0x00101005, 0x00101060, 0x00080050, 0x00080090)
_WORDS_OF_TYPE = frozenset(("M", "F", "O", "CT", "MR", "PT", "HEAD"))


@dataclass(frozen=True)
class Outcome:
    """What became of one element: None as `value` removes it."""

    value: Any
    action: str  # "kept" | "replaced" | "removed" | "shifted"


def pieces_of_identity(dataset: Any) -> frozenset[str]:
    """Lower-case pieces (3 characters and more) of this patient's names and numbers, to keep them out of kept text."""
    found: set[str] = set()
    for tag in _IDENTIFYING:
        # a value pydicom cannot read is removed anyway, and is no text to look for
        value = str(_value_of(dataset, tag) or "") if tag in dataset else ""
        found.update(part.lower() for part in re.split(r"[^\w]+|_", value) if len(part) >= 3)
    return frozenset(found)


def clean_dataset(dataset: Any, replace: Replacements, forbidden: Collection[str] | None = None) -> Any:
    """A new pydicom Dataset with only what may stay; the given one is not changed."""
    import pydicom

    pieces = pieces_of_identity(dataset) if forbidden is None else forbidden
    result = pydicom.Dataset()
    for tag in dataset.keys():  # noqa: SIM118 - iterating values would convert elements that are removed unread
        outcome = _outcome(dataset, int(tag), replace, pieces)
        if outcome.value is None:
            continue
        vr = _vr_of(dataset, tag)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result.add_new(tag, vr, outcome.value)
    if "CodeMeaning" in result and not result.CodeMeaning and result.get("CodeValue"):
        result.CodeMeaning = result.CodeValue  # type 1: its words fell out, so the code stands in
    return result


def mark_as_cleaned(dataset: Any, replace: Replacements) -> None:
    """Patient module and the attributes that say what was done (PS3.3 C.7.1.1, C.12.1)."""
    dataset.SpecificCharacterSet = UTF_8
    dataset.PatientName = dataset.PatientID = replace.pseudonym
    for keyword in ("PatientBirthDate", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        setattr(dataset, keyword, "")
    if "PatientSex" not in dataset:
        dataset.PatientSex = ""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"


def changes_of(dataset: Any, replace: Replacements) -> tuple[TagChange, ...]:
    """One row per top-level attribute, kept ones too; a private group is one row. `before` identifies people."""
    pieces = pieces_of_identity(dataset)
    rows: list[TagChange] = []
    private: dict[int, int] = {}
    for tag in sorted(dataset.keys()):
        group = int(tag) >> 16
        if group % 2:
            private[group] = private.get(group, 0) + 1
            continue
        if int(tag) & 0xFFFF == 0:
            continue
        outcome = _outcome(dataset, int(tag), replace, pieces)
        rows.append(_row(dataset, int(tag), outcome))
    for group, count in sorted(private.items()):
        rows.append(
            TagChange(
                tag=f"({group:04X},xxxx)",
                keyword="",
                name=f"Private group {group:04X}",
                before=f"vendor data, {count} element{'s' if count > 1 else ''}",
                after="",
                action="removed",
            )
        )
    return tuple(rows)


def without_before(rows: tuple[TagChange, ...]) -> tuple[TagChange, ...]:
    """The same table without the values that identified somebody."""
    return tuple(
        row
        if row.action == "kept"
        else TagChange(tag=row.tag, keyword=row.keyword, name=row.name, before="", after=row.after, action=row.action)
        for row in rows
    )


def _row(dataset: Any, tag: int, outcome: Outcome) -> TagChange:
    from pydicom import datadict

    keyword = datadict.keyword_for_tag(tag)
    name = (
        datadict.dictionary_description(tag)
        if datadict.dictionary_has_tag(tag)
        else f"Tag ({tag >> 16:04X},{tag & 0xFFFF:04X})"
    )
    vr = _vr_of(dataset, tag)
    return TagChange(
        tag=f"({tag >> 16:04X},{tag & 0xFFFF:04X})",
        keyword=keyword,
        name=name,
        before=_shown(_value_of(dataset, tag), vr),
        after="" if outcome.value is None else _shown(outcome.value, vr),
        action=outcome.action,
    )


def _shown(value: Any, vr: str) -> str:
    if value is None:
        return ""
    if vr == "SQ":
        return f"{len(value)} item{'' if len(value) == 1 else 's'}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if vr == "DA":
        return iso(str(value))
    text = "\\".join(str(v) for v in value) if isinstance(value, (list, tuple)) or _is_multi(value) else str(value)
    return "".join(c if c.isprintable() else " " for c in text)[:200]


def _is_multi(value: Any) -> bool:
    return type(value).__name__ == "MultiValue"


def _vr_of(dataset: Any, tag: Any) -> str:
    try:
        return str(dataset[tag].VR)
    except Exception:
        return "UN"


def _value_of(dataset: Any, tag: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dataset[tag].value
    except Exception:
        return None


def _outcome(dataset: Any, tag: int, replace: Replacements, pieces: Collection[str]) -> Outcome:
    """The decision for one element."""
    if tag == CHARACTER_SET:  # what stays is written in UTF-8, whatever the header claimed
        return Outcome(UTF_8, "kept" if _value_of(dataset, tag) == UTF_8 else "replaced")
    if tag in keeplist.PSEUDONYM:
        return Outcome(replace.pseudonym, "replaced")
    if tag in keeplist.EMPTIED:
        return Outcome("", "removed")
    if not keeplist.is_kept(tag) or tag & 0xFFFF == 0:
        return Outcome(None, "removed")
    vr, value = _vr_of(dataset, tag), _value_of(dataset, tag)
    if value is None and vr != "SQ":
        return (
            Outcome("", "kept")
            if vr not in ("UN", "OB", "OW") and _is_readable(dataset, tag)
            else Outcome(None, "removed")
        )
    if vr == "SQ":
        items = [clean_dataset(item, replace, pieces) for item in value]
        return Outcome(items, "kept")
    if vr == "UI":
        return _each(value, replace.uid, "replaced")
    if vr == "DA":
        return _each(value, replace.date, "shifted")
    if vr == "DT":
        return _each(value, replace.moment, "shifted")
    return _plain(tag, vr, value, pieces)


def _is_readable(dataset: Any, tag: int) -> bool:
    try:
        _ = dataset[tag].value
    except Exception:
        return False
    return True


def _plain(tag: int, vr: str, value: Any, pieces: Collection[str]) -> Outcome:
    """Numbers, codes and the little text that may stay."""
    if vr in keeplist.NUMERIC:
        parts = value if _is_multi(value) or isinstance(value, (list, tuple)) else [value]
        numeric = all(not isinstance(p, str) or (_NUMBER.fullmatch(p) is not None) for p in parts)
        return Outcome(value, "kept") if numeric else Outcome(None, "removed")
    if tag in keeplist.BULK_KEPT:
        return Outcome(value, "kept")
    texts = [str(v) for v in value] if _is_multi(value) or isinstance(value, (list, tuple)) else [str(value)]
    if tag in keeplist.DESCRIPTIONS:
        kept = [cleaned(text, pieces) for text in texts]
        same = kept == texts
        return Outcome(kept if len(kept) > 1 else kept[0], "kept" if same else "replaced")
    if tag in keeplist.DEVICE_TEXT:
        harmless = not any(names_somebody(text, pieces) for text in texts) and all(len(t) <= 64 for t in texts)
        return Outcome(value, "kept") if harmless else Outcome("", "removed")
    pattern = {
        "CS": _CODE_STRING,
        "TM": _TIME,
        "AS": _AGE,
    }.get(vr) or (_SHORT_CODE if tag in keeplist.CODE_TEXT else _ZONE if tag == 0x00080201 else None)
    if pattern is None:
        return Outcome(None, "removed")
    if all(not t.strip() or pattern.fullmatch(t.strip()) for t in texts) and not (
        vr == "CS" and any(names_somebody(text, pieces) for text in texts)
    ):
        return Outcome(value, "kept")
    return Outcome("", "removed") if vr in ("CS", "TM", "AS") else Outcome(None, "removed")


def names_somebody(text: str, pieces: Collection[str]) -> bool:
    """True where a word of the text is a piece of this patient's identifiers."""
    return any(
        word.lower() in pieces and word.upper() not in _WORDS_OF_TYPE for word in re.split(r"[^\w]+|_", text) if word
    )


def _each(value: Any, change: Any, action: str) -> Outcome:
    """Apply to every value; values that are nothing any more fall out. Unchanged text counts as kept."""
    before = [str(v) for v in value] if _is_multi(value) or isinstance(value, (list, tuple)) else [str(value)]
    after = [change(text) if text else "" for text in before]
    if after == before:
        return Outcome(value, "kept")
    if not any(after):
        return Outcome("", "removed")
    return Outcome(after if len(after) > 1 else after[0], action)
