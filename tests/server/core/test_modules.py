"""The preload list of a page is the closure of its imports."""

from __future__ import annotations

import json
import re

from django.contrib.staticfiles import finders
from django.template import Context, Template

from server.core.templatetags.modules import closure


def test_every_module_is_named_once_and_comments_name_none() -> None:
    names = closure("lamina/pages/study/page.js")
    assert len(names) == len(set(names))
    assert names[0] == "lamina/pages/study/page.js"
    assert {"lamina/pages/study/volume-session.js", "lamina/geometry/half.js"} <= set(names)
    assert all(finders.find(name) for name in names)
    html = Template('{% load modules %}{% module_preloads "lamina/pages/study/page.js" %}').render(Context())
    assert html.count('rel="modulepreload"') == len(names)


def test_the_worklist_names_the_modules_of_the_study_page_once() -> None:
    entries = '"lamina/pages/study.js" "vendor/three-0.185.1/build/three.module.min.js" "lamina/pages/study/page.js"'
    html = Template('{% load modules %}{% modules_ahead "next" ' + entries + " %}").render(Context())
    text = re.fullmatch(r'<script id="next" type="application/json">(.*)</script>', html)
    assert text is not None
    names = json.loads(text[1])
    assert len(names) == len(set(names))
    files = {name.rsplit("/", 1)[1] for name in names}
    assert {"study.js", "stage.js", "three.module.min.js", "three.core.min.js"} <= files


def test_what_was_asked_for_is_not_asked_for_twice() -> None:
    tag = '{% load modules %}{% module_preloads "lamina/pages/study/page.js" after="lamina/pages/study.js" %}'
    html = Template(tag).render(Context())
    assert "scene/stage.js" in html
    assert "scene/card.js" not in html
