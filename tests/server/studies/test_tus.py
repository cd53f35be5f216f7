"""Resumable uploads (F17, F12, F11, F27): what was acknowledged is there, what was not is not."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import resource
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from server.core import storage
from server.core.storage import local, parts
from server.studies import intakes
from server.studies.models import Intake, UploadedFile
from server.studies.tus import LARGEST_PIECE

TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}
PIECE = "application/offset+octet-stream"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Uploader:
    """A tus client over Django's test client."""

    def __init__(self, client: Any, project: Any) -> None:
        self.client = client
        answer = client.post("/api/intakes/", {"project": str(project.pk)}, format="json")
        assert answer.status_code == 201, answer.content
        self.intake_id = answer.json()["id"]

    def create(self, name: str, length: int, body: bytes | None = None, more: str = "", **headers: Any) -> Any:
        metadata = f"intake {encoded(self.intake_id)},filename {encoded(name)}{more}"
        headers = {**TUS, "HTTP_UPLOAD_LENGTH": str(length), "HTTP_UPLOAD_METADATA": metadata, **headers}
        if body is None:
            return self.client.generic("POST", "/api/uploads/", **headers)
        return self.client.generic("POST", "/api/uploads/", body, content_type=PIECE, **headers)

    def patch(self, url: str, offset: int, body: bytes, **headers: Any) -> Any:
        headers = {**TUS, "HTTP_UPLOAD_OFFSET": str(offset), **headers}
        return self.client.generic("PATCH", url, body, content_type=PIECE, **headers)

    def offset(self, url: str) -> int:
        return int(self.client.head(url, **TUS).headers["Upload-Offset"])

    @property
    def intake(self) -> Intake:
        return Intake.objects.get(pk=self.intake_id)


@pytest.fixture
def uploader(make_project: Any, make_user: Any, api_client: Any) -> Uploader:
    reader = make_user("reader")
    return Uploader(api_client(reader), make_project(reader=reader))


def stored_bytes(upload: UploadedFile) -> bytes:
    return b"".join(storage.read_part(upload.intake_id, upload.pk, upload.stored_size))


def checksum(name: str, body: bytes) -> dict[str, str]:
    return {"HTTP_UPLOAD_CHECKSUM": f"{name} {base64.b64encode(hashlib.new(name, body).digest()).decode()}"}


