"""What a protocol and the answers to its form may hold. Everything from a browser passes here before it is a row."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from server.core.errors import LaminaError

KINDS = ("choice", "yes_no", "number", "text")
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\Z")
MOST_QUESTIONS, MOST_CHOICES, MOST_SEGMENTS = 50, 50, 60
LONGEST_TEXT = 2000


def _wrong(field: str, message: str) -> LaminaError:
    return LaminaError("invalid_protocol", message, 422, field=field)


def _text(field: str, value: Any, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise _wrong(field, _("%(field)s needs a text of at most %(count)d characters.") % {
            "field": field, "count": longest,
        })  # fmt: skip
    return " ".join(value.split())


def checked_form(form: Any) -> list[dict[str, Any]]:
    """[{key, text, kind, choices: [{code, scheme, meaning}], required}]; keys and codes once each."""
    if not isinstance(form, list) or len(form) > MOST_QUESTIONS:
        raise _wrong("form", _("A form holds at most %(count)d questions.") % {"count": MOST_QUESTIONS})
    questions: list[dict[str, Any]] = []
    for given in form:
        if not isinstance(given, dict) or not KEY.match(str(given.get("key", ""))):
            raise _wrong("form", _("Each question needs a key of small letters, digits and underscores."))
        if given["key"] in {one["key"] for one in questions}:
            raise _wrong("form", _("Two questions have the same key."))
        if given.get("kind") not in KINDS:
            raise _wrong("form", _("A question asks for a choice, yes or no, a number or a text."))
        choices = _choices(given.get("choices") or []) if given["kind"] == "choice" else []
        questions.append(
            {
                "key": given["key"],
                "text": _text("form", given.get("text"), 200),
                "kind": given["kind"],
                "choices": choices,
                "required": bool(given.get("required", False)),
            }
        )
    return questions


def _choices(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or not 2 <= len(given) <= MOST_CHOICES:
        raise _wrong("form", _("A choice offers at least two answers."))
    choices: list[dict[str, str]] = []
    for one in given:
        if not isinstance(one, dict):
            raise _wrong("form", _("Each answer has a code, a scheme and a meaning."))
        choice = {name: _text("form", one.get(name), 120) for name in ("code", "scheme", "meaning")}
        if choice["code"] in {other["code"] for other in choices}:
            raise _wrong("form", _("Two answers of a choice have the same code."))
        choices.append(choice)
    return choices


def checked_segments(segments: Any) -> list[dict[str, Any]]:
    """[{number, label, colour, category, type}], by number."""
    if not isinstance(segments, list) or len(segments) > MOST_SEGMENTS:
        raise _wrong("segments", _("A protocol names at most %(count)d segments.") % {"count": MOST_SEGMENTS})
    rows: dict[int, dict[str, Any]] = {}
    for given in segments:
        number = given.get("number") if isinstance(given, dict) else None
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 255 or number in rows:
            raise _wrong("segments", _("Each segment has a number of its own, from 1 to 255."))
        if not COLOUR.match(str(given.get("colour", ""))):
            raise _wrong("segments", _("colour looks like #FEEE3E."))
        codes = {}
        for name in ("category", "type"):
            code = given.get(name)
            if not isinstance(code, dict):
                raise _wrong("segments", _("Each segment has a coded category and a coded type."))
            codes[name] = {part: _text("segments", code.get(part), 120) for part in ("value", "scheme", "meaning")}
        rows[number] = {
            "number": number,
            "label": _text("segments", given.get("label"), 64),
            "colour": str(given["colour"]).upper(),
            **codes,
        }
    return [rows[number] for number in sorted(rows)]


def checked_answers(form: Sequence[Mapping[str, Any]], answers: Any, *, whole: bool = True) -> dict[str, Any]:
    """Answers by key: a choice's code, true or false, a number, a text. A draft (`whole` False) may lack some.

    Raises LaminaError invalid_answers, naming the questions.
    """
    if not isinstance(answers, Mapping):
        raise LaminaError("invalid_answers", _("Answers come by the keys of the form."), 422, questions=[])
    known = {question["key"]: question for question in form}
    if unknown := sorted(set(map(str, answers)) - set(known)):
        raise LaminaError("invalid_answers", _("The form has no such question."), 422, questions=unknown[:20])
    given = {key: value for key, value in answers.items() if value is not None and value != ""}
    wrong = [key for key, value in given.items() if not _fits(known[key], value)]
    if wrong:
        message = _("These answers do not fit their questions.")
        raise LaminaError("invalid_answers", message, 422, questions=wrong)
    missing = [key for key, question in known.items() if question["required"] and key not in given]
    if whole and missing:
        message = _("Answer the required questions first.")
        raise LaminaError("answers_missing", message, 422, questions=missing)
    return dict(given)


def _fits(question: Mapping[str, Any], value: Any) -> bool:
    match question["kind"]:
        case "choice":
            return value in {choice["code"] for choice in question["choices"]}
        case "yes_no":
            return isinstance(value, bool)
        case "number":
            return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, str) and len(value) <= LONGEST_TEXT
