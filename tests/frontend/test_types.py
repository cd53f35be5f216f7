"""The types that stand in the browser modules' comments, checked by the TypeScript compiler; nothing is built."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
COMPILER = FRONTEND / "node_modules" / "typescript" / "bin" / "tsc"


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None or not COMPILER.is_file():
        pytest.skip("npm's dev packages are not installed: the browser modules' types were not checked")
    return found


def test_every_module_keeps_its_types(node: str) -> None:
    done = subprocess.run(
        [node, str(COMPILER), "--project", str(FRONTEND / "tsconfig.json")], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]


def test_a_wrong_type_is_found(node: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.js").write_text('/** @type {number} */\nexport const size = "large";\n', "utf-8")
    words = [node, str(COMPILER), "--allowJs", "--checkJs", "--noEmit", str(tmp_path / "wrong.js")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert "not assignable to type 'number'" in done.stdout
