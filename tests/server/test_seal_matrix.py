"""One matrix proves the seal: every route, page, file and stream, for every role, searched for what is planted.

`CARRIES` says of every address which planted things it can show to whoever may see them: nothing; `result` (the
algorithm's and shared work); `read` (a reader's work); `names` (of readers, beside their work). An address without a
row fails. What it does not carry nobody meets there, not even the admin; what it carries the admin does meet, so the
search is known to find it; everybody else meets what is open to them and nothing more.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from server.readings.cases.sealing import CaseRule
from server.realtime import registry
from server.realtime.models import Stream
from server.reconstructions.editing import downloads
from server.studies import sealing
from tests.server.reconstructions.conftest import make_result
from tests.server.sealed_world import (
    GROUPS,
    READERS,
    Sealed,
    ask,
    fill,
    found,
    go_to_adjudication,
    grouped,
    heard,
    make_sealed,
)
from tests.server.test_route_matrix import api_routes, page_routes

__all__ = ["make_result"]

pytestmark = pytest.mark.django_db

CARRIES: dict[str, str] = {
    "api/me/": "",
    "api/me/password/": "",
    "api/me/sessions/": "",
    "api/me/sessions/<int:session_id>/": "",
    "api/invitations/<str:token>/": "",
    "api/projects/": "",
    "api/projects/<uuid:project_id>/": "",
    "api/projects/<uuid:project_id>/members/": "",
    "api/projects/<uuid:project_id>/members/<uuid:user_id>/": "",
    "api/projects/<uuid:project_id>/invitations/": "",
    "api/projects/<uuid:project_id>/invitations/<uuid:invitation_id>/": "",
    "api/people/": "",
    "api/people/<uuid:user_id>/": "",
    "api/people/<uuid:user_id>/reset-password/": "",
    "api/people/<uuid:user_id>/end-sessions/": "",
    "api/events/": "read result",
    "api/jobs/": "read result",
    "api/jobs/<uuid:job_id>/": "read result",
    "api/jobs/<uuid:job_id>/cancel/": "",
    "api/jobs/<uuid:job_id>/retry/": "",
    "api/studies/": "result",
    "api/studies/facts/": "",
    "api/studies/<uuid:study_id>/": "names read result",
    "api/series/<uuid:series_id>/": "",
    "api/series/<uuid:series_id>/voxels/": "",
    "api/series/<uuid:series_id>/packed/": "",
    "api/series/<uuid:series_id>/slices/<slug:plane>/<int:number>/": "",
    "api/series/<uuid:series_id>/preview/": "",
    "api/series/<uuid:series_id>/thumbnail/": "",
    "api/series/<uuid:series_id>/pictures/<int:number>/": "",
    "api/studies/<uuid:study_id>/restore/": "",
    "api/studies/<uuid:study_id>/erase/": "",
    "api/series/<uuid:series_id>/fusion/": "",
    "api/series/<uuid:series_id>/fusion/<uuid:moving_id>/": "",
    "api/series/<uuid:series_id>/registration/<uuid:moving_id>/": "",
    "api/series/<uuid:series_id>/registration/<uuid:moving_id>/accept/": "",
    "api/studies/<uuid:study_id>/response/": "read result",
    "api/segmentations/<uuid:segmentation_id>/change/<uuid:other_id>/": "",
    "api/studies/<uuid:study_id>/transforms/": "",
    "api/transforms/<uuid:transform_id>/": "",
    "api/intakes/": "",
    "api/intakes/<uuid:intake_id>/": "",
    "api/intakes/<uuid:intake_id>/inspect/": "",
    "api/intakes/<uuid:intake_id>/changes/": "",
    "api/intakes/<uuid:intake_id>/thumbnails/<int:number>/": "",
    "api/intakes/<uuid:intake_id>/import/": "",
    "api/uploads/": "",
    "api/uploads/<uuid:upload_id>/": "",
    "api/algorithms/": "",
    "api/reconstructions/": "",
    "api/series/<uuid:series_id>/algorithms/": "",
    "api/segmentations/<uuid:segmentation_id>/": "names read result",
    "api/segmentations/<uuid:segmentation_id>/repeat/": "",
    "api/segmentations/<uuid:segmentation_id>/manifest/": "result",
    "api/segmentations/<uuid:segmentation_id>/labelmap/": "",
    "api/segmentations/<uuid:segmentation_id>/slices/<slug:plane>/<int:number>/": "",
    "api/segmentations/<uuid:segmentation_id>/labelmap.nii.gz": "result",
    "api/segmentations/<uuid:segmentation_id>/surfaces/": "result",
    "api/segmentations/<uuid:segmentation_id>/surfaces.glb": "result",
    "api/series/<uuid:series_id>/segmentations/": "",
    "api/segment-types/": "",
    "api/segmentations/<uuid:segmentation_id>/edit/": "",
    "api/segmentations/<uuid:segmentation_id>/operations/": "names read",
    "api/segmentations/<uuid:segmentation_id>/undo/": "",
    "api/segmentations/<uuid:segmentation_id>/redo/": "",
    "api/segmentations/<uuid:segmentation_id>/steps/": "read",
    "api/segmentations/<uuid:segmentation_id>/refine/": "",
    "api/segmentations/<uuid:segmentation_id>/previews/<uuid:job_id>/": "",
    "api/segmentations/<uuid:segmentation_id>/versions/": "names",
    "api/segmentations/<uuid:segmentation_id>/compare/": "read",
    "api/segmentations/<uuid:segmentation_id>/restore/": "",
    "api/segmentations/<uuid:segmentation_id>/segments/<int:number>/surface/": "result",
    "api/comparisons/": "",
    "api/comparisons/<uuid:comparison_id>/": "names read result",
    "api/comparisons/<uuid:comparison_id>/labels/": "read",
    "api/comparisons/<uuid:comparison_id>/surfaces/": "read",
    "api/studies/<uuid:study_id>/annotations/": "names read result",
    "api/annotations/<uuid:annotation_id>/": "names read result",
    "api/annotations/<uuid:annotation_id>/operations/": "names read result",
    "api/annotation-codes/": "",
    "api/cases/<uuid:case_id>/agreement/": "",
    "api/cases/<uuid:case_id>/adjudication/": "read",
    "api/cases/<uuid:case_id>/adjudication/picks/": "",
    "api/cases/<uuid:case_id>/adjudication/submit/": "",
    "api/cases/<uuid:case_id>/adjudicator/": "",
    "api/cases/<uuid:case_id>/consensus/": "",
    "api/cases/<uuid:case_id>/consensus/<uuid:consensus_id>/": "",
    "api/cases/<uuid:case_id>/consensus/<uuid:consensus_id>/labelmap/": "",
    "api/projects/<uuid:project_id>/agreement/": "",
    "api/projects/<uuid:project_id>/reliance/": "",
    "api/projects/<uuid:project_id>/protocol/": "",
    "api/projects/<uuid:project_id>/cases/": "names read",
    "api/cases/<uuid:case_id>/": "names read",
    "api/cases/<uuid:case_id>/reassign/": "",
    "api/readings/<uuid:reading_id>/begin/": "",
    "api/readings/<uuid:reading_id>/answers/": "",
    "api/readings/<uuid:reading_id>/commit/": "",
    "api/readings/<uuid:reading_id>/submit/": "",
    "api/worklist/": "read result",
    "api/readings/<uuid:reading_id>/differences/": "read result",
    "api/readings/<uuid:reading_id>/verdicts/": "",
    "api/readings/<uuid:reading_id>/verdicts/<str:key>/": "",
    "api/studies/<uuid:study_id>/threads/": "names read result",
    "api/threads/<uuid:thread_id>/": "names read result",
    "api/threads/<uuid:thread_id>/comments/": "",
    "api/threads/<uuid:thread_id>/resolve/": "",
    "api/threads/<uuid:thread_id>/reopen/": "",
    "api/comments/<uuid:comment_id>/": "",
    "api/comments/<uuid:comment_id>/versions/": "",
    "api/notices/": "",
    "api/notices/read/": "",
    "api/studies/<uuid:study_id>/key-images/": "",
    "api/key-images/<uuid:key_image_id>/": "",
    "api/studies/<uuid:study_id>/reports/": "",
    "api/reports/<uuid:report_id>/": "",
    "api/reports/<uuid:report_id>/pdf/": "",
    "api/cases/<uuid:case_id>/approval/": "",
    "api/cases/<uuid:case_id>/final/": "",
    "api/cases/<uuid:case_id>/reopen/": "",
    "api/cases/<uuid:case_id>/signatures/<uuid:signature_id>/": "",
    "api/operations/": "",
    "api/projects/<uuid:project_id>/audit/": "read result",
    "api/projects/<uuid:project_id>/audit/verify/": "",
    "api/projects/<uuid:project_id>/audit/export/": "read result",
    "api/schema/": "",
    "": "",
    "import/": "",
    "studies/<uuid:study_id>/": "",
    "reports/<uuid:report_id>/": "",
    "algorithms/": "",
    "operations/": "",
    "settings/": "",
    "projects/": "",
    "projects/<slug:slug>/team/": "",
    "projects/<slug:slug>/reading/": "",
    "projects/<slug:slug>/agreement/": "",
    "projects/<slug:slug>/reliance/": "",
    "projects/<slug:slug>/audit/": "",
    "components/": "",
    "invitations/<str:token>/": "",
    "api/series/<uuid:series_id>/phases/<int:number>/voxels/": "",
    "api/series/<uuid:series_id>/phases/<int:number>/packed/": "",
}
MEMBERS_SHOW_NAMES = re.compile(r"projects/<\w+:\w+>/(members|team|audit|invitations)|people/")
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def world(make_user: Any, make_project: Any, make_study: Any, make_result: Any, monkeypatch: Any) -> Sealed:
    from server import engine
    from server.algorithms.services import sync_algorithms

    monkeypatch.setattr(engine, "encloses", lambda algorithm: {})
    monkeypatch.setattr(downloads, "PATIENCE_SECONDS", 0.0)
    sync_algorithms()
    return make_sealed(make_user, make_project, make_study, make_result)


def addresses() -> dict[str, Any]:
    api = {f"api/{route}": entry for route, entry in api_routes().items()}
    return api | page_routes()


def kind_of(group: str) -> str:
    return "read" if group.startswith("read:") else "result"


def bodies(route: str, world: Sealed) -> list[dict[str, Any]]:
    """Bodies that name what is closed, where an address takes ids in its body."""
    drawn = [world.ids[group]["segmentation_id"] for group in GROUPS]
    if route == "api/comparisons/":
        return [{"left": str(a), "right": str(b)} for a in drawn for b in drawn if a != b]
    return [{}]


class Walk:
    """One role over the addresses; `wrong` says what it met that it may not, `shown` what each address showed."""

    def __init__(self, world: Sealed, role: str, *, writes: bool = False) -> None:
        """With `writes` also what changes something is tried, where the address names nothing closed."""
        self.world, self.role, self.writes = world, role, writes
        self.client = world.client(role)
        self.closed = world.closed(role)
        self.wrong: list[str] = []
        self.shown: dict[str, set[str]] = {}
        self.asked = 0

    def over(self, routes: Any) -> Walk:
        for route, entry in addresses().items():
            if route in routes:
                self.one(route, entry)
        return self

    def one(self, route: str, entry: Any) -> None:
        view = getattr(entry.callback, "view_class", None) or getattr(entry.callback, "cls", None)
        methods = ["GET"] if view is None or hasattr(view, "get") else []
        if self.writes and view is not None and (self.role == "sealed" or not grouped(route, self.world)):
            methods += [method for method in WRITES if hasattr(view, method.lower())]
        for group in GROUPS if grouped(route, self.world) else [None]:
            ids = self.world.base | (self.world.ids[group] if group else self.world.ids["result"])
            address = "/" + fill(route, ids)
            for method in methods:
                for body in bodies(route, self.world) if method != "GET" else [{}]:
                    self.answer(route, method, address, group, body)
        if route == "api/events/":
            for stream in self.world.streams():
                kept = Stream.objects.filter(name=stream).values_list("kept_from", flat=True).first() or 1
                self.answer(route, "GET", f"/{route}?stream={stream}&after={kept - 1}", None, {})

    def answer(self, route: str, method: str, address: str, group: str | None, body: Any) -> None:
        status, whole, problem = ask(self.client, method, address, body)
        self.asked += 1
        where = f"{method} {route} as {self.role}" + (f" with ids of {group}" if group else "")
        carried, shown = CARRIES.get(route, "").split(), self.shown.setdefault(route, set())
        if status >= 500 and problem.get("code") != "being_made":
            self.wrong.append(f"{where}: {status}")
        for secret_of, text in found(whole, self.world.secrets):
            if method == "GET":
                shown.add(kind_of(secret_of))
            if secret_of in self.closed:
                self.wrong.append(f"{where} shows {text!r} of {secret_of}")
            elif kind_of(secret_of) not in carried and method == "GET":
                self.wrong.append(f"{where} shows {text!r}: its row names no {kind_of(secret_of)}")
        if not MEMBERS_SHOW_NAMES.search(route):
            names = [f"Planted {one.title()} Name".encode() for one in READERS if one != self.role]
            if method == "GET" and any(name in whole for name in names):
                shown.add("names")
            told = [name for name in self.world.names(self.role) if name.encode() in whole]
            self.wrong += [f"{where} shows the name {name!r}" for name in told]
        if (
            group in self.closed and status != 404 and "<uuid:case_id>" not in route
        ):  # a case says itself that it is sealed
            self.wrong.append(f"{where} answers {status}, not 404")


STUDY_VARIABLES = re.compile(r"<\w+:(?!user_id|session_id|invitation_id|token|intake_id|upload_id)\w+>")


def about_studies() -> list[str]:
    """Addresses that name something of a project, or list what a person may see."""
    lists = {"", "api/jobs/", "api/studies/", "api/studies/facts/", "api/worklist/", "api/events/", "api/comparisons/"}
    lists |= {"api/notices/", "api/projects/", "projects/"}
    return [route for route in addresses() if route in lists or STUDY_VARIABLES.search(route)]


def walk_all(world: Sealed, roles: tuple[str, ...], routes: list[str], shown: dict[str, set[str]]) -> list[str]:
    """What the roles met that they may not, on these addresses and on every stream they may follow."""
    wrong: list[str] = []
    for role in roles:
        walk = Walk(world, role, writes=role in {"sealed", "unassigned"}).over(routes)
        wrong += walk.wrong
        for route, kinds in walk.shown.items():
            shown.setdefault(route, set()).update(kinds)
        for stream, told in heard(world, role):
            wrong += [f"{role} hears {text!r} on {stream}" for _group, text in found(told, walk.closed)]
            wrong += [f"{role} hears {name!r} on {stream}" for name in world.names(role) if name.encode() in told]
    return wrong


def test_seal_matrix_has_a_row_for_every_address() -> None:
    assert set(addresses()) == set(CARRIES), "say in this table what a new address may show to whom it is open"
    for route, carried in CARRIES.items():
        assert not carried or route in about_studies(), f"{route} is not walked"


EVERYBODY = ("lead", *READERS, "judge", "viewer", "unassigned")


def streams_of(world: Sealed, role: str) -> set[str]:
    """Whose streams the role may follow; a socket asks the same rule at each step."""
    person = world.people[role]
    return {whose for stream, whose in world.streams().items() if registry.may_see(person, stream)}


def check_streams(world: Sealed) -> None:
    for role in EVERYBODY:
        expected = {"study", f"user:{role}"} | ({f"read:{role}"} if role in READERS else set())
        result = {"result"} if "result" in world.opened(role) else set()  # reads of others never live
        assert streams_of(world, role) == expected | result, role
    assert streams_of(world, "stranger") == {"user:stranger"}


def check_sealed_looks_missing(world: Sealed) -> None:
    """The same bytes for what is sealed and for an id that nobody has."""
    client = world.client("sealed")
    nobody = {name: uuid.uuid4() for name in world.ids["result"]}
    compared = 0
    for route in about_studies():
        if not grouped(route, world) or not hasattr(addresses()[route].callback, "view_class"):
            continue
        missing = ask(client, "GET", "/" + fill(route, world.base | nobody))
        for group in ("result", "read:done"):
            one = ask(client, "GET", "/" + fill(route, world.base | world.ids[group]))
            assert one == missing, f"{route} of {group}"
            compared += 1
    assert compared > 20


def test_seal_matrix_over_every_address_file_and_stream(world: Sealed) -> None:
    """While they read, and once an adjudicator decides. The people: see sealed_world."""
    carrying = [route for route, carried in CARRIES.items() if carried or "case_id" in route]
    shown: dict[str, set[str]] = {}
    check_streams(world)
    check_sealed_looks_missing(world)
    general = [route for route in addresses() if route in carrying or not grouped(route, world)]
    wrong = walk_all(world, ("lead",), about_studies(), shown)  # meets everything: what carries nothing is proven here
    wrong += walk_all(world, ("sealed",), list(addresses()), shown)
    wrong += walk_all(world, ("unassigned",), general, shown)
    wrong += walk_all(world, ("done", "judge", "viewer", "stranger"), carrying, shown)
    go_to_adjudication(world)
    check_streams(world)
    wrong += walk_all(world, ("judge", "sealed", "viewer"), carrying, shown)
    # What a row names is really found there by somebody: the search would see it elsewhere, too.
    for route, carried in CARRIES.items():
        met = " ".join(sorted(shown.get(route, set())))
        wrong += [] if met == carried else [f"{route} shows {met!r}, its row says {carried!r}"]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_seal_matrix_notices_a_safeguard_that_is_off(world: Sealed, monkeypatch: Any) -> None:
    """With any of the safeguards taken out the matrix is red."""
    carrying = [route for route, carried in CARRIES.items() if carried]
    few = ["api/segmentations/<uuid:segmentation_id>/", "api/studies/<uuid:study_id>/", "api/jobs/"]
    assert Walk(world, "sealed").over(few).wrong == []

    def everything(rows: Any, user: Any, path: str = "") -> Any:
        return rows

    for place in ("reconstructions.selectors", "readings.selectors"):
        with monkeypatch.context() as off:
            off.setattr(f"server.{place}.unsealed", everything)
            assert Walk(world, "sealed").over(few).wrong, place
    with monkeypatch.context() as off:
        off.setattr(CaseRule, "sealed_study_ids", lambda self, user: sealing.NothingSealed().sealed_study_ids(user))
        assert Walk(world, "viewer").over(few).wrong
        assert any("hears" in one for one in walk_streams(world, "viewer"))
    with monkeypatch.context() as off:
        off.setattr("server.reconstructions.jobs.sealed_among", lambda user, ids: set())
        assert Walk(world, "sealed").over(["api/jobs/"]).wrong
    go_to_adjudication(world)
    assert Walk(world, "judge").over(few).wrong == []
    with monkeypatch.context() as off:
        off.setattr(CaseRule, "masks", lambda self, user, study_id: sealing.Masks())
        assert any("shows the name" in one for one in Walk(world, "judge").over(carrying).wrong)


def walk_streams(world: Sealed, role: str) -> list[str]:
    closed = world.closed(role)
    return [f"{role} hears {text}" for _stream, told in heard(world, role) for _group, text in found(told, closed)]
