"""What is closed to whom while several people read one study without influencing one another.

Everything that is drawn, measured or said of a study has an `audience`: null is the result's side (the algorithm's
results and what people share), a UUID is the reading it belongs to. Lower apps ask here and know no readings; the
readings app registers the rule. Without a rule nothing is sealed and everything is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from server.studies.models import Study
from server.studies.selectors import may_see_study


class Masks:
    """How one person sees the names and times of others in one study. This one hides nothing."""

    def author(self, author: Any, audience: UUID | None = None) -> dict[str, Any] | None:
        """{"id", "name", "colour"} of a person; null where there is none."""
        if author is None:
            return None
        return {"id": str(author.pk), "name": author.display_name, "colour": author.colour}

    def time(self, at: datetime | None, audience: UUID | None = None) -> datetime | None:
        return at


class Rule(Protocol):
    """What the readings app knows. `user` is signed in; visibility of the study itself is asked elsewhere."""

    def sealed_study_ids(self, user: Any) -> QuerySet: ...

    def open_audience_ids(self, user: Any) -> QuerySet: ...

    def audience_for(self, user: Any, study_id: UUID) -> UUID | None: ...

    def check_write(self, user: Any, study_id: UUID, audience: UUID | None) -> None: ...

    def masks(self, user: Any, study_id: UUID) -> Masks: ...

    def together(self, user: Any, study_id: UUID) -> bool: ...

    def audiences_of(self, study_id: UUID) -> list[UUID]: ...


class NothingSealed:
    """The rule of a site without readings."""

    def sealed_study_ids(self, user: Any) -> QuerySet:
        return Study.objects.none().values("pk")

    def open_audience_ids(self, user: Any) -> QuerySet:
        return Study.objects.none().values("pk")

    def audience_for(self, user: Any, study_id: UUID) -> UUID | None:
        return None

    def check_write(self, user: Any, study_id: UUID, audience: UUID | None) -> None:
        return None

    def masks(self, user: Any, study_id: UUID) -> Masks:
        return Masks()

    def together(self, user: Any, study_id: UUID) -> bool:
        return True

    def audiences_of(self, study_id: UUID) -> list[UUID]:
        return []


_rule: Rule = NothingSealed()


def register_rule(rule: Rule) -> None:
    """From AppConfig.ready of the app that knows."""
    global _rule
    _rule = rule


def _known(user: Any) -> bool:
    return bool(getattr(user, "is_authenticated", False))


def sealed_study_ids(user: Any) -> QuerySet:
    """Ids of the studies whose results and others' work are closed to the person, as a subquery."""
    return _rule.sealed_study_ids(user) if _known(user) else Study.objects.values("pk")


def open_audience_ids(user: Any) -> QuerySet:
    """Ids of the readings whose work the person may see, as a subquery."""
    return _rule.open_audience_ids(user) if _known(user) else Study.objects.none().values("pk")


def unsealed(rows: QuerySet, user: Any, path: str = "") -> QuerySet:
    """Rows with `study` and `audience` (behind `path`, such as "segmentation__") that are not closed to the person."""
    shared = Q(**{f"{path}audience": None}) & ~Q(**{f"{path}study_id__in": sealed_study_ids(user)})
    return rows.filter(shared | Q(**{f"{path}audience__in": open_audience_ids(user)}))


def is_sealed(user: Any, study_id: UUID) -> bool:
    """Are the study's results closed to the person?"""
    return Study.objects.filter(pk=study_id, pk__in=sealed_study_ids(user)).exists()


def sealed_among(user: Any, study_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the studies whose results are closed to the person, in one query."""
    return set(
        Study.objects.filter(pk__in=study_ids).filter(pk__in=sealed_study_ids(user)).values_list("pk", flat=True)
    )


def may_see_result(user: Any, study_id: UUID) -> bool:
    """Who hears result:<study id>."""
    return may_see_study(user, study_id) and not is_sealed(user, study_id)


def stream_of(study_id: UUID, audience: UUID | None) -> str:
    """Where the audience hears of what was done: `reading:<id>`, or `result:<study id>` for what is shared."""
    return f"reading:{audience}" if audience else f"result:{study_id}"


def streams_beside(study_id: UUID) -> list[str]:
    """Every stream of the study but study:<id> itself, in the order in which they are locked."""
    return [*(f"reading:{one}" for one in sorted(_rule.audiences_of(study_id))), f"result:{study_id}"]


def audience_for(user: Any, study_id: UUID) -> UUID | None:
    """Where new work of the person goes: the own open reading, or null where it is shared."""
    return _rule.audience_for(user, study_id)


def check_write(user: Any, study_id: UUID, audience: UUID | None) -> None:
    """Raises LaminaError 409 where the person may not (any more) change what belongs to this audience."""
    _rule.check_write(user, study_id, audience)


def masks(user: Any, study_id: UUID) -> Masks:
    """Names and times in this study as the person may see them; ask once per answer."""
    return _rule.masks(user, study_id) if _known(user) else Masks()


def author_as_seen_by(user: Any, author: Any, study_id: UUID, audience: UUID | None) -> dict[str, Any] | None:
    """{"id": null, "name": "Reader A", ...} where the case is blind to the person."""
    return masks(user, study_id).author(author, audience)


def time_as_seen_by(user: Any, at: datetime | None, study_id: UUID, audience: UUID | None) -> datetime | None:
    """The day alone where the hour would tell who it was."""
    return masks(user, study_id).time(at, audience)


def together(user: Any, study_id: UUID) -> bool:
    """May the person be shown to others in this study and see them live? Never while a case of it is blind."""
    return _rule.together(user, study_id)
