"""Sending a POST again does nothing twice: the Idempotency-Key header.

The first request inserts its key in the transaction that does the work. A second one with the same key waits on
the unique index until the first has committed, then reads its answer; if the first rolled back, the second does
the work instead.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from server.core.errors import LaminaError
from server.core.models import IdempotentRequest

REPEATED = 200
KEY_LENGTH = 128


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Decorate a DRF view method. Without the header it behaves as before."""

    @functools.wraps(view)
    def wrapped(self: Any, request: Any, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return view(self, request, *args, **kwargs)
        if len(key) > KEY_LENGTH:
            message = f"The Idempotency-Key has {len(key)} characters; {KEY_LENGTH} are allowed."
            raise LaminaError("idempotency_key_too_long", message, 400)
        route = request.resolver_match.view_name or request.resolver_match.route
        body = json.dumps(request.data, sort_keys=True, default=str)
        digest = hashlib.sha256(body.encode()).hexdigest()
        identity = {"person_id": request.user.pk, "key": key}
        try:
            with transaction.atomic():
                with transaction.atomic():
                    row = IdempotentRequest.objects.create(**identity, route=route, body_digest=digest)
                response = view(self, request, *args, **kwargs)
                row.status = response.status_code
                row.answer = json.loads(JSONRenderer().render(response.data))
                row.save()
                return response
        except IntegrityError:
            earlier = IdempotentRequest.objects.filter(**identity).first()
            if earlier is None:
                raise
        if (earlier.route, earlier.body_digest) != (route, digest):
            message = "This Idempotency-Key was used for another request. Use a new key for each new act."
            raise LaminaError("idempotency_key_reused", message, 422)
        return Response(earlier.answer, status=REPEATED)

    return wrapped
