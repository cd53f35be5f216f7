"""One site per test: a private Redis and whatever processes the test starts, all gone before the rows are removed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import app
from tests.faults.harness import Site, running_site


@pytest.fixture
def site(transactional_db: None, own_folders: None) -> Iterator[Site]:
    app.register()
    with running_site() as running:
        yield running


@pytest.fixture
def people(site: Site) -> Any:
    """(project, user): a project and its admin."""
    from server.accounts.services import create_project, create_user

    user = create_user(email=f"{uuid.uuid4().hex}@example.org", display_name="Ada", password="correct horse battery")
    return create_project(name=f"Faults {uuid.uuid4().hex[:12]}", by=user), user
