"""The shape holds: who imports whom, what the web process loads, migrations that match the models."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_imports_point_one_way():
    result = run(str(Path(sys.executable).parent / "lint-imports"))
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-1000:]


HEAVY = ("torch", "vtk", "vtkmodules", "SimpleITK", "monai", "openvino", "numba", "scipy")


@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("the web process", "import server.asgi; from django.urls import get_resolver; get_resolver().url_patterns"),
        ("the sweeper and the guard", "import django; django.setup(); import server.celery, server.jobs.guard"),
        ("describing the algorithms", "from server import engine; engine.describe()"),
    ],
)
def test_no_heavy_library_is_loaded_by(what, statement):
    code = f"import sys\n{statement}\nprint(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    result = run(sys.executable, "-c", code)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip() == "", f"{what} loads {result.stdout}"


@pytest.mark.django_db
def test_migrations_match_the_models():
    output = StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=output)
    except SystemExit:
        pytest.fail(output.getvalue())


@pytest.mark.django_db
def test_every_route_has_an_entry_in_the_schema(client):
    from tests.server.test_route_matrix import API

    schema = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert schema.status_code == 200
    paths = schema.content.decode()
    import re

    missing = [
        route
        for route in API
        if route != "schema/"
        and "/api/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) + ":" not in paths.replace('"', "")
    ]
    assert missing == []


def test_no_file_names_a_package_registry():
    # Built from halves, so that this file does not name one itself.
    hosts = ["py" + "pi.org", "files.python" + "hosted", "registry.np" + "mjs", "deb.deb" + "ian.org"]
    listed = run("git", "ls-files", "-z").stdout.split("\0")
    found = []
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 4_000_000:
            text = path.read_bytes()
            found += [f"{name}: {host}" for host in hosts if host.encode() in text]
    assert found == []


def test_no_page_or_service_bypasses_escaping_or_unpickles():
    patterns = [
        "mark_" + "safe(",
        "|" + "safe",
        ".inner" + "HTML",
        "pickle.loa" + "d",
        "torch.loa" + "d(",
        "shell=" + "True",
    ]
    listed = run("git", "ls-files", "server", "frontend/static", "frontend/templates", "recon_engine", "deploy").stdout
    found = []
    for name in listed.split():
        if name.endswith((".py", ".js", ".html")):
            text = (ROOT / name).read_text(encoding="utf-8")
            found += [f"{name}: {pattern}" for pattern in patterns if pattern in text]
    assert found == []
