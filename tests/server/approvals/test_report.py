"""Key images and reports: texts read back from the PDF, both languages, the seal, recon and io workers off (F13)."""

from __future__ import annotations

import base64
import re
import struct
import uuid
import zlib
from typing import Any

import pytest

from server.approvals.models import KeyImage, Report
from server.approvals.report.pictures import clean_png
from server.core import storage
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.jobs.guard import work_queue
from server.jobs.models import Job
from server.jobs.slot import Slot
from server.realtime.models import StreamEvent
from tests.server.discussions.test_threads import Blind, sealed
from tests.server.reconstructions.conftest import bytes_of

WARNING = {"en": "Not for clinical use", "zh-hans": "不可用于临床"}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 40, height: int = 30, *, colour: int = 6, more: bytes = b"", rows: bytes | None = None) -> bytes:
    """A picture of one colour, as a browser's canvas writes it."""
    pixel = b"\x10\x20\x30\xff"[: 4 if colour == 6 else 3]
    rows = b"".join(b"\x00" + pixel * width for _ in range(height)) if rows is None else rows
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )


def texts_of(pdf: bytes) -> list[str]:
    """What each page says: its text operators, in the encoding of the font that is set (PDF 32000-1, 9.4)."""
    objects = dict(re.findall(rb"(?s)(\d+) 0 obj\b(.*?)\bendobj", pdf))
    chinese = {
        name for body in objects.values() if b"/STSong-Light" in body for name in re.findall(rb"/Name /(F[\w+]+)", body)
    }
    pages = []
    for number in re.findall(rb"/Kids \[(.*?)\]", pdf, flags=re.S)[0].split(b" 0 R")[:-1]:
        content = re.search(rb"/Contents (\d+) 0 R", objects[number.strip()])
        assert content is not None
        stream = re.search(rb"(?s)stream\r?\n(.*?)\r?\n?endstream", objects[content[1]])
        assert stream is not None
        packed = stream[1].strip()
        if b"ASCII85Decode" in objects[content[1]]:
            packed = base64.a85decode(packed.removesuffix(b"~>"))
        plain = zlib.decompress(packed)
        font, said = b"", []
        for operator in re.finditer(rb"/(F[\w+]+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj", plain, flags=re.S):
            if operator[1]:
                font = operator[1]
                continue
            raw = re.sub(rb"\\(\d{3}|.)", lambda m: bytes([int(m[1], 8)]) if m[1].isdigit() else m[1], operator[2])
            said.append(raw.decode("utf-16-be" if font in chinese else "cp1252"))
        pages.append(" ".join(said))
    return pages


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.fixture
def site(make_user: Any, make_project: Any, make_study: Any, make_segmentation: Any, api_client: Any) -> Any:
    class Site:
        reader, second, viewer = make_user("Rae 阅片人"), make_user("Sam"), make_user("viewer")
        stranger, admin = make_user("stranger"), make_user("boss")
        project = make_project(admin=admin, reader=[reader, second], viewer=viewer)
        study = make_study(project)
        segmentation = make_segmentation(study, by=reader)
        study.description = "Thorax <b>&"
        study.save()

        def client(self, person: Any = None) -> Any:
            return api_client(person)

        def keep(self, person: Any, picture: bytes | None = None, **more: Any) -> Any:
            body = {
                "id": str(uuid.uuid4()),
                "series": str(self.study.series.get().pk),
                "viewport": "axial",
                "png": base64.b64encode(picture or png()).decode(),
            }
            return api_client(person).post(f"/api/studies/{self.study.pk}/key-images/", body | more, format="json")

        def ask(self, person: Any, language: str = "en") -> Any:
            return api_client(person).post(
                f"/api/studies/{self.study.pk}/reports/", {"language": language}, format="json"
            )

        def measured(self, person: Any, **more: Any) -> None:
            values = {"points": [[0.0, 0.0, 2.0], [3.0, 4.0, 2.0]], "plane_normal": [0.0, 0.0, 1.0], "value": 5.0,
                      "unit": "mm"}  # fmt: skip
            body = {"id": str(uuid.uuid4()), "annotation": str(uuid.uuid4()), "act": "add", "base_version": 0,
                    "series": str(self.study.series.get().pk), "kind": "length", "number": 1,
                    "values": values}  # fmt: skip
            answer = api_client(person).post(f"/api/studies/{self.study.pk}/annotations/", body | more, format="json")
            assert answer.status_code == 201, answer.content

        def made(self, person: Any, language: str = "en") -> dict[str, Any]:
            """A whole report: only the interactive queue is worked on."""
            asked = self.ask(person, language)
            assert asked.status_code == 202, asked.content
            slot = Slot("test/0", ["interactive"])
            try:
                work_queue(slot, "interactive")
                assert slot.engine.pid is None
            finally:
                slot.close()
            report = api_client(person).get(f"/api/reports/{asked.json()['id']}/").json()
            assert report["state"] == "succeeded", report
            return report

        def pdf(self, person: Any, report: dict[str, Any]) -> bytes:
            answer = api_client(person).get(report["pdf_url"])
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
            return bytes_of(answer)

    return Site()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_report_says_what_is_known(site: Any, language: str) -> None:
    site.measured(site.reader, name="Margin 边缘 <i>")
    assert [site.keep(site.reader).status_code for _ in range(3)] == [201] * 3
    report = site.made(site.viewer, language)
    pages = texts_of(site.pdf(site.viewer, report))
    assert report["pages"] == len(pages) >= 1
    for page in pages:
        assert squeezed(page).count(squeezed(WARNING[language])) == 2
        assert site.study.pseudonym in page
    whole = squeezed("".join(pages))
    segment = site.segmentation.segments.filter(voxels__gt=0).first()
    for said in (
        site.study.pseudonym, "Thorax<b>&", "Margin边缘<i>", "5.0mm", f"{segment.volume_ml:,.1f}mL", "Rae阅片人",
        f"1/{len(pages)}" if language != "en" else f"Page1of{len(pages)}",
    ):  # fmt: skip
        assert squeezed(said) in whole, said
    expected = {"en": ["Bone", "Volumes", "Measurements", "Key images", "Algorithm card"],
                "zh-hans": ["CT 骨与皮肤", "体积", "测量", "关键图像", "算法卡"]}[language]  # fmt: skip
    for title in expected:
        assert squeezed(title) in whole, title
    # The same as a page, under the same strict policy as every page.
    page = site.client(site.viewer).get(report["page_url"])
    text = page.content.decode()
    assert page.status_code == 200
    assert "style=" not in text
    assert "<script" not in text
    assert "Thorax &lt;b&gt;&amp;" in text
    assert text.count(WARNING[language]) == 2
    assert text.count("<img ") == 3
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert AuditEntry.objects.filter(act="report.made", facts__sha256=report["sha256"]).count() == 1
    assert StreamEvent.objects.filter(stream=f"user:{site.viewer.pk}", type="report.ready").count() == 1
    # Nothing of the study's words is in the job; the stored bytes are sealed.
    assert "Margin" not in str(list(Job.objects.values_list("parameters", "result")))


