"""Who reads what: those with the fewest open readings, never somebody excluded, adjudicators last."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection
from uuid import UUID

from django.db.models import Count
from django.utils.translation import gettext as _

from server.accounts.models import Membership, Role
from server.core.errors import LaminaError
from server.readings.cases.states import OPEN
from server.readings.models.cases import Protocol, Reading

_random = secrets.SystemRandom()


class Dealer:
    """Deals the cases of one project; keeps count of what it has dealt."""

    def __init__(self, protocol: Protocol) -> None:
        members = Membership.objects.filter(
            project_id=protocol.project_id, role=Role.READER, user__is_active=True
        ).exclude(user_id__in=protocol.excluded)
        self.adjudicators: dict[UUID, bool] = dict(members.values_list("user_id", "is_adjudicator"))
        counted = Reading.objects.filter(reader_id__in=self.adjudicators, state__in=OPEN).order_by()
        self.load = dict.fromkeys(self.adjudicators, 0)
        self.load |= dict(counted.values_list("reader_id").annotate(n=Count("id")))

    def deal(self, count: int, *, without: Collection[UUID] = ()) -> list[UUID]:
        """So many different people. Raises LaminaError not_enough_readers."""
        there = [one for one in self.load if one not in without]
        if len(there) < count:
            message = _("This project has too few readers: %(needed)d needed, %(there)d can be asked.")
            facts = {"needed": count, "there": len(there)}
            raise LaminaError("not_enough_readers", message % facts, 409, **facts)
        order = {one: (self.adjudicators[one], self.load[one], _random.random()) for one in there}
        dealt = sorted(there, key=order.__getitem__)[:count]
        for one in dealt:
            self.load[one] += 1
        return dealt


def letters(count: int) -> list[str]:
    """Letters in random order, so that A is not always the same person."""
    chosen = list(string.ascii_uppercase[:count])
    _random.shuffle(chosen)
    return chosen
