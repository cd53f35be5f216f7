"""When the browser's libraries and the collected files count as current."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy import browser_libraries, statics
from deploy.say import Stop


@pytest.fixture
def frontend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A frontend folder, and an npm and node that note what they were asked."""
    folder = tmp_path / "frontend"
    (folder / "static" / "lamina").mkdir(parents=True)
    (folder / "locale").mkdir()
    for name in ("package.json", "package-lock.json", "vendor.mjs", "static/lamina/icons.txt"):
        (folder / name).write_text(name)
    ran: list[str] = []

    def run(command: list[str], where: Path, node: Path) -> None:
        ran.append(("npm ci" if "--omit=dev" in command else "npm ci dev") if "ci" in command else "vendor")
        (folder / ("node_modules" if "ci" in command else "vendor")).mkdir(exist_ok=True)

    monkeypatch.setattr(browser_libraries, "_run", run)
    monkeypatch.setattr(browser_libraries, "_find_npm", lambda: (Path("node"), ["npm"]))
    monkeypatch.setattr(browser_libraries, "ran", ran, raising=False)
    return folder


def test_libraries_are_fetched_once(frontend: Path) -> None:
    assert "browser_libraries" in browser_libraries.ensure(frontend)
    assert browser_libraries.ensure(frontend) == {}
    assert browser_libraries.ran == ["npm ci", "vendor"]


def test_a_new_icon_copies_again_without_npm(frontend: Path) -> None:
    browser_libraries.ensure(frontend)
    (frontend / "static/lamina/icons.txt").write_text("x\nplus\n")
    browser_libraries.ensure(frontend)
    assert browser_libraries.ran == ["npm ci", "vendor", "vendor"]


def test_another_lock_asks_npm_again(frontend: Path) -> None:
    browser_libraries.ensure(frontend)
    (frontend / "package-lock.json").write_text("newer")
    browser_libraries.ensure(frontend)
    assert browser_libraries.ran == ["npm ci", "vendor", "npm ci", "vendor"]


def test_what_only_tests_need_comes_with_the_tests(frontend: Path) -> None:
    browser_libraries.ensure(frontend)
    browser_libraries.ensure(frontend, dev=True)
    assert browser_libraries.ensure(frontend, dev=True) == {}
    assert browser_libraries.ensure(frontend) == {}
    assert browser_libraries.ran == ["npm ci", "vendor", "npm ci dev"]


def test_without_it_the_pages_still_work(
    frontend: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser_libraries.ensure(frontend)

    def no_network(*_: object) -> None:
        raise Stop("No network.")

    monkeypatch.setattr(browser_libraries, "_run", no_network)
    browser_libraries.ensure(frontend, dev=True)
    assert "The tests that need it are skipped." in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("npm error code ENOTFOUND", "No network: npm cannot reach its registry"),
        ("npm error ENOSPC: no space left on device", "No disk space was left for the browser libraries"),
        ('Error: icons.txt names the icon "plus-plus", which lucide-static does not have.', "plus-plus"),
    ],
)
def test_what_npm_says_becomes_one_sentence(said: str, sentence: str, tmp_path: Path) -> None:
    script = tmp_path / "npm"
    script.write_text(f"#!/bin/sh\necho '{said}'\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(Stop, match=sentence):
        browser_libraries._run([str(script)], tmp_path, tmp_path / "node")


def test_collected_files_are_stale_when_a_source_changes(tmp_path: Path) -> None:
    for name in (*statics.RECIPE, "frontend/static/a.js", "frontend/vendor/x-1/b.js"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    first = statics.digest(tmp_path)
    assert statics.digest(tmp_path) == first
    changed = tmp_path / "frontend/static/a.js"
    facts = changed.stat()
    changed.write_text("frontend/static/A.js")
    os.utime(changed, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert statics.digest(tmp_path) != first