@pytest.mark.django_db
class TestProtocol:
    def test_options_tell_what_is_spoken(self, uploader: Uploader) -> None:
        answer = uploader.client.options("/api/uploads/")
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        extensions = set(answer.headers["Tus-Extension"].split(","))
        assert extensions == {"creation", "creation-with-upload", "checksum", "termination", "expiration"}
        assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) == {"sha256", "sha1"}

    def test_cut_at_half_and_resumed(self, uploader: Uploader) -> None:
        body = os.urandom(100_000)
        created = uploader.create("scan.dcm", len(body))
        assert (created.status_code, created.headers["Upload-Offset"]) == (201, "0")
        url = created.headers["Location"]
        assert uploader.patch(url, 0, body[:50_000]).status_code == 204
        # The browser comes back, asks where it was, and goes on.
        assert uploader.offset(url) == 50_000
        last = uploader.patch(url, 50_000, body[50_000:])
        assert (last.status_code, last.headers["Upload-Offset"]) == (204, "100000")
        assert stored_bytes(UploadedFile.objects.get()) == body
        assert "Upload-Expires" in last.headers

    def test_a_piece_sent_twice_is_kept_once(self, uploader: Uploader) -> None:
        url = uploader.create("scan.dcm", 8).headers["Location"]
        assert uploader.patch(url, 0, b"abcd").status_code == 204
        again = uploader.patch(url, 0, b"abcd")
        assert (again.status_code, again.json()["offset"]) == (409, 4)
        assert uploader.patch(url, 4, b"efgh").status_code == 204
        assert stored_bytes(UploadedFile.objects.get()) == b"abcdefgh"

    def test_creation_with_upload_and_the_answer_lost(self, uploader: Uploader) -> None:
        first = uploader.create("a/b.dcm", 4, b"abcd")
        again = uploader.create("a/b.dcm", 4, b"abcd")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.headers["Location"] == again.headers["Location"]
        assert again.headers["Upload-Offset"] == "4"
        assert UploadedFile.objects.count() == 1

    @pytest.mark.parametrize("name", ["sha256", "sha1"])
    def test_a_wrong_piece_is_refused_and_not_kept(self, uploader: Uploader, name: str) -> None:
        url = uploader.create("scan.dcm", 4).headers["Location"]
        wrong = uploader.patch(url, 0, b"abcX", **checksum(name, b"abcd"))
        assert (wrong.status_code, wrong.json()["code"]) == (460, "checksum_mismatch")
        assert uploader.offset(url) == 0
        assert uploader.patch(url, 0, b"abcd", **checksum(name, b"abcd")).status_code == 204

    def test_an_unknown_checksum_is_refused(self, uploader: Uploader) -> None:
        url = uploader.create("scan.dcm", 4).headers["Location"]
        assert uploader.patch(url, 0, b"abcd", HTTP_UPLOAD_CHECKSUM="md5 AAAA").status_code == 400
        assert uploader.offset(url) == 0

    def test_a_piece_over_the_limit_names_the_limit(self, uploader: Uploader) -> None:
        url = uploader.create("scan.dcm", LARGEST_PIECE + 10).headers["Location"]
        answer = uploader.patch(url, 0, bytes(LARGEST_PIECE + 1))
        assert (answer.status_code, answer.json()["limit_bytes"]) == (413, LARGEST_PIECE)
        assert uploader.patch(url, 0, bytes(LARGEST_PIECE)).status_code == 204

    def test_more_bytes_than_announced(self, uploader: Uploader) -> None:
        url = uploader.create("scan.dcm", 3).headers["Location"]
        assert uploader.patch(url, 0, b"abcd").status_code == 413
        assert uploader.offset(url) == 0

    @pytest.mark.parametrize("name", ["../../etc/passwd", "a/../../b", "", "x" * 300, "a\x00b", "/"])
    def test_unsafe_names(self, uploader: Uploader, name: str) -> None:
        assert uploader.create(name, 3).status_code == 400
        assert UploadedFile.objects.count() == 0

    def test_two_files_of_one_name(self, uploader: Uploader) -> None:
        assert uploader.create("IM1", 3).status_code == 201
        assert uploader.create("IM1", 4).status_code == 409

    def test_the_version_is_asked_for(self, uploader: Uploader) -> None:
        answer = uploader.client.head("/api/uploads/00000000-0000-4000-8000-000000000000/")
        assert answer.status_code == 412

    def test_another_content_type(self, uploader: Uploader) -> None:
        url = uploader.create("scan.dcm", 3).headers["Location"]
        answer = uploader.client.generic(
            "PATCH", url, b"abc", content_type="application/json", HTTP_UPLOAD_OFFSET="0", **TUS
        )
        assert answer.status_code == 415

    def test_termination(self, uploader: Uploader) -> None:
        url = uploader.create("scan.dcm", 4, b"abcd").headers["Location"]
        folder = local.folder_of(uploader.intake.pk)
        assert len(list(folder.iterdir())) == 1
        assert uploader.client.delete(url, **TUS).status_code == 204
        assert list(folder.iterdir()) == []
        assert uploader.client.head(url, **TUS).status_code == 404

    def test_a_stranger_meets_nothing(self, uploader: Uploader, make_user: Any, api_client: Any) -> None:
        url = uploader.create("scan.dcm", 4).headers["Location"]
        stranger = api_client(make_user("stranger"))
        foreign = stranger.head(url, **TUS)
        assert foreign.status_code == 404
        uploader_as_stranger = Uploader.__new__(Uploader)
        uploader_as_stranger.client, uploader_as_stranger.intake_id = stranger, uploader.intake_id
        assert uploader_as_stranger.create("x", 3).status_code == 404

    def test_a_viewer_may_not_bring_files(self, make_project: Any, make_user: Any, api_client: Any) -> None:
        viewer = make_user("viewer")
        project = make_project(viewer=viewer)
        answer = api_client(viewer).post("/api/intakes/", {"project": str(project.pk)}, format="json")
        assert answer.status_code == 403

    def test_nothing_lies_in_the_clear(self, uploader: Uploader) -> None:
        planted = b"DOE^JANE planted"
        uploader.create("DOE JANE planted.dcm", len(planted), planted)
        for path in local.folder_of(uploader.intake.pk).iterdir():
            assert planted not in path.read_bytes()
            assert path.stat().st_mode & 0o777 == 0o600
        assert b"planted" not in bytes(UploadedFile.objects.get().name_sealed)

    def test_inspection_waits_for_whole_files(self, uploader: Uploader) -> None:
        uploader.create("scan.dcm", 4)
        answer = uploader.client.post(f"/api/intakes/{uploader.intake_id}/inspect/")
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_incomplete")

    def test_one_key_opens_one_intake(self, uploader: Uploader, make_project: Any) -> None:
        project = str(uploader.intake.project_id)
        before = Intake.objects.count()
        answers = [
            uploader.client.post("/api/intakes/", {"project": project}, format="json", HTTP_IDEMPOTENCY_KEY="k")
            for _ in range(20)
        ]
        assert Intake.objects.count() == before + 1
        assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
        assert [answer.status_code for answer in answers] == [201, *[200] * 19]


