"""The shipped weights: one folder per AlgorithmVersion, named `<algorithm>-<version>`.

weights.safetensors  the networks, with recipe, segments and engine version in its metadata
recipe.json          {"recipe": ..., "files": {name: SHA-256}}
card.json            measured numbers, data, split, known failures
LICENSE              licence and attribution of the data they were made from

This module reads text only; `loading` makes networks of the tensors.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
WEIGHTS = "weights.safetensors"


def folder(algorithm: str, version: str) -> Path:
    """Where one version's files lie, whether or not they are there."""
    return ROOT / f"{algorithm}-{version}"


def manifest(where: Path) -> dict[str, Any]:
    """recipe.json of a weights folder; {} where there is none."""
    file = where / "recipe.json"
    return json.loads(file.read_text()) if file.exists() else {}


def card(where: Path) -> dict[str, Any]:
    """card.json of a weights folder; {} where there is none."""
    file = where / "card.json"
    return json.loads(file.read_text()) if file.exists() else {}


def recorded_sha256(where: Path, name: str = WEIGHTS) -> str:
    """The hash recipe.json says a file of this folder has; "" where it says none."""
    return str(manifest(where).get("files", {}).get(name, ""))


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(file, "rb") as handle:
        while piece := handle.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
