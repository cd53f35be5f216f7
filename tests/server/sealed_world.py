"""A blind case with rare words planted in everything that must stay closed, and who may find which of them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.test import Client

from server.accounts import services as people
from server.core import storage
from server.discussions.services import Pin, Said, add_comment, open_thread
from server.jobs.models import Job
from server.readings import services as marks
from server.readings.cases import opening, services
from server.readings.models import Case, Reading
from server.readings.models.agreement import Consensus
from server.realtime import registry
from server.realtime.models import Stream
from server.realtime.selectors import events_after
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.editing import services as editing
from server.reconstructions.editing.writing import Sent
from server.reconstructions.models import Segment, Segmentation, Surface
from server.studies.models import Study
from tests.server.readings.conftest import FORM, SEGMENTS, head
from tests.server.reconstructions.conftest import ABNORMAL, CODE, bytes_of, text_of

VOLUME = 7531.9642
READERS = ("sealed", "other", "done")
GROUPS = ("result", "read:sealed", "read:done")  # whose ids are asked for; "read:other" is only searched for


@dataclass
class Sealed:
    """`secrets`: group -> texts nobody may meet for whom the group is closed. `ids`: group -> variables of routes."""

    project: Any
    study: Study
    case: Case
    people: dict[str, Any]
    secrets: dict[str, set[str]] = field(default_factory=dict)
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)

    def opened(self, role: str) -> set[str]:
        """The groups open to a role, from the contract: not asked of the code under test."""
        everything = {"result", *(f"read:{one}" for one in READERS)}
        stage = str(self.case.stage)
        return {
            "lead": everything,
            "sealed": {"read:sealed"} | ({"result"} if stage != "reading" else set()),
            "other": {"read:other"} | ({"result"} if stage != "reading" else set()),
            "done": {"result", "read:done"},
            "judge": everything if stage != "reading" else set(),
        }.get(role, set())

    def closed(self, role: str) -> dict[str, set[str]]:
        return {group: texts for group, texts in self.secrets.items() if group not in self.opened(role)}

    def names(self, role: str) -> set[str]:
        """Names of readers that the role may not meet beside their work."""
        return {f"Planted {one.title()} Name" for one in READERS if one != role} if role != "lead" else set()

    def streams(self) -> dict[str, str]:
        """Every stream -> whose it is."""
        told = {self.study.stream: "study", f"result:{self.study.pk}": "result", f"project:{self.project.pk}": "study"}
        for role in READERS:
            told[self.reading(role).stream] = f"read:{role}"
        return told | {f"user:{person.pk}": f"user:{role}" for role, person in self.people.items()}

    def reading(self, role: str) -> Reading:
        return Reading.objects.get(case=self.case, reader=self.people[role])

    def client(self, role: str) -> Client:
        client = Client(raise_request_exception=False)  # an error is an answer, too
        client.force_login(self.people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client


def make_sealed(make_user: Any, make_project: Any, make_study: Any, make_result: Any) -> Sealed:
    """Before: a result and shared work. Then the case: one reader draws, another too, a third has committed."""
    roles = ("lead", *READERS, "judge", "viewer", "unassigned", "stranger")
    persons = {role: make_user(f"Planted {role.title()} Name") for role in roles}
    project = make_project(
        admin=persons["lead"],
        reader=[persons[one] for one in (*READERS, "judge", "unassigned")],
        viewer=persons["viewer"],
    )
    project.memberships.filter(user=persons["judge"]).update(is_adjudicator=True)
    people.create_project(name=f"Elsewhere {uuid.uuid4().hex[:6]}", by=persons["stranger"])
    study = make_study(project)
    result = _plant_result(make_result(study, by=persons["lead"]))
    shared, _new = editing.begin_edit(segmentation=result, by=persons["lead"])
    draw(shared, persons["lead"], "Planted shared segment")
    values = {"form": FORM, "segments": SEGMENTS, "readers_per_case": 3, "excluded": [persons["unassigned"].pk]}
    opening.set_protocol(project=project, by=persons["lead"], values=values)
    [case] = opening.open_cases(project=project, studies=[study], by=persons["lead"])
    world = Sealed(project, study, case, persons)
    world.base = {
        "project_id": project.pk, "slug": project.slug, "study_id": study.pk, "case_id": case.pk,
        "series_id": case.series_id, "moving_id": case.series_id, "number": 1, "plane": "k", "key": "1:0",
        "user_id": persons["viewer"].pk, "session_id": 1, "token": "x" * 43,
        **{name: uuid.uuid4() for name in ("invitation_id", "transform_id", "intake_id", "upload_id")},
    }  # fmt: skip
    _keep(world, "result", "lead", None, [result, shared], "shared")
    world.secrets["result"] |= {"Planted result segment", str(VOLUME), "planted-engine-5f3a", "PLANTED FILE"}
    for role in READERS:
        reading = services.begin_reading(reading=world.reading(role), by=persons[role])
        draw(reading.segmentation, persons[role], f"Planted segment of {role}")
        _keep(world, f"read:{role}", role, reading, [reading.segmentation], role)
    commit(world, "done")
    _plant_comparison(world, result)
    return world


def _plant_result(result: Segmentation) -> Segmentation:
    study = result.study
    planted = storage.put(study.pk, study.project_id, io.BytesIO(b"PLANTED FILE " * 9))
    result.labelmap_nii_ref = result.surfaces_ref = result.surfaces_plain_ref = planted
    result.manifest = {**result.manifest, "engine_version": "planted-engine-5f3a"}
    result.save()
    Segment.objects.filter(segmentation=result, number=1).update(label="Planted result segment", volume_ml=VOLUME)
    Surface.objects.filter(segment__segmentation=result).update(node="Planted result node", ref=planted)
    return result


def draw(segmentation: Segmentation, by: Any, label: str) -> None:
    """A segment of this name with 40 voxels, elsewhere for each name: equal labelmaps have equal hashes."""
    start = zlib.crc32(label.encode()) % 200

    def send(kind: str, name: str, **payload: Any) -> int:
        sent = Sent(uuid.uuid4(), kind, name, 0, payload)
        return editing.apply_operation(segmentation=segmentation, by=by, sent=sent).operation.number

    number = send("segment-add", label, label=label, colour="#E14B09", category=ABNORMAL, type=CODE)
    send("paint", f"{label} stroke", label=number, spans=text_of(range(start, start + 40)), over=None)


def _keep(world: Sealed, group: str, role: str, reading: Any, drawn: list[Segmentation], word: str) -> None:
    """A mark, a question and the ids of it all."""
    person = world.people[role]
    mark_id, series = uuid.uuid4(), world.case.series_id
    line = {"points": [[0.0, 0.0, 2.0], [3.0, 4.0, 2.0]], "plane_normal": [0.0, 0.0, 1.0], "value": 5.0, "unit": "mm"}
    line["lesion_role"] = "target"  # so that the table of target lesions names it
    mark = marks.Operation(
        id=uuid.uuid4(),
        annotation=mark_id,
        act="add",
        base_version=0,
        series=series,
        kind="length",
        name=f"Planted mark of {word}",
        values=line,
    )
    marks.apply_operation(study=world.study, by=person, operation=mark)
    said = Said(id=uuid.uuid4(), text=f"Planted question of {word}")
    pin = Pin(id=uuid.uuid4(), series=series, point_mm=[1.0, 1.0, 1.0], comment=said)
    thread, _there = open_thread(study=world.study, by=person, pin=pin)
    answer = Said(id=uuid.uuid4(), text=f"Planted answer of {word}")
    add_comment(thread=thread, by=person, said=answer)
    world.secrets[group] = {
        *(str(one.pk) for one in drawn), str(mark_id), str(thread.pk), str(said.id), str(answer.id),
        f"Planted segment of {word}", f"Planted {word} segment", f"Planted mark of {word}",
        f"Planted question of {word}", f"Planted answer of {word}",
    }  # fmt: skip
    jobs = Job.objects.filter(kind="derivation", parameters__segmentation_id=str(drawn[-1].pk))
    world.secrets[group] |= {str(pk) for pk in jobs.values_list("pk", flat=True)}
    world.ids[group] = {
        "segmentation_id": drawn[0].pk, "other_id": drawn[0].pk, "annotation_id": mark_id, "thread_id": thread.pk,
        "comment_id": said.id,
        "job_id": jobs.values_list("pk", flat=True).first() or uuid.uuid4(),
        "reading_id": reading.pk if reading else uuid.uuid4(),
        "comparison_id": uuid.uuid4(),
        "consensus_id": uuid.uuid4(),
    }  # fmt: skip
    if reading is not None:
        world.secrets[group].add(str(reading.pk))


def commit(world: Sealed, role: str) -> Reading:
    """The role commits; what is typed and the hash are secrets of its read from then on."""
    reading = world.reading(role)
    answers = {"seen": True, "note": f"Planted note of {role}"}
    reading = services.commit_reading(reading=reading, by=world.people[role], answers=answers, seq=head(reading))
    world.secrets[f"read:{role}"] |= {reading.first_digest, answers["note"]}
    return reading


def _plant_comparison(world: Sealed, result: Segmentation) -> None:
    """Of the committed read with the result: closed to whoever may not see both."""
    reading = world.reading("done")
    blob = storage.put(world.study.pk, world.project.pk, io.BytesIO(gzip.compress(b"PLANTED PLACES")))
    comparison = Comparison.objects.create(
        study=world.study, left=reading.segmentation, left_seq=reading.first_seq, right=result,
        surfaces_a_ref=blob, surfaces_b_ref=blob, places_ref=blob, labels_a_ref=blob, labels_b_ref=blob,
        result={"segments": [{"number": 1, "label": "Planted difference", "dice": 0.5}], "regions": []},
    )  # fmt: skip
    world.secrets["read:done"] |= {str(comparison.pk), "Planted difference", "PLANTED PLACES"}
    world.ids["read:done"]["comparison_id"] = comparison.pk


def go_to_adjudication(world: Sealed) -> None:
    """Everybody submits and disagrees: the case is the adjudicator's."""
    for role in READERS:
        if role != "done":
            commit(world, role)
        reading = world.reading(role)
        answers = {"seen": True, "note": f"Planted note of {role}"}
        services.submit_reading(reading=reading, by=world.people[role], answers=answers, seq=head(reading))
        reading.refresh_from_db()
        world.secrets[f"read:{role}"].add(reading.final_digest)
    with transaction.atomic():
        case = services.hold_case(world.case.pk)
        if case.stage == "reading":
            services.move_case(case=case, to=("adjudication", "new"), by=world.people["lead"])
        if not case.readings.filter(kind="adjudication").exists():
            Reading.objects.create(case=case, reader=world.people["judge"], kind="adjudication", letter="Z")
    world.case.refresh_from_db()
    consensus = Consensus.objects.create(case=world.case, method="union", voxels={"1": 7531964})
    for group in GROUPS:
        world.ids[group]["consensus_id"] = consensus.pk


