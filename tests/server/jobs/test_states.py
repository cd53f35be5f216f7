"""The trigger in the database and the table of moves in Python are the same table."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from server.jobs.models import Job
from server.jobs.states import FINAL, MOVES, JobState


def test_the_database_allows_exactly_the_moves_of_the_enum(submit: Any) -> None:
    allowed: dict[JobState, set[JobState]] = {}
    for old in JobState:
        for new in JobState:
            job = submit()
            _lead_to(job, old)
            if new != old and _moves(job, new):
                allowed.setdefault(old, set()).add(new)
    assert allowed == {old: set(news) for old, news in MOVES.items() if news}


def test_what_has_ended_stays_ended() -> None:
    assert {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED} == FINAL


def test_an_unknown_state_is_refused(submit: Any) -> None:
    job = submit()
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state="resting")


def _lead_to(job: Job, state: JobState) -> None:
    if state not in {JobState.QUEUED, JobState.CANCELLED}:
        Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING)
    if state not in {JobState.QUEUED, JobState.RUNNING}:
        Job.objects.filter(pk=job.pk).update(state=state)


def _moves(job: Job, state: JobState) -> bool:
    try:
        with transaction.atomic():
            return Job.objects.filter(pk=job.pk).update(state=state) == 1
    except IntegrityError:
        return False
