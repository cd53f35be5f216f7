"""A page of many small modules as two files: what collectstatic makes for the viewer, beside the modules themselves.

Asking a browser for 250 files costs it 0.4 s of its own time, even from its own cache. So each module becomes a
function that is called once, in the order in which the browser would have run the modules, and gives what the module
exports. Nothing is renamed and nothing left out. Libraries, and the module of the catalogue, which waits at its top,
stay files of their own. In work on the pages and in most tests the modules are served as they are.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.core.module_graph import all_of, imports_of, resolved, template_source, text_of

FOLDER = "lamina/bundles"
APART = "lamina/i18n.js"


@dataclass(frozen=True)
class Page:
    """`entries` run first and must be there soon; `later` is what the last of them imports once it has begun.

    `soon` names libraries worth asking for between the two.
    """

    template: str
    entries: tuple[str, ...]
    later: str
    soon: tuple[str, ...] = ()


PAGES = {
    "study": Page(
        "study.html", ("lamina/pages/shell.js", "lamina/pages/study.js"), "lamina/pages/study/page.js", ("three",)
    )
}

_IMPORT = re.compile(r'^import\s*(?:\{([^}]*)\}\s*from\s*)?"([^"]+)";[^\S\n]*$', re.MULTILINE)
_REEXPORT = re.compile(r'^export\s*\{([^}]*)\}\s*from\s*"([^"]+)";[^\S\n]*$', re.MULTILINE)
_EXPORT = re.compile(
    r"^export (?=(?:async )?(?:function\*?|class) ([A-Za-z_$][\w$]*)|const ([A-Za-z_$][\w$]*))", re.MULTILINE
)
_LATER = re.compile(r'^( *const \w+ = )import\("(\.[^"]+)"\);$', re.MULTILINE)
_LEFT = re.compile(r"^(?:import\b(?!\()|export\b).*", re.MULTILINE)
_SHEETS = re.compile(r'\{% sheets "(\w+)" %\}(.*?)\{% endsheets %\}', re.DOTALL)
_SHEET = re.compile(r'\{% static "([^"]+\.css)" %\}')


class NotBundled(Exception):
    """A module is written in a way that the bundle does not know: its name, and the line."""


def names_of(page: str) -> tuple[str, str, str]:
    """(first modules, later modules, style sheet) of a page's bundles."""
    return f"{FOLDER}/{page}.js", f"{FOLDER}/{page}-later.js", f"{FOLDER}/{page}.css"


def is_ours(name: str) -> bool:
    return name.startswith("lamina/") and name != APART


def apart(page: Page) -> list[str]:
    """The modules a bundled page still asks for beside its bundles, in the order in which they are wanted."""
    return [name for name in all_of([*page.entries, *page.soon, page.later]) if not is_ours(name)]


def sheets_of(page: str) -> list[str]:
    """The style sheets of a page: those between {% sheets %} and {% endsheets %} of its template."""
    return _SHEET.findall(dict(_SHEETS.findall(template_source(PAGES[page].template)))[page])


def made(stored: Callable[[str], str], keep: Callable[[str, str], str]) -> None:
    """Make every bundle. Raises NotBundled.

    `stored` gives the name under which a file lies; `keep` takes a bundle's name and text and gives that of the bundle.
    """
    for key, page in PAGES.items():
        first, later, sheet = names_of(key)
        begun = ordered(page.entries)
        rest = [name for name in ordered((page.later,)) if name not in begun]
        kept = keep(later, Bundle(later, rest, stored, before=begun).text(gives=page.later))
        keep(first, Bundle(first, begun, stored, later=(page.later, kept)).text())
        keep(sheet, "\n".join(_sheet(name) for name in sheets_of(key)))


def _sheet(name: str) -> str:
    text = text_of(name)
    if re.search(r"url\(|@import|@charset", text):
        raise NotBundled(f"{name}: names another file, which would lie elsewhere")
    return text


