"""Single slices and packed slabs over HTTP."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from server.core import storage
from server.core.errors import LaminaError
from server.core.files import content_digest
from server.studies import slices
from server.studies.models import Series
from server.studies.packing import packed
from server.studies.selectors import series_visible_to

PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
MOST_PACKED = 16 << 20
MOST_SIZE = 4096


def _volume(request: Request, series_id: UUID) -> Series:
    series = get_object_or_404(series_visible_to(request.user), pk=series_id)
    if series.volume is None or not series.voxels_ref:
        raise NotFound
    return series


def _number(request: Request, name: str, default: float, low: float, high: float) -> float:
    """A number of the query. Raises LaminaError 400 where it is none or lies outside."""
    given = request.query_params.get(name)
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        message = _("%(name)s must be a number from %(low)s to %(high)s.")
        raise LaminaError("bad_request", message % {"name": name, "low": f"{low:g}", "high": f"{high:g}"}, 400)
    return value


def _damaged(error: storage.IntegrityError, series: Series) -> None:
    error.facts.update({"cure": "import_again", "series_id": str(series.pk), "study_id": str(series.study_id)})


class PackedView(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("first", int), OpenApiParameter("count", int)],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        operation_id="series_packed",
    )
    def get(self, request: Request, series_id: UUID, number: int = 0) -> HttpResponse:
        """Slices `first` to `first + count - 1` for a slow line: raw deflate of row differences (packing.py)."""
        series = _volume(request, series_id)
        if number > len(series.phase_refs):
            raise NotFound
        depth, rows, columns = series.shape
        first = int(_number(request, "first", 0, 0, depth - 1))
        most = max(1, min(depth - first, MOST_PACKED // (rows * columns * 2)))
        count = int(_number(request, "count", 1, 1, most))
        try:
            body = packed(slices.slab(series, first, count, number))
        except storage.IntegrityError as error:
            _damaged(error, series)
            raise
        return HttpResponse(body, content_type="application/octet-stream", headers=PRIVATE | content_digest(body))


class PhasePackedView(PackedView):
    @extend_schema(
        parameters=[OpenApiParameter("first", int), OpenApiParameter("count", int)],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        operation_id="series_phase_packed",
    )
    def get(self, request: Request, series_id: UUID, number: int = 0) -> HttpResponse:
        """The same of one volume of a 4D series; 0 is the series' own."""
        return super().get(request, series_id, number)


class SliceView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("width", float, description="of the window, in the volume's unit"),
            OpenApiParameter("level", float),
            OpenApiParameter("inverted", bool),
            OpenApiParameter("size", int, description="longest edge in px; 0 is the slice's own"),
            OpenApiParameter("as", str, enum=["picture", "values"]),
        ],
        responses={(200, "image/png"): OpenApiTypes.BINARY, (200, "application/octet-stream"): OpenApiTypes.BINARY},
        operation_id="series_slice",
    )
    def get(self, request: Request, series_id: UUID, plane: str, number: int) -> HttpResponse:
        """One slice across index axis k, j or i; rows and columns are the other two axes in their order.

        As a picture: 8-bit grey PNG through the window. As values: little-endian int16 as stored.
        """
        series = _volume(request, series_id)
        if plane not in slices.AXES or number >= series.shape[slices.AXES[plane]]:
            raise NotFound
        axis = slices.AXES[plane]
        try:
            if request.query_params.get("as") == "values":
                body = slices.stored_slice(series, axis, number).astype("<i2", copy=False).tobytes()
                return HttpResponse(
                    body, content_type="application/octet-stream", headers=PRIVATE | content_digest(body)
                )
            own: Any = (series.volume or {}).get("window") or (400.0, 40.0)
            width = _number(request, "width", float(own[0]), 1e-6, 1e9)
            level = _number(request, "level", float(own[1]), -1e9, 1e9)
            size = int(_number(request, "size", 0, 0, MOST_SIZE))
            inverted = request.query_params.get("inverted") in {"1", "true"}
            body = slices.picture(series, axis, number, (width, level), inverted=inverted, size=size)
        except storage.IntegrityError as error:
            _damaged(error, series)
            raise
        return HttpResponse(body, content_type="image/png", headers=PRIVATE)
