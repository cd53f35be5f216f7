"""Asking for a reconstruction, its one result, and damaged files (F13)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from server.algorithms.models import AlgorithmVersion
from server.algorithms.services import disable_version, enable_version, sync_algorithms
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.core.storage import local
from server.jobs.models import Job
from server.realtime.selectors import events_after
from server.reconstructions import services
from server.reconstructions.models import Segment, Segmentation
from server.reconstructions.parameters import checked_parameters
from server.reconstructions.selectors import algorithms_for
from tests.server.making import result_folder

pytestmark = pytest.mark.django_db


def ask(client: Any, study: Any, key: str = "", **values: Any) -> Any:
    body = {"series": str(study.series.get().pk), "algorithm": "bone-ct", **values}
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post("/api/reconstructions/", body, format="json", **headers)


@pytest.fixture
def site(make_user: Any, make_project: Any, make_study: Any, api_client: Any) -> Any:
    class Site:
        reader, viewer, stranger = make_user("reader"), make_user("viewer"), make_user("stranger")
        project = make_project(reader=reader, viewer=viewer)
        study = make_study(project)
        client = staticmethod(api_client)

    return Site()


def test_a_reader_starts_one(site: Any) -> None:
    answer = ask(site.client(site.reader), site.study, parameters={"bone_threshold": 250})
    assert answer.status_code == 201, answer.content
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.kind, job.queue, job.owner_id, job.stream) == (
        "reconstruction",
        "recon",
        site.study.pk,
        site.study.stream,
    )
    assert job.parameters["values"]["bone_threshold"] == 250
    assert answer.json()["algorithm"]["name"] == "bone-ct"
    assert answer.json()["place"] == 1


def test_who_may_start_one(site: Any) -> None:
    assert ask(site.client(site.viewer), site.study).status_code == 403
    assert ask(site.client(site.stranger), site.study).status_code == 404
    assert ask(site.client(), site.study).status_code == 401
    assert Job.objects.count() == 0


def test_the_same_key_starts_one(site: Any) -> None:
    answers = [ask(site.client(site.reader), site.study, key="once") for _ in range(10)]
    assert [answer.status_code for answer in answers] == [201, *[200] * 9]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"algorithm": "bone-mr"}, "unknown_algorithm"),
        ({"version": "0.0.1"}, "unknown_algorithm"),
        ({"parameters": {"bone_threshold": 10}}, "invalid_parameters"),
        ({"parameters": {"bone_threshold": "thick"}}, "invalid_parameters"),
        ({"parameters": {"bone_threshold": float("inf")}}, "invalid_parameters"),
        ({"parameters": {"fill_marrow": 1}}, "invalid_parameters"),
        ({"parameters": {"weights": "/etc/passwd"}}, "invalid_parameters"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(site: Any, values: dict[str, Any], code: str) -> None:
    if values.get("parameters", {}).get("bone_threshold") == float("inf"):
        with pytest.raises(LaminaError) as refused:
            checked_parameters(AlgorithmVersion.objects.get(algorithm__name="bone-ct"), values["parameters"])
        assert refused.value.code == code
        return
    answer = ask(site.client(site.reader), site.study, **values)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert Job.objects.count() == 0


def test_what_does_not_fit_is_offered_with_the_reason(site: Any, make_study: Any) -> None:
    study = make_study(site.project, modality="MR")
    series = study.series.get()
    offers = site.client(site.reader).get(f"/api/series/{series.pk}/algorithms/").json()
    bone = next(offer for offer in offers if offer["name"] == "bone-ct")
    assert bone["fits"] is False
    assert bone["reasons"] == ["The series is MR; bone-ct takes CT."]
    refused = ask(site.client(site.reader), study)
    assert (refused.status_code, refused.json()["reasons"]) == (422, bone["reasons"])


def test_pictures_fit_nothing(site: Any, make_study: Any) -> None:
    study = make_study(site.project, verdict="refuse", modality="MR")
    assert all(reasons for _version, reasons in algorithms_for(study.series.get()))


def test_a_version_out_of_service_is_not_offered(site: Any) -> None:
    version = AlgorithmVersion.objects.get(algorithm__name="bone-ct")
    disable_version(version=version, reason="weights_hash_mismatch")
    refused = ask(site.client(site.reader), site.study)
    assert (refused.status_code, refused.json()["code"]) == (409, "algorithm_disabled")
    assert "weights_hash_mismatch" in refused.json()["detail"]
    assert "bone-ct" not in [version.algorithm.name for version, _ in algorithms_for(site.study.series.get())]
    sync_algorithms()
    assert not AlgorithmVersion.objects.get(pk=version.pk).in_service, "the engine's list does not undo an act"
    enable_version(version=version, by=None)
    assert ask(site.client(site.reader), site.study).status_code == 201


def test_broken_weights_take_their_version_out_of_service(site: Any) -> None:
    from server.jobs import services as jobs

    services.request_reconstruction(series=site.study.series.get(), by=site.reader, algorithm="bone-ct")
    job = jobs.claim_next("recon", worker="test")
    jobs.fail_job(job, code="weights_hash_mismatch", message="The weights are not those of the card.")
    version = AlgorithmVersion.objects.get(algorithm__name="bone-ct")
    assert (version.in_service, version.disabled_reason) == (False, "weights_hash_mismatch")


def test_one_result_with_rows_audit_and_event(site: Any, make_segmentation: Any) -> None:
    before = site.client(site.viewer).get(f"/api/studies/{site.study.pk}/").json()
    segmentation = make_segmentation(site.study, by=site.reader)
    assert [(s.number, s.volume_ml, s.surface.triangles) for s in segmentation.segments.order_by("number")] == [
        (1, 1.5, 12),
        (2, 3.0, 12),
    ]
    assert AuditEntry.objects.filter(act="segmentation.created", target_id=str(segmentation.pk)).count() == 1
    [ready] = [e for e in events_after(segmentation.stream, 0).events if e["type"] == "segmentation.ready"]
    answer = site.client(site.viewer).get(f"/api/segmentations/{segmentation.pk}/").json()
    assert ready["payload"]["segmentation"] == answer
    # State before + events = new state.
    assert set(before["streams"]) == {site.study.stream, segmentation.stream}
    told = [event for name, number in before["streams"].items() for event in events_after(name, number).events]
    state = reduce(before, told)
    after = site.client(site.viewer).get(f"/api/studies/{site.study.pk}/").json()
    assert state["segmentations"] == after["segmentations"]
    assert [job["state"] for job in state["jobs"]] == [job["state"] for job in after["jobs"]] == ["succeeded"]
    assert after["segments_count"] == 2


def reduce(state: dict[str, Any], events: Any) -> dict[str, Any]:
    """What a browser does with the events of a study."""
    for event in events:
        payload = event["payload"]
        match event["type"]:
            case "segmentation.ready":
                state["segmentations"].append(payload["segmentation"])
            case "job.queued":
                state["jobs"].insert(0, payload["job"])
            case "job.succeeded":
                next(j for j in state["jobs"] if j["id"] == payload["job_id"])["state"] = "succeeded"
            case "series.imported":
                state["series"].append(payload["series"])
            case "study.changed":
                state.update(payload["study"])
            case "study.binned":
                state.update(state="binned", binned_at=payload["binned_at"])
            case "study.restored":
                state.update(state="active", binned_at=None)
    return state


def test_imports_and_the_bin_reduce_to_the_new_state(site: Any, import_series: Any) -> None:
    from server.studies import services as studies

    project = site.project
    study_id = import_series(project, study="s", content=1).study_ids[0]
    client = site.client(site.reader)
    state = client.get(f"/api/studies/{study_id}/").json()
    import_series(project, study="s", name="series-001", content=2, modality="PT")
    stream = f"study:{study_id}"
    state = reduce(state, events_after(stream, state["streams"][stream]).events)
    after = client.get(f"/api/studies/{study_id}/").json()
    key = lambda row: row["id"]  # noqa: E731
    assert sorted(state["series"], key=key) == sorted(after["series"], key=key)
    for field in ("modalities", "series_count", "slices", "thumbnail", "description"):
        assert state[field] == after[field], field
    from server.studies.models import Study

    studies.bin_study(study=Study.objects.get(pk=study_id), by=site.reader)
    admin = site.project.memberships.get(role="admin").user
    state = reduce(state, events_after(stream, after["streams"][stream]).events)
    binned = site.client(admin).get(f"/api/studies/{study_id}/").json()
    assert (state["state"], state["binned_at"][:19]) == (binned["state"], binned["binned_at"][:19])


def test_a_job_has_one_result(site: Any, make_segmentation: Any, tmp_path: Path) -> None:
    segmentation = make_segmentation(site.study)
    result = result_folder(tmp_path / "second")
    stored = services.store_result(series=segmentation.series, folder=tmp_path / "second", result=result)
    with pytest.raises(IntegrityError), transaction.atomic():
        services.finish_reconstruction(job=segmentation.job, result=result, stored=stored)
    assert (Segmentation.objects.count(), Segment.objects.count()) == (1, 2)


def test_a_result_without_its_files_is_no_result(site: Any, tmp_path: Path) -> None:
    result = result_folder(tmp_path / "result")
    (tmp_path / "result" / "surfaces.browser.glb").unlink()
    with pytest.raises(LaminaError) as refused:
        services.store_result(series=site.study.series.get(), folder=tmp_path / "result", result=result)
    assert refused.value.code == "incomplete_result"


@pytest.mark.parametrize("artefact", ["labelmap", "surfaces", "surfaces_plain", "labelmap_nii"])
def test_a_flipped_byte_is_found_set_aside_and_a_rerun_offered(
    site: Any, make_segmentation: Any, artefact: str
) -> None:
    segmentation = make_segmentation(site.study, by=site.reader)
    reader, viewer = site.client(site.reader), site.client(site.viewer)
    urls = reader.get(f"/api/segmentations/{segmentation.pk}/").json()["urls"]
    assert reader.get(urls[artefact]).status_code == 200
    owner, _, address = getattr(segmentation, f"{artefact}_ref").partition("/")
    path = local.folder_of(owner) / address
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    for _ in range(2):  # found on reading, remembered afterwards
        answer = reader.get(urls[artefact])
        body = answer.json()
        assert (answer.status_code, body["code"], body["artefact"]) == (500, "integrity_error", artefact)
    assert viewer.get(urls[artefact]).json()["repeat_url"] is None
    types = [event["type"] for event in events_after(segmentation.stream, 0).events]
    assert types.count("segmentation.damaged") == 1
    assert reader.get(f"/api/segmentations/{segmentation.pk}/").json()["damaged"] == [artefact]
    other = "surfaces" if artefact != "surfaces" else "labelmap"
    assert reader.get(urls[other]).status_code == 200, "the other files go on"
    again = reader.post(body["repeat_url"], HTTP_IDEMPOTENCY_KEY="again")
    assert again.status_code == 201
    assert again.json()["algorithm"]["name"] == "bone-ct"
    assert viewer.post(body["repeat_url"]).status_code == 403


def test_damaged_voxels_say_that_the_series_must_come_again(site: Any) -> None:
    series = site.study.series.get()
    owner, _, address = series.voxels_ref.partition("/")
    path = local.folder_of(owner) / address
    damaged = bytearray(path.read_bytes())
    damaged[40] ^= 1
    path.write_bytes(damaged)
    client = site.client(site.viewer)
    for header in ({}, {"HTTP_RANGE": "bytes=0-9"}):
        body = client.get(f"/api/series/{series.pk}/voxels/", **header).json()
        assert (body["code"], body["cure"], body["study_id"]) == ("integrity_error", "import_again", str(site.study.pk))
    assert client.get(f"/api/series/{series.pk}/preview/").status_code == 200


def test_bytes_out(site: Any, make_segmentation: Any) -> None:
    segmentation = make_segmentation(site.study)
    client = site.client(site.viewer)
    base = f"/api/segmentations/{segmentation.pk}"
    labelmap = client.get(f"{base}/labelmap/")
    assert labelmap.headers["Content-Encoding"] == "gzip"
    assert labelmap.headers["Cache-Control"] == "private, no-store"
    download = client.get(f"{base}/surfaces.glb")
    assert download.headers["Content-Disposition"] == 'attachment; filename="LAM-0001-surfaces.glb"'
    assert client.get(f"{base}/manifest/").json()["engine_version"] == "0.1.0"
    series = site.study.series.get()
    part = client.get(f"/api/series/{series.pk}/voxels/", HTTP_RANGE="bytes=60-119")
    assert (part.status_code, part.headers["Content-Range"]) == (206, "bytes 60-119/600")
    assert len(b"".join(part)) == 60
    for address in (f"{base}/", f"{base}/labelmap/", f"/api/series/{series.pk}/voxels/"):
        assert site.client(site.stranger).get(address).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_forty_posts_with_one_key_at_once_start_one_job(site: Any) -> None:
    """F27 in small; the whole thousand runs with -m slow."""
    many_posts(site, 40)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_thousand_posts_with_one_key_start_one_job(site: Any) -> None:
    many_posts(site, 1000)


def many_posts(site: Any, count: int) -> None:
    statuses: list[int] = []
    waiting = list(range(count))
    lock = threading.Lock()

    def send() -> None:
        try:
            client = site.client(site.reader)
            while True:
                with lock:
                    if not waiting:
                        return
                    waiting.pop()
                statuses.append(ask(client, site.study, key="the same").status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(statuses)) == [200, 201]
    assert (len(statuses), statuses.count(201), Job.objects.count()) == (count, 1, 1)