@pytest.mark.django_db
class TestExpiry:
    def test_abandoned_parts_go_after_a_day(self, uploader: Uploader, django_capture_on_commit_callbacks: Any) -> None:
        url = uploader.create("scan.dcm", 8, b"abcd").headers["Location"]
        assert intakes.abandon_expired() == 0
        Intake.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        late = uploader.patch(url, 4, b"efgh")
        assert (late.status_code, late.json()["code"]) == (410, "upload_gone")
        folder = local.folder_of(uploader.intake.pk)
        assert folder.exists()
        with django_capture_on_commit_callbacks(execute=True):
            assert intakes.abandon_expired() == 1
        assert not folder.exists()
        assert uploader.intake.state == "abandoned"
        assert UploadedFile.objects.count() == 0
        assert intakes.abandon_expired() == 0

    def test_giving_up_destroys_the_key(self, uploader: Uploader, django_capture_on_commit_callbacks: Any) -> None:
        uploader.create("scan.dcm", 4, b"abcd")
        with django_capture_on_commit_callbacks(execute=True):
            assert uploader.client.delete(f"/api/intakes/{uploader.intake_id}/").status_code == 204
        assert not local.folder_of(uploader.intake.pk).exists()
        with pytest.raises(storage.IntegrityError.__mro__[1]):
            list(storage.read_part(uploader.intake.pk, uploader.intake.pk, 10))


@pytest.mark.django_db
class TestTheDisk:
    def test_a_torn_record_is_overwritten_by_the_next(self, uploader: Uploader) -> None:
        """Killed after writing and before the row was committed: the offset never moved, so the piece comes again."""
        url = uploader.create("scan.dcm", 8, b"abcd").headers["Location"]
        upload = UploadedFile.objects.get()
        path = local.folder_of(upload.intake_id) / f"{upload.pk}.part"
        with open(path, "ab") as file:
            file.write(b"torn record of a killed server")
        assert uploader.offset(url) == 4
        assert uploader.patch(url, 4, b"efgh").status_code == 204
        assert stored_bytes(UploadedFile.objects.get()) == b"abcdefgh"

    def test_a_full_disk_is_named_and_nothing_partial_stays(
        self, uploader: Uploader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = uploader.create("scan.dcm", 8, b"abcd").headers["Location"]
        upload = UploadedFile.objects.get()
        path = local.folder_of(upload.intake_id) / f"{upload.pk}.part"
        before = path.read_bytes()
        real = os.fsync

        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(parts.os, "fsync", full)
        answer = uploader.patch(url, 4, b"efgh")
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        monkeypatch.setattr(parts.os, "fsync", real)
        assert path.read_bytes() == before
        assert uploader.offset(url) == 4
        assert uploader.patch(url, 4, b"efgh").status_code == 204
        assert stored_bytes(UploadedFile.objects.get()) == b"abcdefgh"

    def test_a_device_that_refuses_bytes_leaves_the_part_as_it_was(self, uploader: Uploader) -> None:
        """The kernel itself refuses here: a limit on file size stands in for a small disk."""
        first, second = os.urandom(40_000), os.urandom(40_000)
        url = uploader.create("scan.dcm", 80_000, first).headers["Location"]
        upload = UploadedFile.objects.get()
        path = local.folder_of(upload.intake_id) / f"{upload.pk}.part"
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        try:
            answer = uploader.patch(url, 40_000, second)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert path.read_bytes() == before
        assert uploader.offset(url) == 40_000
        assert uploader.patch(url, 40_000, second).status_code == 204
        assert stored_bytes(UploadedFile.objects.get()) == first + second

    def test_the_reserve_is_checked_before_the_file_is_announced(
        self, uploader: Uploader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local, "free_bytes", lambda: 70 * 1024 * 1024)
        answer = uploader.create("scan.dcm", 20 * 1024 * 1024)
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert UploadedFile.objects.count() == 0

    def test_a_flipped_byte_in_a_part_is_found(self, uploader: Uploader) -> None:
        uploader.create("scan.dcm", 4, b"abcd")
        upload = UploadedFile.objects.get()
        path = local.folder_of(upload.intake_id) / f"{upload.pk}.part"
        damaged = bytearray(path.read_bytes())
        damaged[-3] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(storage.IntegrityError):
            stored_bytes(upload)

    def test_a_part_that_is_not_written_through_is_not_acknowledged(
        self, uploader: Uploader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The safeguard itself: fsync comes before the row moves."""
        order: list[str] = []
        real = os.fsync
        monkeypatch.setattr(parts.os, "fsync", lambda fd: (order.append("fsync"), real(fd))[1])
        save = UploadedFile.save
        monkeypatch.setattr(UploadedFile, "save", lambda self, *a, **k: (order.append("row"), save(self, *a, **k))[1])
        url = uploader.create("scan.dcm", 4).headers["Location"]
        order.clear()
        uploader.patch(url, 0, b"abcd")
        assert order[0] == "fsync"
        assert order[-1] == "row"


@pytest.mark.django_db(transaction=True)
def test_the_same_piece_from_eight_at_once_is_kept_once(uploader: Uploader) -> None:
    url = uploader.create("scan.dcm", 4).headers["Location"]
    upload = UploadedFile.objects.get()
    outcomes: list[str] = []
    gate = threading.Barrier(8)

    def send() -> None:
        gate.wait()
        try:
            intakes.receive_part(upload=upload, offset=0, plain=b"abcd")
            outcomes.append("kept")
        except intakes.LaminaError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", *["wrong_offset"] * 7]
    assert uploader.offset(url) == 4
    assert stored_bytes(UploadedFile.objects.get()) == b"abcd"
