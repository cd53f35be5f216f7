"""What a page asks for at once is what its modules import: each once, nothing else."""

from __future__ import annotations

import json
import re

from django.contrib.staticfiles import finders
from django.template import Context, Template

from server.core.templatetags.modules import closure, named


def rendered(tag: str) -> str:
    return Template("{% load modules %}{% " + tag + " %}").render(Context())


def test_every_module_is_named_once_and_comments_name_none() -> None:
    names = closure("lamina/pages/study/page.js")
    assert len(names) == len(set(names))
    assert names[0] == "lamina/pages/study/page.js"
    assert {"lamina/pages/study/volume-session.js", "lamina/geometry/half.js"} <= set(names)
    assert all(finders.find(name) for name in names)


def test_a_bare_name_is_what_the_import_map_says() -> None:
    three = closure("three")
    assert three[0] == named()["three"]
    assert three[1].endswith("/three.core.min.js")  # what it imports itself
    assert set(three) <= set(closure("lamina/scene/stage.js"))


def test_the_worklist_names_all_that_the_study_page_is_made_of() -> None:
    html = rendered('page_ahead "next" "study"')
    text = re.fullmatch(r'<script id="next" type="application/json">(.*)</script>', html)
    assert text is not None
    names = json.loads(text[1])
    assert len(names) == len(set(names))
    files = {name.rsplit("/", 1)[1] for name in names}
    assert {"study.js", "stage.js", "three.module.min.js", "three.core.min.js"} <= files
    assert {"study.css", "study-viewports.css", "volume-worker.js"} <= files


def test_what_stands_first_is_asked_for_first_and_once() -> None:
    html = rendered('page_modules "study"')
    asked = re.findall(r'href="/static/([^"]+)"', html)
    first, three, page = "lamina/pages/shell.js", named()["three"], "lamina/pages/study/page.js"
    assert asked[0] == first
    assert asked.index("lamina/scene/card.js") < asked.index(three) < asked.index(page)
    assert len(asked) == len(set(asked))
    assert html.count("<script") == 2
