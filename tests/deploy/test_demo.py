"""The parts of the demo that need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy import demo_cases, demo_people
from deploy.commands.demo import _environ
from deploy.demo_watch import Case, DemoWatch
from deploy.home import Home
from deploy.say import Stop


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_passwords_are_random_private_and_kept(home: Home, tmp_path: Path) -> None:
    first = demo_people.people(home)
    assert [person.email.split("@")[0] for person in first] == ["admin", "reader.a", "reader.b", "adjudicator"]
    assert len({person.password for person in first}) == 4
    assert all(len(person.password) == 19 for person in first)
    assert (tmp_path / demo_people.FILE).stat().st_mode & 0o777 == 0o600
    assert demo_people.people(home) == first
    (tmp_path / demo_people.FILE).unlink()
    assert demo_people.people(home) != first


def test_the_average_brain_is_found_without_importing_its_package() -> None:
    import sys

    path = demo_cases.average_brain()
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert "nilearn" not in sys.modules
    assert "McConnell Brain Imaging Centre" in demo_cases.BRAIN_NOTICE


def test_the_demo_takes_no_production_switches_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_TLS", "1")
    monkeypatch.setenv("LAMINA_DEBUG", "1")
    monkeypatch.delenv("LAMINA_ALLOWED_HOSTS", raising=False)
    environ = _environ("127.0.0.1")
    assert "LAMINA_TLS" not in environ
    assert "LAMINA_DEBUG" not in environ
    assert environ["LAMINA_DEMO"] == "1"
    assert environ["LAMINA_ALLOWED_HOSTS"] == "localhost,127.0.0.1,[::1]"
    assert "*" not in _environ("0.0.0.0")["LAMINA_ALLOWED_HOSTS"]


class _Site:
    """What the site would answer."""

    def __init__(self, job: dict[str, Any], surfaces: bytes = b"glTF1234") -> None:
        self.job, self.surfaces = job, surfaces

    def sign_in(self, email: str, password: str) -> bool:
        return password == "right"

    def json(self, path: str) -> Any:
        if path.startswith("/api/jobs/"):
            return self.job
        if path.startswith("/api/studies/"):
            return {"segmentations": [{"id": "s", "algorithm": {"name": "bone-ct"}}]}
        segment = {"label": "Bone", "volume_ml": 1.5, "triangles": 12, "node": "Bone"}
        return {"urls": {"surfaces": "/x"}, "segments": [segment]}

    def get(self, path: str) -> bytes:
        return self.surfaces


def _watch(site: _Site, password: str = "right", job: str = "j") -> DemoWatch:
    person = demo_people.Person("reader.a@lamina.example", "", password)
    return DemoWatch(site, person, [Case(name="CT phantom", algorithm="bone-ct", study="s", job=job)])  # type: ignore[arg-type]


def test_a_case_is_done_when_its_surfaces_are_served() -> None:
    times = {"started_at": "2026-01-01T00:00:00+00:00", "finished_at": "2026-01-01T00:00:05+00:00"}
    watch = _watch(_Site({"state": "succeeded", "error": None} | times))
    assert watch.done()
    case = watch.answer()["cases"][0]
    assert case["segments"] == [{"label": "Bone", "volume_ml": 1.5, "triangles": 12}]
    assert case["glb_bytes"] == watch.answer()["glb_bytes"] == 8
    assert watch.seconds() == {"reconstruct bone-ct": 5.0}


def test_a_failed_case_says_why() -> None:
    watch = _watch(_Site({"state": "failed", "error": {"message": "No space."}}))
    assert watch.done()
    assert watch.answer()["cases"][0]["error"] == "No space."


def test_a_case_without_a_job_counts_as_failed() -> None:
    watch = _watch(_Site({}), job="")
    assert watch.done()
    assert watch.answer()["cases"][0]["state"] == "failed"


def test_what_is_no_glb_is_not_taken_for_surfaces() -> None:
    watch = _watch(_Site({"state": "succeeded"}, surfaces=b"<html>"))
    with pytest.raises(Stop, match="no GLB file"):
        watch.done()


def test_a_changed_password_ends_the_watching_quietly_but_fails_the_check() -> None:
    watch = _watch(_Site({"state": "succeeded"}), password="changed")
    watch.pulse()
    with pytest.raises(Stop, match="cannot sign in"):
        watch.done()
