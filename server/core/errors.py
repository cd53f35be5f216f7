"""Errors with a stable code, answered as RFC 9457 problem details.

A missing object and somebody else's object answer with the same bytes, so that an id tells nothing.
"""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

log = logging.getLogger("lamina.errors")

TITLES = {
    400: "The request cannot be carried out",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "This address does not do that",
    409: "Something changed in between",
    413: "Too large",
    415: "Not a format this address takes",
    422: "The values do not fit",
    429: "Too many requests",
    500: "Something went wrong on the server",
    503: "A part of the system is away",
    507: "Storage is full",
}


class LaminaError(Exception):
    """A refusal people can read: `code` is stable, `message` names the thing, the rule and the cure."""

    def __init__(self, code: str, message: str, status: int = 400, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = str(message)
        self.status = status
        self.facts = facts


def problem(code: str, detail: str, status: int, **facts: Any) -> dict[str, Any]:
    """The body of a problem document (RFC 9457 section 3.1)."""
    title = TITLES.get(status, "Error")
    return {"type": f"/problems/{code}", "title": title, "status": status, "detail": detail, "code": code, **facts}


def as_json_response(error: LaminaError) -> JsonResponse:
    """For plain Django views."""
    body = problem(error.code, error.message, error.status, **error.facts)
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Unknown exceptions return None and become a 500 through `server_error`."""
    headers: dict[str, str] = {}
    match error:
        case LaminaError():
            body = problem(error.code, error.message, error.status, **error.facts)
        case Http404() | exceptions.NotFound():
            body = problem("not_found", "There is no such object, or you may not see it.", 404)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            body = problem("signed_out", "Sign in and try again.", 401)
        case PermissionDenied() | exceptions.PermissionDenied():
            detail = str(getattr(error, "detail", "") or "Your role does not allow this.")
            body = problem("not_allowed", detail, 403)
        case exceptions.ValidationError():
            body = problem("invalid", "Some values do not fit.", 422, fields=error.detail)
        case ValidationError():
            body = problem("invalid", " ".join(error.messages), 422)
        case exceptions.Throttled():
            headers["Retry-After"] = str(int(error.wait or 1))
            body = problem("too_many_requests", "Wait a moment and try again.", 429)
        case exceptions.APIException():
            body = problem(str(error.default_code), str(error.detail), error.status_code)
        case OperationalError():
            log.error("database away: %s", type(error).__name__)
            headers["Retry-After"] = "5"
            body = problem("database_away", "The database does not answer. Nothing was changed. Try again.", 503)
        case _:
            return None
    response = Response(body, status=body["status"], content_type="application/problem+json", headers=headers)
    request = context.get("request")
    if request is not None:
        from rest_framework.views import set_rollback

        set_rollback()
    return response


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
