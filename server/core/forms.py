"""The body of a request, checked by a serializer."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer


def checked(serializer: type[BaseSerializer], request: Request) -> dict[str, Any]:
    """What the body says, in Python values. Raises ValidationError, answered as 422 with the fields that are wrong."""
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return form.validated_data
