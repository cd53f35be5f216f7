"""A project, its people, and jobs of the test kinds (tests/faults/app.py)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults import app


@pytest.fixture
def team(db: None, make_user: Any, make_project: Any) -> Any:
    app.register()
    admin, reader, viewer, stranger = (make_user(name) for name in ("Ada", "Rita", "Vic", "Sid"))
    project = make_project(admin=admin, reader=reader, viewer=viewer)
    return SimpleNamespace(admin=admin, reader=reader, viewer=viewer, stranger=stranger, project=project)


@pytest.fixture
def submit(team: Any) -> Callable[..., Any]:
    from server.jobs.services import submit_job

    def make(**values: Any) -> Any:
        values.setdefault("owner_id", uuid.uuid4())
        values.setdefault("stream", f"test:{team.project.pk}")
        return submit_job(
            values.pop("kind", "test_work"),
            **{
                "owner_kind": "test",
                "project_id": team.project.pk,
                "requested_by": team.reader,
                "parameters": {},
                **values,
            },
        )

    return make
