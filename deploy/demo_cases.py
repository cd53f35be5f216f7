"""The demo cases, which need no download.

Run as a program, it makes the phantom's files: `python -m deploy.demo_cases FOLDER`.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.environment import ROOT
from deploy.home import Home, write_private
from deploy.say import Steps, Stop

BRAIN_FILE = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
BRAIN_NOTICE = (
    "ICBM 152 average brain (2009a, symmetric), averaged from many people and skull-stripped: it shows no person. "
    "Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill "
    "University. Permission to use, copy, modify, and distribute this software and its documentation for any purpose "
    "and without fee is hereby granted, provided that the above copyright notice appear in all copies. The authors and "
    "McGill University make no representations about the suitability of this software for any purpose. It is provided "
    "“as is” without express or implied warranty. The authors are not responsible for any data loss, equipment damage, "
    "property loss, or injury to subjects or patients resulting from the use or misuse of this software package. "
    "Read from the nilearn package."
)
PHANTOM_NOTICE = (
    "Computed phantom: a body with bones, organs and lesions of known volume, made by Lamina as a CT series. "
    "It shows no person."
)


def cases(home: Home, steps: Steps) -> Path:
    """Make what must be made, and write the list of cases that `prepare_demo` imports. Returns the list's path."""
    folder = home.sub("demo")
    phantom = folder / "phantom-ct"
    if not phantom.is_dir():
        with steps.step("phantom", "Making the CT phantom"):
            _make_phantom(phantom, home)
    listed = [
        {
            "name": "CT phantom",
            "path": str(phantom),
            "modality": "CT",
            "notice": PHANTOM_NOTICE,
            "algorithms": ["bone-ct", "phantom-organs-ct"],
        },
        {
            "name": "Average brain",
            "path": str(average_brain()),
            "modality": "MR",
            "notice": BRAIN_NOTICE,
            "algorithms": ["hippocampus-mr"],
        },
    ]
    path = folder / "cases.json"
    write_private(path, json.dumps(listed, indent=1))
    return path


def average_brain() -> Path:
    """The picture inside the installed nilearn package, found without importing it."""
    spec = importlib.util.find_spec("nilearn")
    path = Path(next(iter(spec.submodule_search_locations or [""])), BRAIN_FILE) if spec else Path(BRAIN_FILE)
    if not path.is_file():
        raise Stop("The average brain of the demo is missing from .venv; remove .venv and start again.")
    return path


def _make_phantom(target: Path, home: Home) -> None:
    """In a process of its own, so that this one stays small; moved into place when whole."""
    partial = target.with_name(target.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    command = [sys.executable, "-m", "deploy.demo_cases", str(partial)]
    answer = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if answer.returncode:
        home.log("phantom").write_text(answer.stderr)
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Stop(f"The CT phantom could not be made: {reason} (log: {home.log('phantom')})")
    partial.rename(target)


def main(folder: str) -> None:
    from recon_engine import phantoms

    phantoms.write_demo_ct(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
