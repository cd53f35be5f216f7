"""Template tags for what a page is made of, asked for before the browser finds out by itself.

Where collectstatic made bundles (`server.core.bundles`) a page names those, else its modules and sheets one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString

from server.core.bundles import PAGES, apart, names_of, sheets_of
from server.core.module_graph import all_of, closure, named

__all__ = ["closure", "named"]

register = template.Library()
WORKERS = ("lamina/scene/volume-worker.js",)


def is_bundled(page: str) -> bool:
    return names_of(page)[0] in getattr(staticfiles_storage, "hashed_files", {})


@register.simple_tag
def page_ahead(element: str, page: str) -> SafeString:
    """The style sheets and modules of a page, for `pages/ahead.js` to fetch when this page has time: the one that is
    likely to come next."""
    made = PAGES[page]
    if is_bundled(page):
        first, later, sheet = names_of(page)
        names = [sheet, first, *apart(made), later]
    else:
        names = [*sheets_of(page), *all_of([*made.entries, *made.soon, made.later])]
    return json_script([static(name) for name in dict.fromkeys([*names, *all_of(WORKERS)])], element)


@register.simple_tag
def page_modules(page: str) -> SafeString:
    """Ask for all modules of a page at once, and run its entries.

    Without the first the browser learns of each module only from the one that names it. Browsers fetch in this order,
    a few at a time, so what has to run first, or takes longest, stands first.
    """
    made = PAGES[page]
    if is_bundled(page):
        first, later, _sheet = names_of(page)
        soon = all_of(made.soon)
        rest = [name for name in apart(made) if name not in soon]
        return preloads([first, *soon, later, *rest]) + scripts([first])
    return preloads(all_of([*made.entries, *made.soon, made.later])) + scripts(made.entries)


def preloads(names: Iterable[str]) -> SafeString:
    return format_html_join("", '<link rel="modulepreload" href="{}">', ((static(name),) for name in names))


def scripts(names: Iterable[str]) -> SafeString:
    return format_html_join("", '<script type="module" src="{}"></script>', ((static(name),) for name in names))


@register.tag("sheets")
def sheets(parser: Any, token: Any) -> template.Node:
    """{% sheets "page" %} links to style sheets {% endsheets %}: these, or the one they were joined to."""
    page = token.split_contents()[1].strip('"')
    links = parser.parse(("endsheets",))
    parser.delete_first_token()
    return Sheets(page, links)


class Sheets(template.Node):
    def __init__(self, page: str, links: template.NodeList) -> None:
        self.page, self.links = page, links

    def render(self, context: template.Context) -> SafeString:
        if not is_bundled(self.page):
            return self.links.render(context)
        return format_html('<link rel="stylesheet" href="{}">', static(names_of(self.page)[2]))
