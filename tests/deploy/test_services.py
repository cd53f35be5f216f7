"""Which services a command uses, and one sentence for variables that cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import database, services
from deploy.commands.serve import refusals
from deploy.environment import ROOT
from deploy.home import Home, HomeLock
from deploy.say import Stop


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL must look like postgresql://"),
        ("REDIS_URL", "http://x", "REDIS_URL must look like redis://"),
        ("LAMINA_ROOT_KEY", "short", "LAMINA_ROOT_KEY must be 32 bytes in base64"),
    ],
)
def test_a_wrong_variable_is_named_with_its_rule(
    name: str, value: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Stop, match=rule):
        services.check_variables()


def test_with_both_services_brought_along_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:b@127.0.0.1:1/c")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with services.borrowed_or_own(Home(tmp_path)) as urls:
        assert urls == {}
    assert list(tmp_path.iterdir()) == []


def test_a_running_owners_services_are_borrowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    home = Home(tmp_path)
    owner = HomeLock(home)
    assert owner.take()
    owner.say(urls={"DATABASE_URL": "postgresql://theirs@127.0.0.1:1/c", "REDIS_URL": "redis://theirs/0"})
    with services.borrowed_or_own(home) as urls:
        assert urls == {"DATABASE_URL": "postgresql://theirs@127.0.0.1:1/c"}
    owner.forget()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            'django.db.utils.OperationalError: connection failed: connection to server at "127.0.0.1", port 1 failed: '
            "Connection refused",
            'DATABASE_URL names: connection to server at "127.0.0.1", port 1 failed: Connection refused',
        ),
        ("django.db.utils.OperationalError: something else", "does not answer"),
        ("KeyError: 'x'", ""),
    ],
)
def test_an_unreachable_database_is_one_sentence(output: str, sentence: str) -> None:
    said = database.unreachable(output)
    assert sentence in said
    assert bool(said) == bool(sentence)


def test_serve_lists_what_it_refuses() -> None:
    output = (
        "ERRORS:\n"
        "?: (lamina.E004) LAMINA_ALLOWED_HOSTS holds *. Name the hosts.\n"
        "?: (lamina.E006) LAMINA_TLS is not set.\n"
    )
    assert refusals(output).splitlines()[1:] == [
        "  - LAMINA_ALLOWED_HOSTS holds *. Name the hosts.",
        "  - LAMINA_TLS is not set.",
    ]
    assert refusals("Traceback ...") == ""


def _manage(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAMINA_", "DATABASE", "REDIS"))}
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env=kept | env, capture_output=True, text=True, timeout=60)


def test_a_worker_without_anybody_to_work_for_says_what_to_set(tmp_path: Path) -> None:
    answer = _manage("worker", LAMINA_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert "There is nothing to work for: set DATABASE_URL, REDIS_URL" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_worker_that_could_open_no_file_says_which_variables_are_missing(tmp_path: Path) -> None:
    urls = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c", "REDIS_URL": "redis://127.0.0.1:1/0"}
    answer = _manage("worker", LAMINA_HOME=str(tmp_path), **urls)
    assert answer.returncode == 1
    assert "Set LAMINA_STORAGE and LAMINA_ROOT_KEY to the values the web server has" in answer.stderr


def test_an_unknown_queue_names_the_known_ones(tmp_path: Path) -> None:
    answer = _manage("worker", "--queues", "recon,fast", LAMINA_HOME=str(tmp_path))
    assert "There is no queue fast; the queues are recon, io, interactive." in answer.stderr


def test_serve_refuses_the_demos_switch(tmp_path: Path) -> None:
    answer = _manage("serve", LAMINA_HOME=str(tmp_path), LAMINA_DEMO="1")
    assert answer.returncode == 1
    assert "LAMINA_DEMO is set" in answer.stderr
