"""Rows many tests need, made by the same services the product uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_numbers = itertools.count(1)
PASSWORD = "correct horse battery staple"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: their driver keeps an event loop running, beside which no async test can start its own."""
    items.sort(key=lambda item: "tests/e2e/" in item.nodeid)


# Every row of every table that holds one, without the triggers that guard them in use.
_EMPTIED = """DO $$
DECLARE name text; filled boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
      AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission') LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
END $$"""


@pytest.fixture(scope="session", autouse=True)
def quickly_emptied() -> Iterator[None]:
    """A test with real transactions leaves its rows; Django would truncate some seventy tables for it, 0.4 s each time.

    Only a superuser may switch triggers off. Anybody else's database is emptied Django's way.
    """
    from django.db import ProgrammingError, connection, transaction
    from django.test import TransactionTestCase

    from server.algorithms.services import sync_algorithms

    usual = TransactionTestCase._fixture_teardown

    def emptied(case: TransactionTestCase) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_EMPTIED)
                sync_algorithms()  # what every migration does
        except ProgrammingError:
            usual(case)

    TransactionTestCase._fixture_teardown = emptied
    yield
    TransactionTestCase._fixture_teardown = usual


@pytest.fixture(autouse=True)
def own_folders(request: pytest.FixtureRequest) -> None:
    """Stored files of a database test lie in its own temporary folder."""
    if "db" not in request.fixturenames and request.node.get_closest_marker("django_db") is None:
        return
    settings = request.getfixturevalue("settings")
    folder = request.getfixturevalue("tmp_path")
    settings.LAMINA_STORAGE = folder / "storage"
    settings.LAMINA_HOME = folder / "home"


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """make_user("reader") -> a person who can sign in with PASSWORD."""
    from server.accounts.services import create_user

    def make(name: str = "person", **values: Any) -> Any:
        address = f"{name.replace(' ', '.').lower()}{next(_numbers)}@example.org"
        return create_user(email=address, display_name=name, password=PASSWORD, **values)

    return make


@pytest.fixture
def make_project(db: None, make_user: Callable[..., Any]) -> Callable[..., Any]:
    """make_project(reader=[user], ...) -> a project whose admin is `admin` or a fresh person."""
    from server.accounts.services import add_member, create_project

    def make(name: str = "", admin: Any = None, **roles: Any) -> Any:
        admin = admin or make_user("project admin")
        project = create_project(name=name or f"Project {next(_numbers)}", by=admin)
        for role, users in roles.items():
            for user in users if isinstance(users, (list, tuple)) else [users]:
                add_member(project=project, user=user, role=role, by=admin)
        return project

    return make


@pytest.fixture
def api_client() -> Callable[..., Any]:
    """api_client(user) -> a DRF client signed in as that person, CSRF included."""
    from rest_framework.test import APIClient

    def make(user: Any = None) -> Any:
        client = APIClient()
        if user is not None:
            client.force_login(user)
        return client

    return make
