"""Answers when nothing else could answer: a page for people, a problem document below /api/."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string

from server.core.errors import problem, wants_json


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(problem(code, detail, status), status=status, content_type="application/problem+json")
    try:
        return HttpResponse(render_to_string(f"{status}.html", {"detail": detail}, request), status=status)
    except TemplateDoesNotExist:
        return HttpResponse(detail, status=status, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "bad_request", "The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    # A page names its own reason; without one the plain sentence stands.
    return _answer(request, 403, "not_allowed", str(exception) or "Your role does not allow this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # The words are those of core.errors, so that a missing address and a foreign object look alike.
    return _answer(request, 404, "not_found", "There is no such object, or you may not see it.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500, "server_error", "Something went wrong on the server. It was written down.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "csrf", "This page was open too long. Reload it and try again.")
