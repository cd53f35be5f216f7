"""The embedded PostgreSQL and Redis: private, real, and there again after a restart."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import psycopg
import pytest
import redis

from deploy import embedded as embedded_module
from deploy import machine
from deploy.embedded import Embedded
from deploy.home import Home
from deploy.say import Stop

pytestmark = pytest.mark.skipif(not machine.embedded_is_supported(), reason="no programs for this platform")


def _home(folder: Path) -> Home:
    folder.mkdir(mode=0o700, parents=True)
    return Home(folder)


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


def test_data_survives_a_restart_and_nothing_is_open(short: Path) -> None:
    home = _home(short / "lam")
    first = Embedded(home, {}, durable=False)
    first.start()
    try:
        urls = first.urls()
        assert "/lamina?host=" in urls["DATABASE_URL"]
        assert urls["REDIS_URL"].startswith("unix://")
        with psycopg.connect(urls["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
            assert connection.execute("SHOW server_version_num").fetchone()[0].startswith("18")
        client = redis.Redis.from_url(urls["REDIS_URL"])
        assert client.ping()
        client.close()
        for name in ("run", "redis", "postgres"):
            assert stat.S_IMODE((home.folder / name).stat().st_mode) == 0o700, name
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=str(home.folder / "run"), user="lamina", password="wrong", dbname="lamina")
    finally:
        first.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls["DATABASE_URL"], connect_timeout=2)
    second = Embedded(home, {}, durable=False)
    second.start()
    try:
        with psycopg.connect(second.urls()["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    finally:
        second.stop()


def test_a_long_path_falls_back_to_loopback_with_passwords(short: Path) -> None:
    home = _home(short / ("long" * 25))
    embedded = Embedded(home, {}, durable=False)
    embedded.start()
    try:
        urls = embedded.urls()
        assert "@127.0.0.1:" in urls["DATABASE_URL"]
        with psycopg.connect(urls["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with redis.Redis.from_url(urls["REDIS_URL"]) as client:
            assert client.ping()
        port = urls["REDIS_URL"].rsplit(":", 1)[1].split("/")[0]
        with redis.Redis(host="127.0.0.1", port=int(port)) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        embedded.stop()


def test_only_what_is_missing_is_embedded(short: Path) -> None:
    home = _home(short / "lam")
    assert Embedded(home, {"DATABASE_URL": "x", "REDIS_URL": "y"}).services() == []
    only_redis = Embedded(home, {"DATABASE_URL": "x"})
    assert list(only_redis.urls()) == ["REDIS_URL"]
    only_postgres = Embedded(home, {"REDIS_URL": "y"})
    assert list(only_postgres.urls()) == ["DATABASE_URL"]


def test_a_killed_server_recovers_what_was_committed(short: Path) -> None:
    home = _home(short / "lam")
    embedded = Embedded(home, {"REDIS_URL": "y"})
    embedded.start()
    assert embedded.postgres is not None
    try:
        with psycopg.connect(embedded.postgres.url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        os.kill(embedded.postgres.child.pid, 9)
        embedded.postgres.child.reap()
        embedded.postgres.start()
        with psycopg.connect(embedded.postgres.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        embedded.stop()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_where_namespaces_are_refused_root_runs_it_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_module, "_namespaces_work", lambda: False)
    folder = Path("/var/lib/lamina-tests", str(os.getpid()))
    home = _home(folder / "lam")
    try:
        embedded = Embedded(home, {"REDIS_URL": "y"}, durable=False)
        embedded.start()
        assert embedded.postgres is not None
        try:
            data = embedded.postgres.data
            assert (data.stat().st_uid, stat.S_IMODE(data.stat().st_mode)) == (65534, 0o700)
            status = Path(f"/proc/{embedded.postgres.child.pid}/status").read_text()
            assert "Uid:\t65534\t65534\t65534\t65534" in status
            with psycopg.connect(embedded.postgres.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            embedded.stop()
        # Data of nobody stay nobody's, also where namespaces work again.
        monkeypatch.setattr(embedded_module, "_namespaces_work", lambda: True)
        again = Embedded(home, {"REDIS_URL": "y"}, durable=False)
        assert again.postgres is not None
        assert again.postgres.data == data
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_nobodys_data_never_lie_under_a_temporary_folder(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_module, "_namespaces_work", lambda: False)
    monkeypatch.setattr(embedded_module, "_nobodys_folder", lambda home: Path("/tmp/anywhere/nobody"))
    with pytest.raises(Stop, match="temporary folder"):
        Embedded(_home(short / "lam"), {"REDIS_URL": "y"})
    assert not Path("/tmp/anywhere").exists()
