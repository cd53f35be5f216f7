"""Real series, where LAMINA_DATA points at them; a counted, named skip elsewhere."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def lamina_data() -> Path:
    folder = os.environ.get("LAMINA_DATA", "")
    if not folder or not (Path(folder) / "dicom").is_dir():
        pytest.skip("LAMINA_DATA does not point at the real series")
    return Path(folder)


@pytest.fixture
def real_dicom(lamina_data: Path, tmp_path: Path) -> Callable[[str], Path]:
    """real_dicom("sts003_ct") -> one image file of that series."""

    def first(name: str) -> Path:
        with zipfile.ZipFile(lamina_data / "dicom" / f"{name}.zip") as archive:
            entry = next(n for n in sorted(archive.namelist()) if n.endswith(".dcm") and "RS" not in n)
            target = tmp_path / f"{name}-source.dcm"
            target.write_bytes(archive.read(entry))
        return target

    return first
