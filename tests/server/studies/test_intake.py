"""Upload, inspection, consent, import and reconstruction through the real engine process, with planted identifiers."""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import redis
from django.conf import settings

from recon_engine.phantoms import write_ct_series
from recon_engine.volume import Volume
from server.core.storage import local
from server.jobs.models import Job
from server.jobs.worker import work
from server.realtime.selectors import events_after
from server.studies.models import Intake, Study, UploadedFile
from tests.server.studies.test_lifecycle import tables_holding
from tests.server.studies.test_tus import Uploader

pytestmark = pytest.mark.django_db(transaction=True)

PLANTED = {
    "PatientName": "QZPLANTED^SURNAME",
    "PatientID": "QZPLANTED-0815",
    "PatientBirthDate": "19470311",
    "InstitutionName": "QZPLANTED HOSPITAL",
    "ReferringPhysicianName": "QZPLANTED^DOCTOR",
    "PatientAddress": "QZPLANTED STREET 4",
    "AccessionNumber": "QZPLANTEDACC1",
    "StudyDescription": "CT Thorax QZPLANTEDWORD",
}
TEXTS = ("QZPLANTED", "19470311", "SURNAME")


def head_ct(folder: Path, planted: dict[str, str] | None = None) -> list[Path]:
    """A small ball of bone in air as a DICOM series: 12 slices of 32 x 32, 2 mm."""
    k, j, i = np.indices((12, 32, 32))
    distance = np.sqrt(((k - 6) * 2.0) ** 2 + ((j - 16) * 2.0) ** 2 + ((i - 16) * 2.0) ** 2)
    voxels = np.where(distance < 10, 700, np.where(distance < 20, 40, -1000)).astype(np.int16)
    affine = np.array([[0, 0, 2.0, -32], [0, 2.0, 0, -32], [2.0, 0, 0, 0], [0, 0, 0, 1]], float)
    paths = write_ct_series(Volume(voxels, affine, None, "CT", "HU"), folder, "intake-test", "Ball, CT")
    for path in paths if planted else []:
        dataset = pydicom.dcmread(path)
        for keyword, value in planted.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
    return paths


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Every command that reaches Redis: hints, doorbells, cache."""
    said: list[str] = []
    stop = threading.Event()
    listening = threading.Event()

    client = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"], socket_timeout=None)

    def listen() -> None:
        with client.monitor() as monitor:
            listening.set()
            while not stop.is_set():
                said.append(str(monitor.next_command()))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(10)
    yield said
    stop.set()
    client.ping()  # the last command it hears
    thread.join(5)
    client.close()


@pytest.fixture
def uploader(make_project: Any, make_user: Any, api_client: Any) -> Uploader:
    reader = make_user("reader")
    made = Uploader(api_client(reader), make_project(reader=reader))
    made.reader = reader  # type: ignore[attr-defined]
    return made


def send(uploader: Uploader, paths: list[Path], prefix: str) -> None:
    for path in paths:
        body = path.read_bytes()
        assert uploader.create(f"{prefix}/{path.name}", len(body), body).status_code == 201


def inspect(uploader: Uploader) -> dict[str, Any]:
    answer = uploader.client.post(f"/api/intakes/{uploader.intake_id}/inspect/")
    assert answer.status_code == 201, answer.content
    job = work("io", until_job=answer.json()["id"])
    assert job.state == "succeeded", (job.error_code, job.error_message)
    return uploader.client.get(f"/api/intakes/{uploader.intake_id}/").json()


def import_all(uploader: Uploader, found: dict[str, Any], **more: Any) -> Job:
    choices = [{"key": finding["key"]} for finding in found["findings"]]
    body = {"series": choices, "consent": True, **more}
    answer = uploader.client.post(f"/api/intakes/{uploader.intake_id}/import/", body, format="json")
    assert answer.status_code == 201, answer.content
    return work("io", until_job=answer.json()["id"])


def test_from_files_to_surfaces_without_a_name_anywhere(
    uploader: Uploader, tmp_path: Path, heard: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    send(uploader, head_ct(tmp_path / "ct", PLANTED), "QZPLANTED SURNAME")
    found = inspect(uploader)
    [finding] = found["findings"]
    assert (found["state"], finding["verdict"], finding["modality"]) == ("inspected", "accept", "CT")
    assert (finding["shape"], finding["spacing_mm"], finding["files_count"]) == ([12, 32, 32], [2.0, 2.0, 2.0], 12)
    picture = uploader.client.get(finding["thumbnail"])
    assert picture.content.startswith(b"\x89PNG")
    changes = uploader.client.get(f"/api/intakes/{uploader.intake_id}/changes/", {"key": finding["key"]}).json()
    by_tag = {row["tag"]: row for row in changes}
    assert by_tag["(0010,0010)"]["before"] == "QZPLANTED^SURNAME"
    assert "QZPLANTED" not in json.dumps([row["after"] for row in changes])
    assert_unnamed(heard, caplog)

    refused = uploader.client.post(
        f"/api/intakes/{uploader.intake_id}/import/",
        {"series": [{"key": finding["key"]}], "consent": False},
        format="json",
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "consent_needed")
    job = import_all(uploader, found)
    assert job.state == "succeeded", (job.error_code, job.error_message)
    study = Study.objects.get()
    series = study.series.get()
    assert (study.pseudonym, series.is_volume, series.shape) == ("LAM-0001", True, [12, 32, 32])
    assert "QZPLANTED" not in study.description
    after = uploader.client.get(f"/api/intakes/{uploader.intake_id}/").json()
    assert (after["state"], after["studies"], after["findings"]) == ("imported", [str(study.pk)], [])
    gone = uploader.client.get(f"/api/intakes/{uploader.intake_id}/changes/", {"key": finding["key"]})
    assert (gone.status_code, gone.json()["code"]) == (410, "upload_gone")
    assert not local.folder_of(uploader.intake.pk).exists()
    assert UploadedFile.objects.count() == 0
    types = [event["type"] for event in events_after(f"user:{uploader.reader.pk}", 0).events]
    assert [name for name in types if name.startswith("intake.")] == ["intake.inspected", "intake.imported"]

    answer = uploader.client.post(
        "/api/reconstructions/", {"series": str(series.pk), "algorithm": "bone-ct"}, format="json"
    )
    job = work("recon", until_job=answer.json()["id"])
    assert job.state == "succeeded", (job.error_code, job.error_message)
    segmentation = uploader.client.get(f"/api/segmentations/{job.result['segmentation_id']}/").json()
    bone = next(segment for segment in segmentation["segments"] if segment["label"] == "Bone")
    assert bone["volume_ml"] == pytest.approx(4 / 3 * np.pi * 1.0**3, rel=0.15)  # 10 mm radius on 2 mm voxels
    surfaces = uploader.client.get(segmentation["urls"]["surfaces"])
    assert (surfaces.status_code, surfaces.headers["Content-Type"]) == (200, "model/gltf-binary")
    assert_unnamed(heard, caplog)
    assert_clean_instances(study)


def assert_unnamed(heard: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """No planted text in any table, in Redis, in the log or in a file of the storage."""
    for text in TEXTS:
        assert tables_holding(text) == set(), text
        assert not any(text in line for line in heard), text
        assert text not in caplog.text
        for path in Path(settings.LAMINA_STORAGE).rglob("*"):
            if path.is_file():
                assert text.encode() not in path.read_bytes()
    assert heard, "the listener heard nothing, so it proves nothing"
    left = list((Path(settings.LAMINA_HOME) / "work").glob("*"))
    assert left == [], "a workspace was left behind"


def assert_clean_instances(study: Study) -> None:
    from server.core import storage

    for instance in study.series.get().instances.all():
        body = storage.read(instance.ref)
        for text in TEXTS:
            assert text.encode() not in body, text
        assert study.pseudonym.encode() in body


def test_the_same_files_again_are_found_inside_the_project(uploader: Uploader, tmp_path: Path) -> None:
    paths = head_ct(tmp_path / "ct", PLANTED)
    for again in (False, True):
        if again:
            uploader = Uploader(uploader.client, Study.objects.get().project)
        send(uploader, paths, f"upload {again}")
        job = import_all(uploader, inspect(uploader))
        assert job.result["already"] == int(again)
    assert Study.objects.count() == 1
    assert list(Intake.objects.order_by("created_at").values_list("duplicates", flat=True)) == [0, 1]


def test_a_file_that_is_no_image_is_named_with_its_reason(uploader: Uploader, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("QZPLANTED words, not an image")
    send(uploader, [path], "folder")
    found = inspect(uploader)
    codes = {row["code"] for row in found["ignored"]} | {r["code"] for f in found["findings"] for r in f["reasons"]}
    assert "not_dicom" in codes
    assert all(row["text"] for row in found["ignored"])
    refused = uploader.client.post(
        f"/api/intakes/{uploader.intake_id}/import/", {"series": [], "consent": True}, format="json"
    )
    assert refused.json()["code"] == "nothing_chosen"
    assert Study.objects.count() == 0


def test_a_whole_file_checksum_is_checked(uploader: Uploader, tmp_path: Path) -> None:
    import base64

    [path, *_] = head_ct(tmp_path / "ct")
    body = path.read_bytes()
    wrong = base64.b64encode(("0" * 64).encode()).decode()
    created = uploader.create("QZPLANTED.dcm", len(body), body, more=f",sha256 {wrong}")
    assert created.status_code == 201
    answer = uploader.client.post(f"/api/intakes/{uploader.intake_id}/inspect/")
    job = work("io", until_job=answer.json()["id"])
    assert (job.state, job.error_code) == ("failed", "checksum_mismatch")
    intake = uploader.client.get(f"/api/intakes/{uploader.intake_id}/").json()
    assert (intake["state"], intake["error"]["code"]) == ("failed", "checksum_mismatch")
    assert tables_holding("QZPLANTED") == set()


def test_an_engine_failure_keeps_its_code_and_drops_its_words(
    uploader: Uploader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(uploader, head_ct(tmp_path / "ct")[:1], "QZPLANTED")
    from server.jobs.process import EngineFailed

    def fail(self: Any, *args: Any, **kwargs: Any) -> None:
        raise EngineFailed("pixel_decode_failed", "QZPLANTED^NAME.dcm does not decode", {"file": "QZPLANTED"}, None)

    monkeypatch.setattr("server.jobs.process.EngineProcess.call", fail)
    answer = uploader.client.post(f"/api/intakes/{uploader.intake_id}/inspect/")
    job = work("io", until_job=answer.json()["id"])
    assert (job.state, job.error_code) == ("failed", "pixel_decode_failed")
    assert "decode" in job.error_message
    assert tables_holding("QZPLANTED") == set()
    monkeypatch.undo()
    # The files are still there: a retry is a new job naming the old one, and it works.
    again = uploader.client.post(f"/api/jobs/{job.pk}/retry/")
    assert again.status_code == 201, again.content
    assert work("io", until_job=again.json()["id"]).state == "succeeded"


def test_a_cancelled_import_can_be_asked_for_again_and_leaves_no_bytes(uploader: Uploader, tmp_path: Path) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from server.core.models import StoredObject
    from server.studies import services

    send(uploader, head_ct(tmp_path / "ct"), "ct")
    found = inspect(uploader)
    body = {"series": [{"key": found["findings"][0]["key"]}], "consent": True}
    address = f"/api/intakes/{uploader.intake_id}/import/"
    job_id = uploader.client.post(address, body, format="json").json()["id"]
    assert uploader.client.post(f"/api/jobs/{job_id}/cancel/").status_code == 200
    intake = uploader.client.get(f"/api/intakes/{uploader.intake_id}/").json()
    assert (intake["state"], intake["error"]) == ("failed", {"code": "cancelled", "message": "Cancelled."})
    # Bytes that an attempt stored before it ended, of a study that never came.
    job = Job.objects.get(pk=job_id)
    from server.core import storage

    ref = storage.put(uuid.UUID(job.parameters["study_id"]), job.project_id, io.BytesIO(b"left"))
    assert services.erase_unfinished_imports() == 0
    Job.objects.filter(pk=job_id).update(finished_at=timezone.now() - timedelta(days=2))
    StoredObject.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert services.erase_unfinished_imports() == 1
    assert not StoredObject.objects.filter(owner_id=ref.split("/")[0]).exists()
    again = uploader.client.post(address, body, format="json")
    assert again.status_code == 201
    assert work("io", until_job=again.json()["id"]).state == "succeeded"
    assert Study.objects.count() == 1
