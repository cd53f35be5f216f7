"""Every route x role x method: who is let in, who is told no, and for whom the object does not exist.

A route without a row fails, so nobody adds an address without saying who may use it. "In" means the request
passed the permission (its empty body may then be refused as 422 or 409).
"""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.server.world import ROLES, World, make_world

IN, NO, HIDDEN, OUT = "in", "403", "404", "401"

# Who gets what, in the order of ROLES: anonymous, stranger, viewer, reader, project admin, site admin (no member).
AUDIENCES = {
    "open": (IN, IN, IN, IN, IN, IN),
    "signed in": (OUT, IN, IN, IN, IN, IN),
    "own": (OUT, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN),  # nobody here owns the id asked for
    "project": (OUT, HIDDEN, IN, IN, IN, IN),  # name and members, for members and those who run the site
    "view": (OUT, HIDDEN, IN, IN, IN, HIDDEN),
    "work": (OUT, HIDDEN, NO, IN, IN, HIDDEN),
    "author": (OUT, HIDDEN, NO, IN, NO, HIDDEN),  # written by the reader
    "work or run": (OUT, HIDDEN, NO, IN, IN, IN),
    "view or run": (OUT, HIDDEN, IN, IN, IN, IN),
    "delete": (OUT, HIDDEN, NO, NO, IN, HIDDEN),
    "manage": (OUT, HIDDEN, NO, NO, IN, IN),
    "manage inside": (OUT, HIDDEN, NO, NO, IN, HIDDEN),  # numbers by person: members only
    "adjudicator": (OUT, HIDDEN, NO, NO, NO, HIDDEN),  # nobody here adjudicates the case
    "manage by site": (OUT, HIDDEN, NO, NO, NO, IN),
    "sender": (OUT, HIDDEN, HIDDEN, IN, HIDDEN, HIDDEN),  # uploads: only who sends them
    "sends somewhere": (OUT, IN, NO, IN, IN, NO),  # the stranger has a project of their own
    "site": (OUT, NO, NO, NO, NO, IN),
    "site, else hidden": (OUT, HIDDEN, HIDDEN, HIDDEN, HIDDEN, IN),
}

