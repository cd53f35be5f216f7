"""Answers to a form: coded values as they are, what a person typed sealed under the study's key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from server.core.secrets import open_text, seal_text
from server.readings.models.cases import Case, Protocol, Reading


def sealed_apart(case: Case, protocol: Protocol, answers: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """(coded answers, sealed texts or None)."""
    typed = {question["key"] for question in protocol.form if question["kind"] == "text"}
    coded = {key: value for key, value in answers.items() if key not in typed}
    words = {key: value for key, value in answers.items() if key in typed and value}
    sealed = seal_text(case.study_id, case.project_id, json.dumps(words, sort_keys=True)) if words else None
    return coded, sealed


def answers_of(reading: Reading, which: str) -> dict[str, Any] | None:
    """`which`: first, final or draft. None where there are none."""
    coded = getattr(reading, f"{which}_answers")
    if coded is None:
        return None
    words = getattr(reading, f"{which}_words")
    typed = json.loads(open_text(reading.case.study_id, bytes(words))) if words else {}
    return {**coded, **typed}
