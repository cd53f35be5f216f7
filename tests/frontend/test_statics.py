"""The front end's files: collected as in production, every import there, icons listed, sentences extractable."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
SCRIPTS = FRONTEND / "static" / "lamina"
IMPORT = re.compile(r"(?:\bfrom\s+|^\s*import\s+|\bimport\()[\"']([^\"'\n]+)[\"']", re.M)
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.S | re.M)


def modules() -> list[Path]:
    return sorted(path for path in SCRIPTS.rglob("*.js") if "catalogue" not in path.relative_to(SCRIPTS).parts)


def import_map() -> dict[str, str]:
    text = (FRONTEND / "templates" / "parts" / "import_map.json").read_text("utf-8")
    return dict(re.findall(r'"([^"]+)": "{% static "([^"]+)" %}"', text))


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lamina_catalogue", FRONTEND / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def vendor() -> Path:
    folder = FRONTEND / "vendor"
    if not folder.is_dir():
        pytest.skip("frontend/vendor is not there: the browser libraries were not put in place")
    return folder


def test_every_import_leads_to_a_file() -> None:
    known = import_map()
    for path in modules():
        for target in IMPORT.findall(COMMENT.sub("", path.read_text("utf-8"))):
            if target.startswith("."):
                assert (path.parent / target).resolve().is_file(), f"{path.name} imports {target}"
            elif "${" not in target:
                assert target in known, f"{path.name} imports {target}, which the import map does not name"


def test_the_import_map_leads_to_files(vendor: Path) -> None:
    for name, target in import_map().items():
        assert (vendor.parent / target).is_file(), f"{name} leads to {target}"


def test_versions_in_addresses_are_those_of_the_lock() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((FRONTEND / "package.json").read_text("utf-8"))["dependencies"]
    folders = {f"{name.split('/')[-1]}-{version}" for name, version in wanted.items()}
    for name, version in wanted.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    used: set[str] = set()
    for path in [*FRONTEND.glob("templates/**/*"), *SCRIPTS.rglob("*.css"), *modules()]:
        if path.is_file():
            used.update(re.findall(r"vendor/([a-z-]+-\d+\.\d+\.\d+)", path.read_text("utf-8")))
    assert used <= folders, f"addresses name {used - folders}, the lock has {folders}"
    assert "resolved" not in json.dumps(lock), "the lock names a registry"


def test_every_library_file_finds_its_imports(vendor: Path) -> None:
    for path in sorted(vendor.rglob("*.js")):
        for target in re.findall(r"(?:\bfrom|\bimport)\s*\(?\s*[\"'](\.{1,2}/[^\"']+)[\"']", path.read_text("utf-8")):
            assert (path.parent / target).resolve().is_file(), f"{path.relative_to(vendor)} imports {target}"


def test_icons_that_are_used_are_in_the_sprite(vendor: Path) -> None:
    listed = {line for line in (SCRIPTS / "icons.txt").read_text("utf-8").split("\n") if line and line[0] != "#"}
    assert sorted(listed) == list(dict.fromkeys(sorted(listed)))
    used: set[str] = set()
    for path in modules():
        used.update(re.findall(r"\bicon\(\"([a-z0-9-]+)\"", path.read_text("utf-8")))
    for path in FRONTEND.glob("templates/**/*.html"):
        text = path.read_text("utf-8")
        used.update(re.findall(r'icon\.html" with name="([a-z0-9-]+)"', text))
        used.update(re.findall(r'\bicon="([a-z0-9-]+)"', text))
    assert used <= listed, f"not in icons.txt: {sorted(used - listed)}"
    sprite = next(vendor.glob("lucide-static-*/sprite.svg")).read_text("utf-8")
    assert listed == set(re.findall(r'<symbol id="([^"]+)"', sprite)), "run node vendor.mjs in frontend/"


def test_no_markup_from_strings_and_no_evaluation() -> None:
    forbidden = re.compile(r"\.(innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(")
    for path in modules():
        found = forbidden.search(COMMENT.sub("", path.read_text("utf-8")))
        assert not found, f"{path.name}: {found and found[0]}"
    for path in FRONTEND.glob("templates/**/*.html"):
        text = path.read_text("utf-8")
        assert "|safe" not in text, path.name
        assert "autoescape off" not in text, path.name
        assert not re.search(r"\sstyle=|\son[a-z]+=", text), f"{path.name} has an inline style or handler"
        assert not re.search(r"<script(?![^>]*(\bsrc=|nonce=))", text), f"{path.name} has a script without nonce"


def test_one_component_per_file_and_no_god_objects() -> None:
    for path in modules():
        text = path.read_text("utf-8")
        assert text.count("customElements.define(") <= 1, f"{path.name} defines several elements"
        assert text.count("\n") <= 560, f"{path.name} has {text.count(chr(10))} lines: a room is missing"


def test_sentences_can_be_extracted(catalogue: ModuleType) -> None:
    for path in modules():
        if path.name != "i18n.js":
            assert catalogue.unreadable_calls(path.read_text("utf-8")) == [], path.name
    keys = catalogue.browser_keys()
    assert "Not for clinical use" in keys
    assert len(keys) > 200


def test_a_catalogue_is_built_from_po_files(catalogue: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"\n\n'
    body = 'msgid "Worklist"\nmsgstr "工作列表"\n\n'
    body += 'msgid "{count} slice"\nmsgid_plural "{count} slices"\nmsgstr[0] "{count} 层"\n'
    (folder / "djangojs.po").write_text(head + body, "utf-8")
    (folder / "django.po").write_text(head + body, "utf-8")
    assert catalogue.build(tmp_path, tmp_path / "out") == ["zh-hans"]
    made = (tmp_path / "out" / "zh-hans.js").read_text("utf-8")
    assert '"Worklist": "工作列表"' in made
    assert '"{count} slice": [' in made
    assert (folder / "django.mo").stat().st_size > 0


def test_keys_are_read_from_all_three_kinds_of_source(catalogue: ModuleType) -> None:
    script = 'x(gettext("Save"), ngettext("{n} a", "{n} as", 2))'
    assert catalogue.keys_of_script(script) == {"Save", ("{n} a", "{n} as")}
    assert catalogue.unreadable_calls("gettext(name)") == ["gettext(name)"]
    assert set(catalogue.keys_of_python('_("Name"); ngettext("%(n)d x", "%(n)d xs", n)')) == {
        "Name",
        ("%(n)d x", "%(n)d xs"),
    }
    template = '{% load i18n %}{% translate "Team" %}{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}'
    assert set(catalogue.keys_of_template(template)) == {"Team", "Hello %(name)s"}


def test_collecting_gives_every_module_its_imports(settings: Any, tmp_path: Path, vendor: Path) -> None:
    """As in production: hashed names, rewritten imports, libraries under their own names."""
    from django.contrib.staticfiles.management.commands.collectstatic import Command
    from django.core.management import call_command

    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "server.core.statics.LaminaStatics"}}
    call_command(Command(), interactive=False, verbosity=0)
    manifest = json.loads((tmp_path / "collected" / "staticfiles.json").read_text("utf-8"))["paths"]
    known = import_map()
    for name, stored in manifest.items():
        if not name.endswith(".js") or not name.startswith("lamina/"):
            continue
        text = COMMENT.sub("", (tmp_path / "collected" / stored).read_text("utf-8"))
        for target in IMPORT.findall(text):
            if target.startswith("/static/"):
                assert (tmp_path / "collected" / target.removeprefix("/static/")).is_file(), f"{name}: {target}"
            elif target.startswith("."):
                place = (PurePosixPath(stored).parent / target).as_posix()
                assert (tmp_path / "collected" / place).resolve().is_file(), f"{name}: {target}"
            elif "${" not in target:
                assert target in known, f"{name}: {target}"
    for target in known.values():
        assert (tmp_path / "collected" / target).is_file(), target
    for name, stored in manifest.items():
        if not name.endswith(".css") or not name.startswith("lamina/"):
            continue
        sheet = tmp_path / "collected" / stored
        for target in re.findall(r"url\([\"']?([^\"')]+)[\"']?\)", sheet.read_text("utf-8")):
            if not target.startswith("data:"):
                assert (sheet.parent / target).resolve().is_file(), f"{name}: {target}"
