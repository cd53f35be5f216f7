"""The OpenAPI document knows every address of the API, and says what each answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS

METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
UNDESCRIBED = {"/api/schema/"}


def routes(resolver: Any = None, prefix: str = "/") -> list[tuple[str, Any]]:
    """Every address below /api/ with its view."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found.extend(routes(entry, path))
        elif isinstance(entry, URLPattern) and path.startswith("/api/"):
            found.append((re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path), entry.callback))
    return found


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiYamlRenderer

    document = SchemaGenerator().get_schema(request=None, public=True)
    return yaml.safe_load(OpenApiYamlRenderer().render(document, renderer_context={}))


def test_there_are_routes() -> None:
    assert len(routes()) > 30


def test_every_route_has_an_entry(schema: dict[str, Any]) -> None:
    known = set(schema["paths"]) | UNDESCRIBED
    assert [path for path, _view in routes() if path not in known] == []


def test_every_method_has_an_answer(schema: dict[str, Any]) -> None:
    missing = []
    for path, view in routes():
        if path in UNDESCRIBED:
            continue
        methods = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view.cls, name)}
        described = {name: entry for name, entry in schema["paths"][path].items() if name in METHODS}
        missing += [f"{name} {path}" for name in methods - set(described)]
        missing += [f"{name} {path} says no answer" for name, entry in described.items() if not entry["responses"]]
    assert missing == []


def test_operation_ids_are_unique(schema: dict[str, Any]) -> None:
    ids = [entry["operationId"] for path in schema["paths"].values() for name, entry in path.items() if name in METHODS]
    assert len(ids) == len(set(ids))


def test_route_names_do_not_take_those_of_pages() -> None:
    def names(resolver: Any, prefix: str = "/") -> list[str]:
        found: list[str] = []
        for entry in resolver.url_patterns:
            path = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                found += names(entry, path)
            elif path.startswith("/api/") and entry.name:
                found.append(entry.name)
        return found

    assert [name for name in names(get_resolver()) if not name.startswith("api-")] == []


def test_the_document_is_made_without_warnings(schema: dict[str, Any]) -> None:
    warned = [str(text) for text in GENERATOR_STATS._warn_cache] + [str(text) for text in GENERATOR_STATS._error_cache]
    assert warned == []


@pytest.mark.django_db
def test_the_document_is_served(api_client: Any) -> None:
    answer = api_client().get("/api/schema/")
    assert answer.status_code == 200
    assert b"/api/studies/{study_id}/" in answer.content
