"""Keyset pages: the next page begins after the last row of this one, so page 2,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from server.core.errors import LaminaError

MOST = 200


@dataclass(frozen=True)
class Order:
    """One column and the id. `kind` revives the column's value from the cursor. Nulls come last."""

    column: str
    kind: type
    descending: bool = False
    nullable: bool = False


def _decode(cursor: str, order: Order) -> tuple[Any, UUID]:
    try:
        value, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if value is not None:
            value = order.kind.fromisoformat(value) if order.kind in {datetime, date} else order.kind(value)
        return value, UUID(row_id)
    except (ValueError, TypeError, AttributeError):
        raise LaminaError("bad_cursor", _("The page mark is not one of ours. Start at the first page."), 400) from None


def _encode(value: Any, row_id: UUID) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    return base64.urlsafe_b64encode(json.dumps([text, str(row_id)]).encode()).decode()


def after(rows: QuerySet, order: Order, value: Any, row_id: UUID) -> QuerySet:
    """Rows behind (value, id) in this order, among those with a value or, for None, among those without."""
    name, side = order.column, "lt" if order.descending else "gt"
    if value is None:
        return rows.filter(**{f"{name}__isnull": True, f"id__{side}": row_id})
    beyond = Q(**{f"{name}__{side}": value}) | Q(**{name: value, f"id__{side}": row_id})
    # The plain bound lets the index find the place; PostgreSQL does not see it through the OR.
    return rows.filter(beyond, **{f"{name}__{side}e": value})


def ordered(rows: QuerySet, order: Order) -> QuerySet:
    if order.nullable:
        column = F(order.column)
        first = column.desc(nulls_last=True) if order.descending else column.asc(nulls_last=True)
        return rows.order_by(first, "-id" if order.descending else "id")
    sign = "-" if order.descending else ""
    return rows.order_by(f"{sign}{order.column}", f"{sign}id")


def page_size(request: Request, default: int = 50) -> int:
    text = request.query_params.get("limit", "")
    return max(1, min(MOST, int(text))) if text.isdigit() else default


def page_of(
    request: Request, rows: QuerySet, orders: Mapping[str, Order], default: str
) -> tuple[list[Any], str | None]:
    """The rows of the asked page and the mark of the next one. Raises LaminaError for an unknown order or mark."""
    name = request.query_params.get("order", "") or default
    if name not in orders:
        known = ", ".join(orders)
        raise LaminaError("unknown_order", _("Sort by one of: %(known)s.") % {"known": known}, 400)
    order = orders[name]
    size = page_size(request)
    wanted, value = rows, ...
    if cursor := request.query_params.get("after", ""):
        value, row_id = _decode(cursor, order)
        wanted = after(rows, order, value, row_id)
    found = list(ordered(wanted, order)[: size + 1])
    if order.nullable and value not in (None, ...) and len(found) <= size:
        # Behind the last row with a value come those without.
        without = ordered(rows.filter(**{f"{order.column}__isnull": True}), order)
        found += without[: size + 1 - len(found)]
    page = found[:size]
    more = len(found) > size
    return page, _encode(getattr(page[-1], order.column), page[-1].pk) if more else None
