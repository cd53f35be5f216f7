"""The viewer's modules as two files: they run as the modules do, and what cannot be bundled is named."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template

from server.core import bundles, module_graph
from server.core.bundles import APART, PAGES, Bundle, NotBundled, names_of, ordered, sheets_of
from server.core.module_graph import closure
from server.core.templatetags import modules as tags

FILES = {
    "lamina/one.js": (
        'import { say, LOUD as strong } from "./deep/say.js";\n'
        'import {\n  Box,\n  later,\n} from "./box.js";\n'
        'import "./deep/effect.js";\n/** @import { Box } from "./box.js" */\n'
        '/** @type {import("./box.js").Box} */\nconst box = new Box(2);\n'
        "say(`one ${box.size} ${later()} ${strong}`);\n"
        'const more = import("./more.js");\nif (box) {\n  const { open } = await more;\n  say(await open(3));\n}\n'
    ),
    "lamina/deep/say.js": (
        'export const LOUD = "!";\nexport function say(text) {\n  console.log(text);\n}\nsay("say is here");\n'
    ),
    "lamina/deep/effect.js": 'import { say } from "./say.js";\nsay("effect");\n',
    "lamina/box.js": (
        'export { LOUD, say as shout } from "./deep/say.js";\n'
        "export class Box {\n  constructor(size) {\n    this.size = size;\n  }\n}\n"
        'let count = 0;\nexport const later = () => `later ${(count += 1)}`;\n'
    ),
    "lamina/more.js": (
        'import { Box, later, shout } from "./box.js";\nimport { join } from "node:path";\n'
        'import { word } from "./i18n.js";\nshout("more");\n'
        "export async function open(size) {\n"
        '  return `${new Box(size).size} ${later()} ${word} ${join("a", "b")}`;\n}\n'
    ),
    "lamina/i18n.js": 'export const word = await Promise.resolve("word");\n',
}  # fmt: skip


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """lay(files) -> a folder that holds them, in place of ours."""

    def put(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(module_graph.finders, "find", lambda name: str(tmp_path / name))
        monkeypatch.setattr(module_graph, "named", lambda: {"node:path": "vendor/path.js"})
        (tmp_path / "vendor").mkdir(exist_ok=True)
        (tmp_path / "vendor" / "path.js").write_text("")
        (tmp_path / "package.json").write_text('{"type": "module"}')
        return tmp_path

    return put


def node(path: Path) -> str:
    done = subprocess.run(["node", path.name], cwd=path.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_bundle_does_what_its_modules_do(lay: Any) -> None:
    """Order, names, one copy of each module, what is imported later, and waiting at the top."""
    root = lay(FILES)
    wanted = node(root / "lamina/one.js")
    assert wanted.splitlines() == ["say is here", "effect", "one 2 later 1 !", "more", "3 later 2 word a/b"]
    begun = ordered(["lamina/one.js"])
    assert begun == ["lamina/deep/say.js", "lamina/box.js", "lamina/deep/effect.js", "lamina/one.js"]
    (root / "lamina/out").mkdir()
    rest = Bundle("lamina/out/rest.js", ["lamina/more.js"], before=begun).text(gives="lamina/more.js")
    (root / "lamina/out/rest.js").write_text(rest, encoding="utf-8")
    first = Bundle("lamina/out/first.js", begun, later=("lamina/more.js", "lamina/out/rest.js")).text()
    (root / "lamina/out/first.js").write_text(first, encoding="utf-8")
    assert node(root / "lamina/out/first.js") == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("export let changing = 1;\n", "export let changing"),
        ("export default 1;\n", "export default"),
        ('export * from "./c.js";\n', "export *"),
        ('import all from "./c.js";\n', "import all"),
        ('import { b } from "nobody";\n', "nobody knows nobody"),
        ('import { b } from "./b.js";\n', "in a ring"),
        ('  const later = import("./b.js");\n', "stands in no bundle"),
    ],
)
def test_what_the_bundle_does_not_know_is_named(lay: Any, text: str, said: str) -> None:
    others = {
        "lamina/b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
        "lamina/c.js": "export const c = 1;\n",
    }
    lay({"lamina/a.js": text, **others})
    with pytest.raises(NotBundled, match=said.replace("*", r"\*")):
        Bundle("lamina/out.js", ordered(["lamina/a.js"])).text()


def test_the_viewer_is_bundled_whole(tmp_path: Path) -> None:
    kept: dict[str, str] = {}

    def keep(name: str, text: str) -> str:
        kept[name] = text
        return f"{name}?kept"

    bundles.made(lambda name: f"{name}?stored", keep)
    first, later, sheet = names_of("study")
    for name in (first, later):
        path = tmp_path / f"{Path(name).stem}.mjs"
        path.write_text(kept[name], encoding="utf-8")
        subprocess.run(["node", "--check", path], check=True, capture_output=True)
    page = PAGES["study"]
    ours = {name for entry in (*page.entries, page.later) for name in closure(entry) if name.startswith("lamina/")}
    assert all(f"// {name}\n" in kept[first] + kept[later] for name in ours - {APART})
    assert f'import("./{Path(later).name}?kept")' in kept[first]
    assert '"../i18n.js?stored"' in kept[first]
    assert len(sheets_of("study")) > 15
    assert ".viewports" in kept[sheet]


def test_a_page_names_its_bundles_where_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def page() -> str:
        text = '{% load modules %}{% sheets "study" %}<link href="a.css">{% endsheets %}{% page_modules "study" %}'
        return Template(text).render(Context())

    assert 'href="a.css"' in page()
    assert page().count("modulepreload") > 150
    monkeypatch.setattr(tags, "is_bundled", lambda page: True)
    html = page()
    assert 'rel="stylesheet" href="/static/lamina/bundles/study.css"' in html
    assert html.count("<script") == 1
    assert 'src="/static/lamina/bundles/study.js"' in html
    assert "lamina/scene" not in html
    assert html.index("bundles/study.js") < html.index("three.module.min.js") < html.index("bundles/study-later.js")
