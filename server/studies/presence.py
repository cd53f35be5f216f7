"""Who may be seen looking at a study: everybody who may see it, as long as nothing about it is blind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from server.accounts.models import COLOURS, Membership, Role
from server.realtime.registry import Person, register_room
from server.studies import sealing, selectors
from server.studies.models import Study


def may_join(user: Any, study_id: UUID) -> bool:
    """To somebody whose read is sealed the room is as little there as a study that does not exist."""
    return selectors.may_see_study(user, study_id) and sealing.together(user, study_id)


def people(study_id: UUID, user_ids: Iterable[str]) -> Mapping[str, Person]:
    """Members of the study's project, by user id. Somebody who was removed meanwhile is no longer shown."""
    project_id = Study.objects.filter(pk=study_id).values("project_id")[:1]
    rows = Membership.objects.filter(project_id__in=project_id, user_id__in=list(user_ids)).select_related("user")
    return {
        str(row.user_id): Person(
            name=row.user.display_name,
            colour=COLOURS.index(row.user.colour) if row.user.colour in COLOURS else 0,
            watches=row.role == Role.VIEWER,
        )
        for row in rows
    }


register_room("study", may_join=may_join, people=people)
