"""The marked measurements of a patient's studies as one person may see them, brought into the rules.

A lesion is known by its name, the same on every date. Studies without a date are left out, and so is everything after
the study that is looked at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from server.readings.models import Annotation, LesionRole
from server.readings.response import rules
from server.readings.response.rules import Category, Judged, Target, Visit
from server.readings.selectors import annotations_of, names_of
from server.studies.models import Study
from server.studies.selectors import active_studies_visible_to

MOST_DATES = 24
LYMPH_NODE = {"value": "59441001", "scheme": "SCT", "meaning": "Lymph Node"}


@dataclass
class Cell:
    """What was measured of one lesion on one date; `times` counts marks of that name, the one that counts included."""

    mark: Annotation
    mm: float | None
    times: int = 1


@dataclass
class Date:
    """One study: what is marked in it."""

    study: Study
    cells: dict[str, Cell] = field(default_factory=dict)  # by lesion
    roles: dict[str, str] = field(default_factory=dict)
    new_lesions: list[str] = field(default_factory=list)
    unnamed: int = 0


@dataclass
class Table:
    """`judged` has one entry for each of `dates` from the baseline on; empty where nothing is a target."""

    dates: list[Date]
    targets: list[Target]
    organs: dict[str, dict[str, str]]  # code value -> code
    names: dict[str, str]  # lesion -> as it is written
    judged: list[Judged]
    later_targets: list[str]  # marked as targets after the baseline only: no part of the sum
    undated: int

    @property
    def from_baseline(self) -> list[Date]:
        return self.dates[len(self.dates) - len(self.judged) :] if self.judged else []


def key_of(name: str) -> str:
    """What two names of one lesion have in common."""
    return " ".join(name.casefold().split())


def table_of(study: Study, user: Any) -> Table:
    """Up to and with `study`, which the person may see. Marks are read through the selectors: none is sealed."""
    others = active_studies_visible_to(user).filter(patient_id=study.patient_id).exclude(pk=study.pk)
    undated = others.filter(study_date=None).count()
    if study.study_date is None:
        before: list[Study] = []
    else:
        dated = others.filter(study_date__lte=study.study_date).order_by("-study_date", "-created_at", "-id")
        before = list(dated[: MOST_DATES - 1])[::-1]
    names: dict[str, str] = {}
    dates = [date_of(one, user, names) for one in [*before, study]]
    start = next((n for n, one in enumerate(dates) if _targets_in(one)), None)
    if start is None:
        kept = [one for one in dates if one.new_lesions or one.unnamed or one.study.pk == study.pk]
        return Table(kept, [], {}, names, [], [], undated)
    dates = dates[start:]
    baseline = dates[0]
    keys = _targets_in(baseline)
    organs: dict[str, dict[str, str]] = {}
    targets = [_target(key, baseline, organs) for key in keys]
    visits = [
        Visit(
            sizes={key: cell.mm for key, cell in one.cells.items() if key in keys and cell.mm is not None},
            new_lesions=tuple(one.new_lesions),
        )
        for one in dates
    ]
    later = sorted({key for one in dates[1:] for key in _targets_in(one)} - set(keys))
    return Table(dates, targets, organs, names, rules.judged(targets, visits), later, undated)


def date_of(study: Study, user: Any, names: dict[str, str]) -> Date:
    """Own marks count before others', newer ones before older ones."""
    rows = [row for row in annotations_of(study, user) if row.lesion_role]
    found = Date(study)
    named: dict[str, list[Annotation]] = defaultdict(list)
    for row, name in zip(rows, names_of(rows, study.pk), strict=True):
        if not name:
            found.unnamed += 1
            continue
        key = key_of(name)
        names.setdefault(key, name)
        named[key].append(row)
    for key, marks in named.items():
        new = [mark for mark in marks if mark.lesion_role == LesionRole.NEW]
        sized = [mark for mark in marks if mark.lesion_role != LesionRole.NEW]
        if new:
            found.new_lesions.append(key)
        if sized:
            best = max(sized, key=lambda mark: (mark.author_id == getattr(user, "pk", None), mark.created_at))
            found.cells[key] = Cell(best, _mm(best), len(sized))
            found.roles[key] = best.lesion_role
    return found


def _mm(mark: Annotation) -> float | None:
    if mark.lesion_role == LesionRole.GONE:
        return rules.GONE_MM
    if mark.lesion_role == LesionRole.SMALL:
        return rules.TOO_SMALL_MM
    return mark.value


