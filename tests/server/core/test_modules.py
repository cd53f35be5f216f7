"""The preload list of a page is the closure of its imports."""

from __future__ import annotations

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