API = {
    "me/": {"GET": "signed in", "PATCH": "signed in"},
    "me/password/": {"POST": "signed in"},
    "me/sessions/": {"GET": "signed in"},
    "me/sessions/<int:session_id>/": {"DELETE": "own"},
    "invitations/<str:token>/": {"GET": "open", "POST": "open"},
    "projects/": {"GET": "signed in", "POST": "site"},
    "projects/<uuid:project_id>/": {"GET": "project", "PATCH": "manage"},
    "projects/<uuid:project_id>/members/": {"GET": "project", "POST": "manage by site"},
    "projects/<uuid:project_id>/members/<uuid:user_id>/": {"PATCH": "manage", "DELETE": "manage"},
    "projects/<uuid:project_id>/invitations/": {"GET": "manage", "POST": "manage"},
    "projects/<uuid:project_id>/invitations/<uuid:invitation_id>/": {"DELETE": "manage"},
    "people/": {"GET": "site"},
    "people/<uuid:user_id>/": {"PATCH": "site, else hidden"},
    "people/<uuid:user_id>/reset-password/": {"POST": "site, else hidden"},
    "people/<uuid:user_id>/end-sessions/": {"POST": "site, else hidden"},
    "events/": {"GET": "view"},
    "jobs/": {"GET": "signed in"},
    "jobs/<uuid:job_id>/": {"GET": "view or run"},
    "jobs/<uuid:job_id>/cancel/": {"POST": "work or run"},
    "jobs/<uuid:job_id>/retry/": {"POST": "work or run"},
    "studies/": {"GET": "signed in"},
    "studies/facts/": {"GET": "signed in"},
    "studies/<uuid:study_id>/": {"GET": "view", "DELETE": "delete"},
    "studies/<uuid:study_id>/restore/": {"POST": "delete"},
    "studies/<uuid:study_id>/erase/": {"POST": "delete"},
    "series/<uuid:series_id>/": {"GET": "view"},
    "series/<uuid:series_id>/voxels/": {"GET": "view"},
    "series/<uuid:series_id>/packed/": {"GET": "view"},
    "series/<uuid:series_id>/phases/<int:number>/voxels/": {"GET": "view"},
    "series/<uuid:series_id>/phases/<int:number>/packed/": {"GET": "view"},
    "series/<uuid:series_id>/slices/<slug:plane>/<int:number>/": {"GET": "view"},
    "series/<uuid:series_id>/preview/": {"GET": "view"},
    "series/<uuid:series_id>/thumbnail/": {"GET": "view"},
    "series/<uuid:series_id>/pictures/<int:number>/": {"GET": "view"},
    "series/<uuid:series_id>/algorithms/": {"GET": "view"},
    "series/<uuid:series_id>/fusion/": {"GET": "view"},
    "series/<uuid:series_id>/fusion/<uuid:moving_id>/": {"GET": "view"},
    "series/<uuid:series_id>/registration/<uuid:moving_id>/": {"GET": "view", "POST": "work"},
    "series/<uuid:series_id>/registration/<uuid:moving_id>/accept/": {"POST": "work"},
    "studies/<uuid:study_id>/response/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/change/<uuid:other_id>/": {"GET": "view"},
    "studies/<uuid:study_id>/transforms/": {"GET": "view", "POST": "work"},
    "transforms/<uuid:transform_id>/": {"DELETE": "work"},  # made by the reader
    "studies/<uuid:study_id>/annotations/": {"GET": "view", "POST": "work"},
    "annotations/<uuid:annotation_id>/": {"GET": "view"},
    "annotations/<uuid:annotation_id>/operations/": {"GET": "view"},
    "annotation-codes/": {"GET": "signed in"},
    "studies/<uuid:study_id>/threads/": {"GET": "view", "POST": "work"},
    "threads/<uuid:thread_id>/": {"GET": "view"},
    "threads/<uuid:thread_id>/comments/": {"POST": "work"},
    "threads/<uuid:thread_id>/resolve/": {"POST": "work"},
    "threads/<uuid:thread_id>/reopen/": {"POST": "work"},
    "comments/<uuid:comment_id>/": {"PATCH": "author"},
    "comments/<uuid:comment_id>/versions/": {"GET": "view"},
    "studies/<uuid:study_id>/key-images/": {"GET": "view", "POST": "work"},
    "key-images/<uuid:key_image_id>/": {"GET": "view", "DELETE": "work"},
    "studies/<uuid:study_id>/reports/": {"GET": "view", "POST": "view"},
    "reports/<uuid:report_id>/": {"GET": "view"},
    "reports/<uuid:report_id>/pdf/": {"GET": "view"},
    "notices/": {"GET": "signed in"},
    "notices/read/": {"POST": "signed in"},
    "reconstructions/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/repeat/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/manifest/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/labelmap/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/slices/<slug:plane>/<int:number>/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/labelmap.nii.gz": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/surfaces/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/surfaces.glb": {"GET": "view"},
    "series/<uuid:series_id>/segmentations/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/edit/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/operations/": {"GET": "view", "POST": "work"},
    "segmentations/<uuid:segmentation_id>/undo/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/redo/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/steps/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/refine/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/previews/<uuid:job_id>/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/versions/": {"GET": "view", "POST": "work"},
    "segmentations/<uuid:segmentation_id>/compare/": {"GET": "view"},
    "segmentations/<uuid:segmentation_id>/restore/": {"POST": "work"},
    "segmentations/<uuid:segmentation_id>/segments/<int:number>/surface/": {"GET": "view"},
    "segment-types/": {"GET": "signed in"},
    "comparisons/": {"POST": "view"},
    "comparisons/<uuid:comparison_id>/": {"GET": "view"},
    "comparisons/<uuid:comparison_id>/labels/": {"GET": "view"},
    "comparisons/<uuid:comparison_id>/surfaces/": {"GET": "view"},
    "worklist/": {"GET": "signed in"},
    "projects/<uuid:project_id>/protocol/": {"GET": "project", "PUT": "manage"},
    "projects/<uuid:project_id>/cases/": {"GET": "project", "POST": "manage"},
    "cases/<uuid:case_id>/": {"GET": "view"},
    "cases/<uuid:case_id>/reassign/": {"POST": "delete"},
    "readings/<uuid:reading_id>/begin/": {"POST": "sender"},  # only who reads
    "readings/<uuid:reading_id>/answers/": {"PUT": "sender"},
    "readings/<uuid:reading_id>/commit/": {"POST": "sender"},
    "readings/<uuid:reading_id>/submit/": {"POST": "sender"},
    "readings/<uuid:reading_id>/differences/": {"GET": "own", "POST": "own"},  # opens with the commit
    "readings/<uuid:reading_id>/verdicts/": {"POST": "own"},
    "readings/<uuid:reading_id>/verdicts/<str:key>/": {"DELETE": "own"},
    "algorithms/": {"GET": "signed in"},
    "intakes/": {"POST": "work"},
    "intakes/<uuid:intake_id>/": {"GET": "sender", "DELETE": "sender"},
    "intakes/<uuid:intake_id>/inspect/": {"POST": "sender"},
    "intakes/<uuid:intake_id>/changes/": {"GET": "sender"},
    "intakes/<uuid:intake_id>/thumbnails/<int:number>/": {"GET": "own"},  # not inspected yet: no picture
    "intakes/<uuid:intake_id>/import/": {"POST": "sender"},
    "uploads/": {"POST": "sender"},
    "uploads/<uuid:upload_id>/": {"HEAD": "sender", "PATCH": "sender", "DELETE": "sender"},
    "operations/": {"GET": "site"},
    "cases/<uuid:case_id>/agreement/": {"GET": "view"},
    "cases/<uuid:case_id>/adjudication/": {"GET": "adjudicator", "POST": "adjudicator"},
    "cases/<uuid:case_id>/adjudication/picks/": {"POST": "adjudicator"},
    "cases/<uuid:case_id>/adjudication/submit/": {"POST": "adjudicator"},
    "cases/<uuid:case_id>/adjudicator/": {"GET": "delete", "POST": "delete"},
    "cases/<uuid:case_id>/consensus/": {"POST": "work"},
    "cases/<uuid:case_id>/consensus/<uuid:consensus_id>/": {"GET": "view", "POST": "work"},
    "cases/<uuid:case_id>/consensus/<uuid:consensus_id>/labelmap/": {"GET": "view"},
    "cases/<uuid:case_id>/approval/": {"GET": "view", "POST": "work"},
    "cases/<uuid:case_id>/final/": {"PUT": "work"},
    "cases/<uuid:case_id>/reopen/": {"POST": "delete"},
    "cases/<uuid:case_id>/signatures/<uuid:signature_id>/": {"GET": "view"},
    "projects/<uuid:project_id>/agreement/": {"GET": "manage inside"},
    "projects/<uuid:project_id>/reliance/": {"GET": "work"},  # readers: their own
    "projects/<uuid:project_id>/audit/": {"GET": "manage"},
    "projects/<uuid:project_id>/audit/verify/": {"GET": "manage"},
    "projects/<uuid:project_id>/audit/export/": {"GET": "manage"},
    "schema/": {"GET": "open"},
}