# --- asking -------------------------------------------------------------------------------------------------------


def fill(route: str, ids: dict[str, Any]) -> str:
    """The address with these ids; what nothing is planted for gets an id that nobody has."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids.get(match[1]) or uuid.uuid4()), route)


def grouped(route: str, world: Sealed) -> bool:
    """Does the address name something of one group?"""
    return bool(set(re.findall(r"<(?:\w+:)?(\w+)>", route)) & set(world.ids["result"]))


def body_of(response: Any) -> bytes:
    body = bytes_of(response) if response.streaming else response.content
    told = " ".join(f"{name}: {value}" for name, value in response.headers.items()).encode()
    if body[:2] == b"\x1f\x8b":
        body += gzip.decompress(body)
    return told + body


def ask(client: Client, method: str, address: str, body: Any = None) -> tuple[int, bytes, dict[str, Any]]:
    """(status, everything that came back, the problem document or {}), and nothing is changed by it."""
    with transaction.atomic():
        text = "" if method == "GET" else json.dumps(body or {})
        response = client.generic(method, address, text, content_type="application/json")
        whole = body_of(response)
        transaction.set_rollback(True)
    is_problem = response.status_code >= 400 and not response.streaming and response.content.startswith(b"{")
    return response.status_code, whole, response.json() if is_problem else {}


def found(whole: bytes, groups: dict[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """(group, text) of every secret in these bytes, plain, in JSON or in base64."""
    for group, texts in groups.items():
        for text in texts:
            plain = text.encode()
            if plain in whole or base64.b64encode(plain)[:-4] in whole or text.replace("-", "").encode() in whole:
                yield group, text


def heard(world: Sealed, role: str) -> Iterator[tuple[str, bytes]]:
    """(stream, every event of it) for the streams a socket of this role may follow, from the first kept number."""
    for stream in world.streams():
        if registry.may_see(world.people[role], stream):
            kept = Stream.objects.filter(name=stream).values_list("kept_from", flat=True).first() or 1
            yield stream, json.dumps(events_after(stream, kept - 1).events, default=str).encode()
