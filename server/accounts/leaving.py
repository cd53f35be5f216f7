"""What other apps must put right when a person leaves a project or reads there no longer. accounts knows no app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Leaving = Callable[..., Any]
_callbacks: list[Leaving] = []


def on_leaving(callback: Leaving) -> None:
    """callback(user_id=, project_id=, by=) inside the transaction that takes the role."""
    if callback not in _callbacks:
        _callbacks.append(callback)


def tell_leaving(*, user_id: Any, project_id: Any, by: Any) -> None:
    for callback in _callbacks:
        callback(user_id=user_id, project_id=project_id, by=by)
