"""RECIST 1.1 for target lesions: Eisenhauer et al., Eur J Cancer 45 (2009) 228-247, sections 4.2 to 4.4. Pure.

Sizes are mm: the longest diameter, of a lymph node its short axis. A lesion that is gone is 0 mm, one that is there
but too small to measure 5 mm (section 4.3.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_TARGETS, MOST_PER_ORGAN = 5, 2
PARTIAL_DECREASE = 0.30  # of the sum at baseline
PROGRESS_INCREASE, PROGRESS_MM = 0.20, 5.0  # of the nadir, and in mm as well
NORMAL_NODE_MM = 10.0  # a short axis below it
TOO_SMALL_MM, GONE_MM = 5.0, 0.0
MEASURABLE_MM, MEASURABLE_NODE_MM = 10.0, 15.0  # at baseline, slices of 5 mm or less
_SLACK = 1e-9  # a sum of decimals is not exact in binary: 30.0 % must not be 29.999999 %


class Category(StrEnum):
    """CR complete response, PR partial response, SD stable disease, PD progressive disease, NE not evaluable."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"


@dataclass(frozen=True, kw_only=True)
class Target:
    """`organ` is a code, None where nobody said; lymph nodes are one organ together."""

    name: str
    is_node: bool = False
    organ: str | None = None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One date. `sizes` holds what was measured, by the target's name; a target that is not in it was not measured."""

    sizes: Mapping[str, float]
    new_lesions: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """Against another sum; `percent` is None where that was 0."""

    mm: float
    percent: float | None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """`sum_mm` is None where a target was not measured. The baseline has no category."""

    sum_mm: float | None
    missing: tuple[str, ...]
    nadir_mm: float | None  # the smallest whole sum before this date, the baseline among them
    from_baseline: Change | None
    from_nadir: Change | None
    category: Category | None
    reason: str  # a code: see `judged`


def judged(targets: Sequence[Target], visits: Sequence[Visit]) -> list[Judged]:
    """Each date in order; the first is the baseline.

    reason: baseline, baseline_incomplete, too_many_targets, new_lesion, increase, increase_of_some, reappeared, gone,
    decrease, between, missing.
    """
    barred = "too_many_targets" if count_breaches(targets) else ""
    rows: list[Judged] = []
    baseline: float | None = None
    nadir: float | None = None
    for n, visit in enumerate(visits):
        missing = tuple(target.name for target in targets if target.name not in visit.sizes)
        some = sum(visit.sizes[target.name] for target in targets if target.name in visit.sizes)
        whole = None if missing else some
        if n == 0:
            baseline = whole
            category, reason = None, barred or ("baseline" if whole is not None else "baseline_incomplete")
        elif barred:
            category, reason = None, barred
        elif baseline is None:
            category, reason = (
                (Category.PD, "new_lesion") if visit.new_lesions else (Category.NE, "baseline_incomplete")
            )
        else:
            category, reason = _category(targets, visit, whole, some, baseline, nadir)
        rows.append(
            Judged(
                sum_mm=whole,
                missing=missing,
                nadir_mm=nadir,
                from_baseline=_change(whole, baseline) if n else None,
                from_nadir=_change(whole, nadir) if n else None,
                category=category,
                reason=reason,
            )
        )
        if whole is not None:
            nadir = whole if nadir is None else min(nadir, whole)
    return rows


def _category(
    targets: Sequence[Target], visit: Visit, whole: float | None, some: float, baseline: float, nadir: float | None
) -> tuple[Category, str]:
    if visit.new_lesions:
        return Category.PD, "new_lesion"
    least = baseline if nadir is None else nadir
    if whole is None:
        # What was measured alone is past the limit already: the missing ones could only add to it (section 4.4).
        if has_progressed(some, least):
            return Category.PD, "increase_of_some"
        return Category.NE, "missing"
    if is_gone(targets, visit):
        return Category.CR, "gone"
    if least <= _SLACK < whole:
        return Category.PD, "reappeared"
    if has_progressed(whole, least):
        return Category.PD, "increase"
    if has_decreased(whole, baseline):
        return Category.PR, "decrease"
    return Category.SD, "between"


def is_gone(targets: Sequence[Target], visit: Visit) -> bool:
    """Every target disappeared, every node below 10 mm in its short axis: then the sum need not be 0."""
    return all(
        visit.sizes[one.name] < NORMAL_NODE_MM if one.is_node else visit.sizes[one.name] <= GONE_MM for one in targets
    )


def has_progressed(total: float, nadir: float) -> bool:
    """At least 20 % and at least 5 mm above the smallest sum."""
    return total - nadir >= PROGRESS_MM - _SLACK and total >= (1 + PROGRESS_INCREASE) * nadir - _SLACK


def has_decreased(total: float, baseline: float) -> bool:
    """At least 30 % below the sum at baseline."""
    return baseline > 0 and total <= (1 - PARTIAL_DECREASE) * baseline + _SLACK


def _change(total: float | None, before: float | None) -> Change | None:
    if total is None or before is None:
        return None
    return Change(mm=total - before, percent=(total - before) / before * 100 if before > 0 else None)


def count_breaches(targets: Sequence[Target]) -> list[tuple[str, str | None]]:
    """(rule, organ): too_many_targets, or too_many_in_organ with the organ. Then the table judges nothing."""
    found: list[tuple[str, str | None]] = [("too_many_targets", None)] if len(targets) > MOST_TARGETS else []
    organs = Counter(one.organ for one in targets if one.organ is not None)
    return found + [("too_many_in_organ", organ) for organ, count in organs.items() if count > MOST_PER_ORGAN]


def is_measurable(target: Target, mm: float) -> bool:
    """Large enough to be a target at baseline."""
    return mm >= (MEASURABLE_NODE_MM if target.is_node else MEASURABLE_MM) - _SLACK
