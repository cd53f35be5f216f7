"""One web process and one Redis per module; rows are made and removed by each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults import app
from tests.faults.harness import Site, Web, running_site
from tests.realtime.browser import Browser, TestHappened


@pytest.fixture(scope="module")
def site(django_db_setup: None) -> Iterator[Site]:
    app.register()
    with running_site() as running:
        yield running


@pytest.fixture(scope="module")
def web(site: Site) -> Web:
    return site.web(LAMINA_TEST_SLOW_SECONDS="1")


@pytest.fixture
def team(transactional_db: None, make_user: Any, make_project: Any) -> Any:
    """A project with an admin and a reader, a stranger, and the stream its members hear."""
    admin, reader, stranger = make_user("Ada"), make_user("Rita"), make_user("Sid")
    project = make_project(admin=admin, reader=reader)
    return SimpleNamespace(admin=admin, reader=reader, stranger=stranger, project=project, stream=f"test:{project.pk}")


@pytest.fixture
def tell(team: Any) -> Callable[..., Any]:
    """Publish one event on the team's stream in a transaction of its own."""
    from django.db import transaction

    from server.realtime.services import publish

    def act(number: int, text: str = "") -> Any:
        with transaction.atomic():
            return publish(TestHappened(number=number, text=text), stream=team.stream)

    return act


@pytest.fixture
def opened(web: Web) -> Iterator[Callable[..., Browser]]:
    tabs: list[Browser] = []

    def make(user: Any, **options: Any) -> Browser:
        tabs.append(Browser(options.pop("port", web.port), user, **options))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.close()
