"""Template tags for ES modules: what a page is made of, asked for before the browser finds out by itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.html import format_html_join, json_script
from django.utils.safestring import SafeString

register = template.Library()

_STATIC_IMPORT = re.compile(
    r"""^\s*(?:import\s*|(?:import|export)\b[^"'();]*?\bfrom\s*)["']([^"']+)["']""", re.MULTILINE
)
_NAMED = re.compile(r'"([^"]+)": "\{% static "([^"]+)" %\}"')
_FILE = re.compile(r'"((?:lamina|vendor)/[^"]+\.(?:js|css))"')


@cache
def named() -> dict[str, str]:
    """What a bare name such as "three" stands for: the page's import map."""
    return dict(_NAMED.findall(_source("parts/import_map.json")))


def _source(name: str) -> str:
    return str(get_template(name).template.source)  # type: ignore[attr-defined]


@lru_cache(maxsize=128)
def closure(entry: str) -> tuple[str, ...]:
    """Every module that `entry` reads by static imports, itself first, nearest first. Comments do not count.

    `entry` is a file's name or a name of the import map. A module that is not there is left out: collectstatic and the
    browser say so, each in its place.
    """
    seen = [named().get(entry, entry)]
    for name in seen:  # grows while it is walked
        for target in _STATIC_IMPORT.findall(Path(finders.find(name)).read_text(encoding="utf-8")):
            relative = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            found = relative if target.startswith(".") else named().get(target)
            if found and found not in seen and finders.find(found):
                seen.append(found)
    return tuple(seen)


def all_of(entries: Iterable[str]) -> dict[str, None]:
    """The modules of all entries, each once, in the order of the entries."""
    return dict.fromkeys(name for entry in entries for name in closure(entry))


@register.simple_tag
def page_ahead(element: str, page: str) -> SafeString:
    """The style sheets and modules that the template of a page names, for `pages/ahead.js` to fetch when this page has
    time: the one that is likely to come next."""
    named_there = dict.fromkeys(_FILE.findall(_source(page)))
    sheets = [name for name in named_there if name.endswith(".css")]
    modules = all_of(name for name in named_there if name.endswith(".js"))
    return json_script([static(name) for name in (*sheets, *modules)], element)


@register.simple_tag
def module_preloads(*entries: str) -> SafeString:
    """Ask for a page's modules at once: without this the browser learns of each only from the one that names it.

    Browsers fetch in this order, a few at a time, so what has to run first, or takes longest, stands first.
    """
    names = ((static(name),) for name in all_of(entries))
    return format_html_join("", '<link rel="modulepreload" href="{}">', names)
