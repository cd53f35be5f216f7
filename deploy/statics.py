"""Collects static files when they have changed, and only then: hashing them all takes seconds."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from deploy.environment import ROOT
from deploy.supervisor import Supervisor

SOURCES = ("frontend/static", "frontend/vendor")
RECIPE = (
    "deploy/lock/runtime.txt",
    "server/settings.py",
    *(f"server/core/{name}.py" for name in ("statics", "bundles", "module_graph")),
    # What a bundle is made of, too.
    *(f"frontend/templates/{name}" for name in ("study.html", "parts/import_map.json")),
)


def collect(supervisor: Supervisor) -> None:
    """Bring the collected files of this LAMINA_HOME up to date."""
    target = Path(supervisor.env.get("LAMINA_STATIC_ROOT") or supervisor.home.folder / "collected")
    stamp = supervisor.home.folder / "collected.stamp"
    wanted = f"{target}\n{digest(ROOT)}\n"
    if target.is_dir() and stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    supervisor.run("static", "Collecting static files", "collectstatic", "--noinput", "--clear", "--verbosity", "0")
    stamp.write_text(wanted)


def digest(root: Path) -> str:
    """Changes whenever a static file or the way of collecting does. Sizes and times stand for contents."""
    total = hashlib.sha256()
    for name in RECIPE:
        total.update((root / name).read_bytes())
    for source in SOURCES:
        for folder, folders, files in os.walk(root / source):
            folders.sort()
            for name in sorted(files):
                path = Path(folder, name)
                facts = path.stat()
                total.update(f"{path.relative_to(root)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return total.hexdigest()
