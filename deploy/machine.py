"""Checks of the machine before anything is downloaded or started. Standard library only."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from pathlib import Path

from deploy.say import Stop

GIB = 1024**3
SUPPORTED_PYTHON = ((3, 11), (3, 14))
MINIMUM_GLIBC = (2, 28)
SPACE_FOR_ENVIRONMENT = 5 * GIB
SPACE_FOR_DATA = 1 * GIB


def embedded_is_supported() -> bool:
    """True where the embedded PostgreSQL and Redis have programs: Linux x86-64 with glibc 2.28 or newer."""
    return sys.platform == "linux" and platform.machine() == "x86_64" and glibc_version() >= MINIMUM_GLIBC


def glibc_version() -> tuple[int, ...]:
    """The C library's version, (0,) where it is not glibc."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return (0,)
    return tuple(int(part) for part in version.split(".") if part.isdigit()) if name == "glibc" else (0,)


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Stop on a Python that the pinned packages have no wheels for."""
    low, high = SUPPORTED_PYTHON
    if not low <= version < high:
        raise Stop(
            f"Lamina needs Python 3.11, 3.12 or 3.13 and this is Python {version[0]}.{version[1]}; "
            "install one of them and start Lamina with it, for example: python3.12 manage.py demo"
        )


def check_platform(environ: dict[str, str] | os._Environ[str] = os.environ) -> None:
    """Stop where the embedded services cannot run and are wanted."""
    if embedded_is_supported() or (environ.get("DATABASE_URL") and environ.get("REDIS_URL")):
        return
    here = f"{platform.system()} {platform.machine()}"
    if sys.platform == "linux" and platform.machine() == "x86_64":
        here += " without glibc 2.28"
    raise Stop(
        f"The built-in PostgreSQL and Redis run on Linux x86-64 with glibc 2.28 or newer and this is {here}; "
        "set DATABASE_URL and REDIS_URL to servers of your own and start again."
    )


def check_space(folder: Path, needed: int, purpose: str) -> None:
    """Stop when the file system of `folder` (made or not) has less than `needed` bytes free."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise Stop(
            f"No disk space: {purpose} needs {needed / GIB:.1f} GiB in {folder} and {free / GIB:.1f} GiB are free; "
            "make room there and start again."
        )


def check_port(host: str, port: int) -> None:
    """Stop when `host:port` cannot be listened on."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except socket.gaierror:
        raise Stop(f"The address {host} is not known on this machine; give another with --host.") from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise Stop(f"Port {port} needs more rights than you have; give a port over 1023 with --port.") from None
        except OSError as error:
            if error.errno == 98:
                cure = f"stop the other program or choose another port: --port {port + 1}"
                raise Stop(f"Port {port} on {host} is in use by another program; {cure}") from None
            raise Stop(
                f"Cannot listen on {host}:{port} ({error.strerror}); give another with --host, --port."
            ) from None


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
