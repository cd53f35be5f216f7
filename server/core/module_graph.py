"""Which modules a module reads: its static imports, followed to the end. Comments do not count."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import get_template

_STATIC_IMPORT = re.compile(
    r"""^\s*(?:import\s*|(?:import|export)\b[^"'();]*?\bfrom\s*)["']([^"']+)["']""", re.MULTILINE
)
_NAMED = re.compile(r'"([^"]+)": "\{% static "([^"]+)" %\}"')


def template_source(name: str) -> str:
    return str(get_template(name).template.source)  # type: ignore[attr-defined]


@cache
def named() -> dict[str, str]:
    """What a bare name such as "three" stands for: the pages' import map."""
    return dict(_NAMED.findall(template_source("parts/import_map.json")))


def text_of(name: str) -> str:
    return Path(finders.find(name)).read_text(encoding="utf-8")


def resolved(target: str, importer: str) -> str | None:
    """The file an import means: relative to its importer, or by the import map; None for a name nobody knows."""
    if target.startswith("."):
        return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))
    return named().get(target)


def imports_of(name: str) -> Iterator[str]:
    """Files that a module names. One that is not there is left out: collectstatic and the browser say so."""
    for target in _STATIC_IMPORT.findall(text_of(name)):
        found = resolved(target, name)
        if found and finders.find(found):
            yield found


@lru_cache(maxsize=128)
def closure(entry: str) -> tuple[str, ...]:
    """Every module that `entry` (a file, or a name of the import map) reads, itself first, nearest first."""
    seen = dict.fromkeys([named().get(entry, entry)])
    waiting = list(seen)
    for name in waiting:  # grows while it is walked
        for found in imports_of(name):
            if found not in seen:
                seen[found] = None
                waiting.append(found)
    return tuple(seen)


def all_of(entries: Iterable[str]) -> list[str]:
    """The modules of all entries, each once, in the order of the entries."""
    return list(dict.fromkeys(name for entry in entries for name in closure(entry)))
