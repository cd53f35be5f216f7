"""The report's table of target lesions: baseline, smallest sum and this study."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from server.approvals.report import words
from server.readings.response.api import table_json
from server.readings.response.table import table_of
from server.studies.models import Study

Table = dict[str, Any]


def response_part(study: Study, by: Any) -> Table | None:
    """Of what `by` may see; None where nothing is a target."""
    found = table_json(table_of(study, by), study)
    if not found["dates"]:
        return None
    dates = [one for one in found["dates"] if one["is_baseline"] or one["is_nadir"] or one["is_opened"]]
    rows = [[_name(target), *(_cell(target, one) for one in dates)] for target in found["targets"]]
    rows.append([_("Sum"), *(words.with_unit(one["sum_mm"], 1, "mm") for one in dates)])
    rows.append([_("From baseline"), *("" if one["is_baseline"] else _change(one["from_baseline"]) for one in dates)])
    rows.append([_("From smallest sum"), *("" if one["is_baseline"] else _change(one["from_nadir"]) for one in dates)])
    if any(one["category"] for one in dates):
        rows.append([_("Response"), *(_category(one) for one in dates)])
    opened = next((one for one in dates if one["is_opened"]), None)
    said = [opened["reason"]] if opened and not opened["is_baseline"] else []
    said += [one["text"] for one in found["warnings"]] + [found["rule"]]
    return {
        "title": _("Target lesions (RECIST 1.1)"),
        "note": " ".join(said),
        "columns": [_("Lesion"), *(_heading(one) for one in dates)],
        "numbers": list(range(1, len(dates) + 1)),
        "rows": rows,
    }


def _heading(date: dict[str, Any]) -> str:
    tags = [
        _("baseline") if date["is_baseline"] else "",
        _("smallest sum") if date["is_nadir"] else "",
        _("this study") if date["is_opened"] else "",
    ]
    return ", ".join([date["study_date"] or words.DASH, *filter(None, tags)])


def _name(target: dict[str, Any]) -> str:
    more = ", ".join(filter(None, [target["organ"], _("short axis") if target["is_node"] else ""]))
    return f"{target['name']} ({more})" if more else str(target["name"])


def _cell(target: dict[str, Any], date: dict[str, Any]) -> str:
    found = next((one for one in target["cells"] if one["study_id"] == date["study_id"]), None)
    if found is None:
        return _("not measured")
    said = {"gone": _("gone"), "small": _("too small")}.get(found["role"], "")
    return ", ".join(filter(None, [words.with_unit(found["mm"], 1, "mm"), said]))


def _change(change: dict[str, Any] | None) -> str:
    if change is None:
        return words.DASH
    parts = [words.with_unit(change["mm"], 1, "mm")]
    if change["percent"] is not None:
        parts.append(words.with_unit(change["percent"], 1, "%"))
    plus = "+" if change["mm"] > 0 else ""
    return ", ".join(f"{plus}{part}" for part in parts)


def _category(date: dict[str, Any]) -> str:
    if not date["category"]:
        return "" if date["is_baseline"] else words.DASH
    return f"{date['category']}, {date['word'][:1].lower()}{date['word'][1:]}"
