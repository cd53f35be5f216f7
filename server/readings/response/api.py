"""The table of target lesions over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.readings.response.rules import Change
from server.readings.response.table import Table, category_word, reason_of, table_of, warnings_of
from server.studies.api import visible_study
from server.studies.models import Study


class ResponseChangeSerializer(serializers.Serializer):
    mm = serializers.FloatField()
    percent = serializers.FloatField(allow_null=True)


class ResponseDateSerializer(serializers.Serializer):
    """`category` is null at the baseline and where nothing is judged; `word` and `reason` are for the reader."""

    study_id = serializers.UUIDField()
    study_date = serializers.DateField(allow_null=True)
    is_opened = serializers.BooleanField()
    is_baseline = serializers.BooleanField()
    is_nadir = serializers.BooleanField()
    sum_mm = serializers.FloatField(allow_null=True)
    missing = serializers.ListField(child=serializers.CharField())
    new_lesions = serializers.ListField(child=serializers.CharField())
    from_baseline = ResponseChangeSerializer(allow_null=True)
    from_nadir = ResponseChangeSerializer(allow_null=True)
    category = serializers.CharField(allow_null=True)
    word = serializers.CharField()
    reason = serializers.CharField()


class ResponseCellSerializer(serializers.Serializer):
    """`role` target and node: measured; gone: 0 mm; small: 5 mm. `times`: marks of that name; the newest counts."""

    study_id = serializers.UUIDField()
    mm = serializers.FloatField(allow_null=True)
    role = serializers.CharField()
    annotation_id = serializers.UUIDField()
    times = serializers.IntegerField()


class ResponseTargetSerializer(serializers.Serializer):
    name = serializers.CharField()
    is_node = serializers.BooleanField()
    organ = serializers.CharField()
    cells = ResponseCellSerializer(many=True)


class ResponseWarningSerializer(serializers.Serializer):
    code = serializers.CharField()
    text = serializers.CharField()


class ResponseTableSerializer(serializers.Serializer):
    """Dates from the baseline on, oldest first. Nothing is a target: no dates."""

    dates = ResponseDateSerializer(many=True)
    targets = ResponseTargetSerializer(many=True)
    warnings = ResponseWarningSerializer(many=True)
    rule = serializers.CharField()


def rule_sentence() -> str:
    return _(
        "Computed by the rules of RECIST 1.1 for target lesions (Eisenhauer 2009) from what was measured here. "
        "Other lesions are not part of it. No diagnosis, not for clinical use."
    )


def table_json(table: Table, study: Study) -> dict[str, Any]:
    dates = table.from_baseline
    sums = [one.sum_mm for one in table.judged]
    earlier = [(value, n) for n, value in enumerate(sums[:-1]) if value is not None]
    nadir = min(earlier)[1] if earlier else None
    return {
        "dates": [
            {
                "study_id": str(date.study.pk),
                "study_date": date.study.study_date and date.study.study_date.isoformat(),
                "is_opened": date.study.pk == study.pk,
                "is_baseline": n == 0,
                "is_nadir": n == nadir,
                "sum_mm": one.sum_mm,
                "missing": [table.names[key] for key in one.missing],
                "new_lesions": [table.names[key] for key in date.new_lesions],
                "from_baseline": _against(one.from_baseline),
                "from_nadir": _against(one.from_nadir),
                "category": one.category and str(one.category),
                "word": category_word(one.category),
                "reason": reason_of(one, table, date),
            }
            for n, (date, one) in enumerate(zip(dates, table.judged, strict=True))
        ],
        "targets": [
            {
                "name": table.names[target.name],
                "is_node": target.is_node,
                "organ": _(table.organs[target.organ]["meaning"]) if target.organ else "",
                "cells": [
                    {
                        "study_id": str(date.study.pk),
                        "mm": cell.mm,
                        "role": cell.mark.lesion_role,
                        "annotation_id": str(cell.mark.pk),
                        "times": cell.times,
                    }
                    for date in dates
                    if (cell := date.cells.get(target.name))
                ],
            }
            for target in table.targets
        ],
        "warnings": warnings_of(table),
        "rule": rule_sentence(),
    }


def _against(change: Change | None) -> dict[str, Any] | None:
    return asdict(change) if change else None


class ResponseView(APIView):
    @extend_schema(responses=ResponseTableSerializer, operation_id="studies_response")
    def get(self, request: Request, study_id: UUID) -> Response:
        """Target lesions of the patient up to this study, as the person may see them, judged by RECIST 1.1."""
        study = visible_study(request.user, study_id)
        return Response(table_json(table_of(study, request.user), study))


urlpatterns = [
    path("studies/<uuid:study_id>/response/", ResponseView.as_view(), name="api-study-response"),
]