def _targets_in(date: Date) -> list[str]:
    return [key for key, role in date.roles.items() if role in (LesionRole.TARGET, LesionRole.NODE)]


def _target(key: str, baseline: Date, organs: dict[str, dict[str, str]]) -> Target:
    mark = baseline.cells[key].mark
    is_node = mark.lesion_role == LesionRole.NODE
    site = LYMPH_NODE if is_node else mark.finding_site
    if site:
        organs[site["value"]] = site
    return Target(name=key, is_node=is_node, organ=site["value"] if site else None)


# --- in words -----------------------------------------------------------------------------------------------------


def category_word(category: Category | None) -> str:
    return {
        Category.CR: _("Complete response"),
        Category.PR: _("Partial response"),
        Category.SD: _("Stable disease"),
        Category.PD: _("Progressive disease"),
        Category.NE: _("Unable to evaluate"),
        None: "",
    }[category]


def reason_of(one: Judged, table: Table, date: Date) -> str:
    """Which rule the category comes from, in one sentence."""
    missing = ", ".join(table.names[key] for key in one.missing)
    sentences = {
        "baseline": _("The sum every later date is held against."),
        "baseline_incomplete": _("Not every target was measured at baseline: %(missing)s.") % {"missing": missing}
        if one.missing
        else _("Not every target was measured at baseline."),
        "too_many_targets": _("More targets than the rules allow: nothing is judged."),
        "new_lesion": _("New lesion: %(names)s.") % {"names": ", ".join(table.names[key] for key in date.new_lesions)},
        "increase": _("At least 20 % and 5 mm above the smallest sum."),
        "increase_of_some": _("Not measured: %(missing)s.") % {"missing": missing}
        + " "
        + _("The others alone are at least 20 % and 5 mm above the smallest sum."),
        "reappeared": _("A target is back after all were gone."),
        "gone": _("All targets gone; lymph nodes below 10 mm."),
        "decrease": _("At least 30 % below the baseline."),
        "between": _("Neither 30 % below the baseline nor 20 % and 5 mm above the smallest sum."),
        "missing": _("Not measured: %(missing)s.") % {"missing": missing},
    }
    return _narrow(sentences[one.reason])


def _narrow(text: str) -> str:
    """A number and its unit stay on one line."""
    return re.sub(r"(?<=\d) (?=mm\b|%)", "\u202f", text)


def warnings_of(table: Table) -> list[dict[str, str]]:
    """What the reader should know of the table: {"code", "text"}."""
    found: list[tuple[str, str]] = []
    for rule, organ in rules.count_breaches(table.targets):
        if rule == "too_many_targets":
            facts = {"count": len(table.targets), "most": rules.MOST_TARGETS}
            found.append((rule, _("%(count)d targets at baseline; the rules take at most %(most)d.") % facts))
        else:
            count = sum(one.organ == organ for one in table.targets)
            name = _(table.organs[organ or ""]["meaning"])
            facts = {"count": count, "most": rules.MOST_PER_ORGAN, "organ": name}
            found.append((rule, _("%(organ)s: %(count)d targets; the rules take at most %(most)d per organ.") % facts))
    if table.targets:
        baseline = table.from_baseline[0]
        for one in table.targets:
            mm = baseline.cells[one.name].mm
            name = table.names[one.name]
            if mm is None:
                sentence = _("%(name)s: the spacing is not known, so it has no size.")
                found.append(("no_size", sentence % {"name": name}))
            elif not rules.is_measurable(one, mm):
                limit = rules.MEASURABLE_NODE_MM if one.is_node else rules.MEASURABLE_MM
                sentence = _("%(name)s is below the size a target has at baseline (%(limit)d mm).")
                found.append(("not_measurable", sentence % {"name": name, "limit": limit}))
            if one.organ is None:
                sentence = _("%(name)s has no site: whether two per organ is kept cannot be said.")
                found.append(("no_site", sentence % {"name": name}))
    for key in table.later_targets:
        sentence = _("%(name)s was no target at baseline and is not in the sum.")
        found.append(("not_at_baseline", sentence % {"name": table.names[key]}))
    if unnamed := sum(one.unnamed for one in table.dates):
        sentence = _("%(count)d marks have no name, so they match nothing on another date.")
        found.append(("unnamed", sentence % {"count": unnamed}))
    if table.undated:
        sentence = _("%(count)d studies of this patient have no date and are left out.")
        found.append(("undated", sentence % {"count": table.undated}))
    return [{"code": code, "text": _narrow(text)} for code, text in found]
