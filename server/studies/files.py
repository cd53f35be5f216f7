"""Answering stored files, and saying what to do when one is damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from rest_framework.exceptions import NotFound

from server.core import storage
from server.core.files import ranged


def stored_file(
    request: Any,
    ref: str,
    content_type: str,
    *,
    filename: str | None = None,
    encoding: str | None = None,
    on_damage: Callable[[], dict[str, Any]] | None = None,
    digest_up_to: int = 0,
) -> HttpResponseBase:
    """One stored object with ranges; 404 where there is none.

    `on_damage` runs when the object fails its integrity check; what it returns joins the problem's facts, so that
    the page can offer the cure.
    """
    if not ref:
        raise NotFound
    try:
        return ranged(request, ref, content_type, filename=filename, encoding=encoding, digest_up_to=digest_up_to)
    except storage.IntegrityError as error:
        if on_damage is not None:
            error.facts.update(on_damage())
        raise
