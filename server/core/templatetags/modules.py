"""Template tags for ES modules."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join, json_script
from django.utils.safestring import SafeString

register = template.Library()

_STATIC_IMPORT = re.compile(
    r"""^\s*(?:import\s+|(?:import|export)\b[^"'();]*?\bfrom\s*)["'](\.{1,2}/[^"']+)["']""", re.MULTILINE
)


@lru_cache(maxsize=32)
def closure(entry: str) -> tuple[str, ...]:
    """Every module that `entry` reads by relative imports, itself first, nearest first. Comments do not count.

    A module that is not there is left out: collectstatic and the browser say so, each in its place.
    """
    seen = [entry]
    for name in seen:  # grows while it is walked
        for target in _STATIC_IMPORT.findall(Path(finders.find(name)).read_text(encoding="utf-8")):
            found = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if found not in seen and finders.find(found):
                seen.append(found)
    return tuple(seen)


@register.simple_tag
def modules_ahead(element: str, *entries: str) -> SafeString:
    """The modules of a page that is likely to come next, for `pages/ahead.js` to fetch when this one has time."""
    names = dict.fromkeys(name for entry in entries for name in closure(entry))
    return json_script([static(name) for name in names], element)


@register.simple_tag
def module_preloads(entry: str, after: str = "") -> SafeString:
    """Ask for a page's modules at once: without this the browser learns of each only from the one that names it.

    `after` is an entry whose modules were asked for already. Browsers fetch in this order, a few at a time, so what
    has to run first stands first.
    """
    there = closure(after) if after else ()
    names = ((static(name),) for name in closure(entry) if name not in there)
    return format_html_join("", '<link rel="modulepreload" href="{}">', names)