PAGES = {
    "": "signed in",
    "import/": "sends somewhere",
    "studies/<uuid:study_id>/": "view",
    "reports/<uuid:report_id>/": "view",
    "algorithms/": "signed in",
    "operations/": "site",
    "settings/": "signed in",
    "projects/": "signed in",
    "projects/<slug:slug>/team/": "project",
    "projects/<slug:slug>/reading/": "view",
    "projects/<slug:slug>/agreement/": "manage inside",
    "projects/<slug:slug>/reliance/": "work",
    "projects/<slug:slug>/audit/": "manage",
    "components/": "site",
    "invitations/<str:token>/": "open",
}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def routes(patterns, prefix=""):
    for entry in patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, address)
        elif isinstance(entry, URLPattern):
            yield address, entry


def api_routes():
    return {a.removeprefix("api/"): e for a, e in routes(get_resolver().url_patterns) if a.startswith("api/")}


def page_routes():
    return {a: e for a, e in routes(get_resolver().url_patterns) if not a.startswith(("api/", "accounts/"))}


def fill(route: str, ids: dict) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids[match[1]]), route)


def body_for(route: str, world: World) -> dict:
    """Where the object of a request stands in its body or query, not in its address."""
    return {
        "reconstructions/": {"series": str(world.ids["series_id"]), "algorithm": "bone-ct"},
        "comments/<uuid:comment_id>/": {"text": "better", "base_version": 1},
        "comparisons/": {"left": str(world.ids["segmentation_id"]), "right": str(world.ids["segmentation_id"])},
        "intakes/": {"project": str(world.project.pk)},
        "intakes/<uuid:intake_id>/import/": {"series": [{"key": "1"}], "consent": True},
    }.get(route, {})