def ordered(entries: Sequence[str]) -> list[str]:
    """Our modules of the entries, each after what it imports: the order in which a browser runs them."""
    out: dict[str, None] = {}
    way: list[str] = []

    def visit(name: str) -> None:
        if name in out or not is_ours(name):
            return
        if name in way:
            raise NotBundled(f"{' -> '.join([*way, name])}: modules import each other in a ring")
        way.append(name)
        for other in imports_of(name):
            visit(other)
        way.pop()
        out[name] = None

    for entry in entries:
        visit(entry)
    return list(out)


class Bundle:
    """One file of the modules `names`, in that order.

    `before`: modules of the bundle that asks for this one. `later`: a module that is imported when it is wanted, and
    the file it stands in.
    """

    def __init__(
        self,
        target: str,
        names: Sequence[str],
        stored: Callable[[str], str] = str,
        *,
        before: Sequence[str] = (),
        later: tuple[str, str] | None = None,
    ) -> None:
        self.target, self.names, self.stored = target, names, stored
        self.here = {name: f"m{number}" for number, name in enumerate(names)}
        self.before, self.later = before, later
        self.outside: dict[str, str] = {}

    def text(self, gives: str = "") -> str:
        """The file. With `gives` it exports `start(modules of the bundle before)`, which answers that module."""
        bodies = "\n".join(self._function(name) for name in self.names)
        heads = "".join(f'import * as {name} from "{address}";\n' for address, name in self.outside.items())
        if gives:
            # In brackets, so that the browser compiles it at once and not a second time when it is called.
            return f"{heads}export const start = (function (before) {{\n{bodies}\nreturn {self.here[gives]};\n}});\n"
        kept = ", ".join(f"{json.dumps(name)}: {short}" for name, short in self.here.items())
        return f"{heads}{bodies}\nconst modules = {{ {kept} }};\n"

    def _source(self, wanted: str, importer: str) -> str:
        found = resolved(wanted, importer)
        if found is None:
            raise NotBundled(f"{importer}: nobody knows {wanted}")
        if found in self.here:
            return self.here[found]
        if found in self.before:
            return f"before[{json.dumps(found)}]"
        address = self._address(self.stored(found)) if wanted.startswith(".") else wanted
        return self.outside.setdefault(address, f"x{len(self.outside)}")

    def _address(self, name: str) -> str:
        path = posixpath.relpath(name, posixpath.dirname(self.target))
        return path if path.startswith(".") else f"./{path}"

    def _function(self, name: str) -> str:
        taken: list[str] = []
        given: dict[str, str] = {}

        def take(match: re.Match[str]) -> str:
            source = self._source(match[2], name)
            pairs = [": ".join(one.split(" as ")) for one in _parts(match[1])]
            if pairs:
                taken.append(f"const {{ {', '.join(pairs)} }} = {source};\n")
            return ""

        def hand_on(match: re.Match[str]) -> str:
            source = self._source(match[2], name)
            for one in _parts(match[1]):
                inner, _as, outer = one.partition(" as ")
                given[outer or inner] = f"{outer or inner}: {source}.{inner}"
            return ""

        def give(match: re.Match[str]) -> str:
            own = match[1] or match[2]
            given[own] = own
            return ""

        def ask_later(match: re.Match[str]) -> str:
            if self.later is None or resolved(match[2], name) != self.later[0]:
                raise NotBundled(f"{name}: import({match[2]}) stands in no bundle")
            return f'{match[1]}import("{self._address(self.later[1])}").then(({{ start }}) => start(modules));'

        text = text_of(name)
        for pattern, act in ((_IMPORT, take), (_REEXPORT, hand_on), (_EXPORT, give), (_LATER, ask_later)):
            text = pattern.sub(act, text)
        if left := _LEFT.search(text):
            raise NotBundled(f"{name}: {left[0]}")
        # Who gives nothing may wait at its top; nobody waits for it.
        head, tail = ("", f"return {{ {', '.join(given.values())} }};\n") if given else ("async ", "")
        return f"// {name}\nconst {self.here[name]} = ({head}() => {{\n{''.join(taken)}{text.strip()}\n{tail}}})();"


def _parts(names: str | None) -> list[str]:
    return [one for one in (part.strip() for part in (names or "").split(",")) if one]
