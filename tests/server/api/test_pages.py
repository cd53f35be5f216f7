"""Pages: what the frame around them keeps."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.django_db


def test_the_navigation_stays_in_the_project_one_was_in_last(make_user: Any, make_project: Any, client: Any) -> None:
    reader = make_user("reader")
    first, second = (make_project(name, reader=reader) for name in ("Abdomen", "Brain"))
    client.force_login(reader)

    def cases() -> str:
        return client.get("/").context["shell"]["project"]["cases_url"]

    assert cases() == f"/projects/{first.slug}/reading/"
    assert client.get(f"/projects/{second.slug}/team/").status_code == 200
    assert cases() == f"/projects/{second.slug}/reading/"
    # A project one has left is not offered again.
    second.memberships.filter(user=reader).delete()
    assert cases() == f"/projects/{first.slug}/reading/"