def ask(client: Client, method: str, route: str, world: World, ids: dict):
    address = "/api/" + fill(route, ids)
    headers = {}
    if route == "events/":
        address += f"?stream=study:{ids['study_id']}"
    if route.startswith("uploads/"):
        import base64

        intake = base64.b64encode(str(world.ids["intake_id"]).encode()).decode()
        name = base64.b64encode(b"b.dcm").decode()
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Offset": "0",
                   "Upload-Metadata": f"intake {intake},filename {name}"}  # fmt: skip
        return client.generic(method, address, b"", content_type="application/offset+octet-stream", headers=headers)
    if method in {"GET", "HEAD"}:
        return client.generic(method, address, headers=headers)
    import json

    return client.generic(method, address, json.dumps(body_for(route, world)), content_type="application/json")


def outcome(response) -> str:
    has_problem = not response.streaming and response.content.startswith(b"{")  # an answer to HEAD has none
    if response.status_code == 403 and has_problem:
        # The address itself let them in: a fresh password, the old one, or the invited address is missing.
        if response.json()["code"] in {"reauthentication_needed", "wrong_password", "other_address"}:
            return IN
        return NO
    if response.status_code == 404 and has_problem:
        return HIDDEN if response.json()["code"] == "not_found" else IN
    return {401: OUT, 403: NO, 404: HIDDEN}.get(response.status_code, IN)


def client_of(world: World, role: str) -> Client:
    client = Client(raise_request_exception=True)
    if world.people[role] is not None:
        client.force_login(world.people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def world(transactional_db):
    from server.algorithms.services import sync_algorithms

    sync_algorithms()
    return make_world()


def test_matrix_has_a_row_for_every_route():
    assert set(api_routes()) == set(API), "say in this table who may use a new address"
    assert set(page_routes()) == set(PAGES)


def test_matrix_has_every_method():
    for route, entry in api_routes().items():
        view = getattr(entry.callback, "view_class", None) or entry.callback.cls
        has = {m for m in METHODS if hasattr(view, m.lower())} - ({"HEAD"} if "HEAD" not in API[route] else set())
        assert has == set(API[route]), route


def test_matrix_of_roles_over_the_api(world):
    wrong = []
    sessions = {role: client_of(world, role) for role in ROLES}
    for route, methods in API.items():
        for method, audience in methods.items():
            for role, expected in zip(ROLES, AUDIENCES[audience], strict=True):
                with transaction.atomic():
                    response = ask(sessions[role], method, route, world, world.ids)
                    transaction.set_rollback(True)
                if (got := outcome(response)) != expected or response.status_code >= 500:
                    wrong.append(f"{method} {route} as {role}: {got} ({response.status_code}), expected {expected}")
    assert not wrong, "\n".join(wrong)


def test_matrix_answers_a_foreign_object_like_a_missing_one(world):
    """The same status, body and headers for another project's object as for an id nobody has."""
    stranger = client_of(world, "stranger")
    nobody = {name: uuid.uuid4() for name in world.ids} | {"number": 0, "session_id": 987654, "token": "x" * 43}
    nobody["slug"] = "no-such-project"
    compared = 0
    for route, methods in API.items():
        for method, audience in methods.items():
            if "_id" not in route or AUDIENCES[audience][1] != HIDDEN:
                continue
            answers = []
            for ids in (world.ids, nobody):
                with transaction.atomic():
                    response = ask(stranger, method, route, world, ids)
                    transaction.set_rollback(True)
                kept = {
                    k: v for k, v in response.headers.items() if "nonce" not in v and k != "Content-Security-Policy"
                }
                answers.append((response.status_code, response.content, kept))
            assert answers[0] == answers[1], f"{method} {route}"
            compared += 1
    assert compared > 20


def test_matrix_of_roles_over_the_pages(world):
    wrong = []
    for role_index, role in enumerate(ROLES):
        client = client_of(world, role)
        for route, audience in PAGES.items():
            expected = AUDIENCES[audience][role_index]
            response = client.get("/" + fill(route, world.ids))
            signed_out = response.status_code == 302 and response["Location"].startswith("/accounts/login/")
            got = OUT if signed_out else outcome(response)
            if got != expected or response.status_code >= 500:
                wrong.append(f"/{route} as {role}: {got} ({response.status_code}), expected {expected}")
            if expected != IN or audience in {"signed in", "open", "site"}:
                text = response.content.decode()
                leaked = [p for p in world.planted if p in text and str(world.ids["study_id"]) != p]
                if leaked and role in {"anonymous", "stranger", "site_admin"}:
                    wrong.append(f"/{route} as {role} shows {leaked}")
    assert not wrong, "\n".join(wrong)