@pytest.mark.django_db(transaction=True)
def test_a_report_of_nothing_yet(site: Any) -> None:
    site.segmentation.delete()
    pages = texts_of(site.pdf(site.reader, site.made(site.reader)))
    assert len(pages) == 1
    assert "Volumes" not in pages[0]


@pytest.mark.django_db(transaction=True)
def test_who_is_sealed_gets_no_report(site: Any) -> None:
    """Seal: no report, no key image, not even that there is one."""
    kept = site.keep(site.admin).json()
    report = site.made(site.admin)
    with sealed(Blind(sealed=[site.reader])):
        assert site.ask(site.reader).json()["code"] == "result_sealed"
        assert site.client(site.reader).get(f"/api/studies/{site.study.pk}/reports/").json() == []
        assert site.client(site.reader).get(f"/api/studies/{site.study.pk}/key-images/").json() == []
        for address in (f"/api/reports/{report['id']}/", report["pdf_url"], report["page_url"], kept["url"]):
            assert site.client(site.reader).get(address).status_code == 404, address
        # While the case is blind nobody has one made: it would carry names.
        assert site.ask(site.admin).json()["code"] == "result_sealed"
    assert site.client(site.reader).get(report["pdf_url"]).status_code == 200
    assert site.client(site.stranger).get(report["pdf_url"]).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_closes_meanwhile_ends_the_job(site: Any) -> None:
    asked = site.ask(site.reader).json()
    slot = Slot("test/0", ["interactive"])
    try:
        with sealed(Blind(sealed=[site.reader])):
            work_queue(slot, "interactive")
    finally:
        slot.close()
    report = Report.objects.get(pk=asked["id"])
    assert (report.job.state, report.job.error_code, report.is_ready) == ("failed", "result_sealed", False)
    # Tried again once it may be.
    again = site.client(site.reader).post(f"/api/jobs/{report.job_id}/retry/")
    assert again.status_code in (200, 201, 202)
    report.refresh_from_db()
    assert str(report.job_id) == again.json()["id"]


@pytest.mark.django_db
def test_key_images(site: Any) -> None:
    key = str(uuid.uuid4())
    answers = [site.keep(site.reader, id=key) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    image = KeyImage.objects.get()
    answer = site.client(site.viewer).get(answers[0].json()["url"])
    assert (answer["Content-Type"], bytes_of(answer)) == ("image/png", png())
    assert "no-store" in answer["Cache-Control"]
    assert image.picture_ref.startswith(str(site.study.pk))
    assert storage.read(image.picture_ref) == png()
    assert site.keep(site.second, id=key).json()["code"] == "id_reused"
    assert site.keep(site.viewer).status_code == 403
    assert site.keep(site.stranger).status_code == 404
    assert site.client(site.second).delete(answers[0].json()["url"]).status_code == 403
    assert site.client(site.admin).delete(answers[0].json()["url"]).status_code == 204
    assert site.client(site.viewer).get(f"/api/studies/{site.study.pk}/key-images/").json() == []
    types = [one.type for one in StreamEvent.objects.filter(stream=f"result:{site.study.pk}").order_by("seq")]
    assert types[-2:] == ["key_image.kept", "key_image.removed"]


def test_only_the_picture_of_a_png_stays() -> None:
    note = chunk(b"tEXt", b"Comment\x00Mr Planted") + chunk(b"tIME", b"\x07\xea\x0b\x16\x17\x00\x00")
    cleaned, width, height = clean_png(png(more=note))
    assert (cleaned, width, height) == (png(), 40, 30)
    assert clean_png(png(colour=2))[1:] == (40, 30)


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"<svg/>", png()[:-20], png(5000, 1), png().replace(b"IDAT", b"IDAX"), png(rows=b""),
        png(rows=b"\x00" * 10_000_000), png(colour=3), b"\xff\xd8\xff\xe0" + b"\x00" * 100,
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(bad: bytes) -> None:
    with pytest.raises(LaminaError) as refused:
        clean_png(bad)
    assert refused.value.code == "not_a_picture"
