"""Target lesions over dates through the API: marks by name, own before others', refusals, the seal, the report."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from server.studies.models import Study

pytestmark = pytest.mark.django_db
DATES = ("2024-01-10", "2024-04-10", "2024-07-10")
LIVER = {"value": "10200004", "scheme": "SCT", "meaning": "Liver"}


@pytest.fixture
def world(make_user: Callable[..., Any], make_project: Callable[..., Any], make_study: Any) -> dict[str, Any]:
    """One patient on three dates; a volume of 10 x 6 x 5 voxels of 2 x 1 x 1 mm each."""
    made = {name: make_user(name) for name in ("admin", "reader", "second", "stranger")}
    made["project"] = make_project(admin=made["admin"], reader=[made["reader"], made["second"]])
    made["studies"] = [make_study(made["project"], patient_key="one", study=day, study_date=day) for day in DATES]
    return made


class Marks:
    """A person's marks in a study."""

    def __init__(self, client: Any, study: Study) -> None:
        self.client, self.study, self.series = client, study, study.series.get()

    def send(self, kind: str, name: str, values: dict[str, Any], status: int = 201) -> Any:
        body = {
            "id": str(uuid.uuid4()), "annotation": str(uuid.uuid4()), "act": "add", "base_version": 0, "kind": kind,
            "series": str(self.series.pk), "name": name, "values": values,
        }  # fmt: skip
        answer = self.client.post(f"/api/studies/{self.study.pk}/annotations/", body, format="json")
        assert answer.status_code == status, answer.json()
        return answer.json()

    def length(self, name: str, mm: float, role: str = "target", **more: Any) -> Any:
        points = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0 + mm]]
        return self.send("length", name, {"points": points, "value": mm, "unit": "mm", "lesion_role": role, **more})

    def point(self, name: str, role: str, status: int = 201) -> Any:
        return self.send("point", name, {"points": [[1.0, 1.0, 1.0]], "lesion_role": role}, status)


def table(client: Any, study: Study) -> dict[str, Any]:
    answer = client.get(f"/api/studies/{study.pk}/response/")
    assert answer.status_code == 200
    return answer.json()


def test_a_patient_over_three_dates(world: dict[str, Any], api_client: Callable[..., Any]) -> None:
    """10 + 8 = 18 mm, then 7 + 5 = 12 (-33 %), then 10 + 5 + ... with a new lesion. Names match across spelling."""
    reader = api_client(world["reader"])
    first, second, third = (Marks(reader, study) for study in world["studies"])
    assert table(reader, world["studies"][0])["dates"] == []
    first.length("T1 liver", 10.0, finding_site=LIVER)
    first.length("T2", 8.0, "node")
    second.length("t1  Liver", 7.0)
    second.length("T2", 5.0, "node")
    third.point("T1 liver", "gone")
    third.length("T2", 6.0, "node")

    found = table(reader, world["studies"][2])
    assert [one["study_date"] for one in found["dates"]] == list(DATES)
    assert [one["sum_mm"] for one in found["dates"]] == [18.0, 12.0, 6.0]
    assert [one["category"] for one in found["dates"]] == [None, "PR", "CR"]  # the node is below 10 mm
    assert [one["is_nadir"] for one in found["dates"]] == [False, True, False]
    assert found["dates"][1]["from_baseline"] == {"mm": -6.0, "percent": pytest.approx(-100 / 3)}
    assert [one["is_opened"] for one in found["dates"]] == [False, False, True]
    liver, node = found["targets"]
    assert (liver["name"], liver["organ"], node["is_node"], node["organ"]) == ("T1 liver", "Liver", True, "Lymph Node")
    assert [(one["mm"], one["role"]) for one in liver["cells"]] == [(10.0, "target"), (7.0, "target"), (0.0, "gone")]
    # A node of 8 mm is no target by size; the table says so and goes on.
    assert [one["code"] for one in found["warnings"]] == ["not_measurable"]
    # What comes after the open study is not in its table.
    assert len(table(reader, world["studies"][1])["dates"]) == 2

    third.point("Fresh", "new")
    newest = table(reader, world["studies"][2])["dates"][2]
    assert (newest["category"], newest["word"]) == ("PD", "Progressive disease")
    assert newest["new_lesions"] == ["Fresh"]


def test_a_target_nobody_measured_leaves_the_date_unable_to_evaluate(
    world: dict[str, Any], api_client: Callable[..., Any]
) -> None:
    reader = api_client(world["reader"])
    first, second, _third = (Marks(reader, study) for study in world["studies"])
    first.length("A", 11.0)
    first.length("B", 12.0)
    second.length("A", 11.0)
    second.length("C", 12.0)
    second.length("", 12.0)
    found = table(reader, world["studies"][1])
    assert (found["dates"][1]["category"], found["dates"][1]["sum_mm"]) == ("NE", None)
    assert found["dates"][1]["missing"] == ["B"]
    codes = [one["code"] for one in found["warnings"]]
    assert codes == ["no_site", "no_site", "not_at_baseline", "unnamed"]


def test_own_marks_count_before_others_and_it_is_said_that_there_are_more(
    world: dict[str, Any], api_client: Callable[..., Any]
) -> None:
    study = world["studies"][0]
    reader, second = api_client(world["reader"]), api_client(world["second"])
    Marks(reader, study).length("T1", 12.0)
    Marks(second, study).length("T1", 14.0)
    for client, mm in ((reader, 12.0), (second, 14.0), (api_client(world["admin"]), 14.0)):
        [cell] = table(client, study)["targets"][0]["cells"]
        assert (cell["mm"], cell["times"]) == (mm, 2)
    assert api_client(world["stranger"]).get(f"/api/studies/{study.pk}/response/").status_code == 404


def test_three_of_one_organ_are_summed_but_not_judged(world: dict[str, Any], api_client: Callable[..., Any]) -> None:
    reader = api_client(world["reader"])
    for study, mm in zip(world["studies"], (10.0, 15.0), strict=False):
        for name in ("A", "B", "C"):
            Marks(reader, study).length(name, mm, finding_site=LIVER)
    found = table(reader, world["studies"][1])
    assert [(one["sum_mm"], one["category"]) for one in found["dates"]] == [(30.0, None), (45.0, None)]
    assert [one["code"] for one in found["warnings"]] == ["too_many_in_organ"]
    assert found["warnings"][0]["text"] == "Liver: 3 targets; the rules take at most 2 per organ."


def test_a_role_that_does_not_fit_its_mark_is_refused(world: dict[str, Any], api_client: Callable[..., Any]) -> None:
    marks = Marks(api_client(world["reader"]), world["studies"][0])
    for answer in (
        marks.point("T1", "target", 422),
        marks.point("T1", "benign", 422),
        marks.send("length", "T1", {"points": [[1.0, 1.0, 1.0], [1.0, 1.0, 9.0]], "value": 8.0, "unit": "mm",
                                    "lesion_role": "gone"}, 422),
    ):  # fmt: skip
        assert (answer["code"], answer["field"]) == ("invalid_annotation", "lesion_role")


def test_the_report_holds_the_table_and_what_it_is_not(world: dict[str, Any], api_client: Callable[..., Any]) -> None:
    from server.approvals.models import Report
    from server.approvals.report.content import content_of
    from server.jobs.models import Job

    reader = api_client(world["reader"])
    for study, mm in zip(world["studies"], (12.0, 15.6), strict=False):
        Marks(reader, study).length("T1", mm, finding_site=LIVER)
    study = world["studies"][1]
    job = Job.objects.create(
        kind="report", queue="interactive", project=world["project"], owner_kind="study", owner_id=study.pk,
        stream="user:x", requested_by=world["reader"], parameters={},
    )  # fmt: skip
    report = Report.objects.create(study=study, job=job, language="en", author=world["reader"])
    [found] = [one for one in content_of(report)["tables"] if one["title"] == "Target lesions (RECIST 1.1)"]
    rows = {row[0]: [text.replace("\u202f", " ") for text in row[1:]] for row in found["rows"]}
    assert found["columns"] == ["Lesion", "2024-01-10, baseline, smallest sum", "2024-04-10, this study"]
    assert rows["T1 (Liver)"] == ["12.0 mm", "15.6 mm"]
    assert rows["Sum"] == ["12.0 mm", "15.6 mm"]
    assert rows["From baseline"] == ["", "+3.6 mm, +30.0 %"]
    assert rows["Response"] == ["", "SD, stable disease"]  # 30 %, but 3.6 mm
    assert "Not for clinical use" in found["note"] or "not for clinical use" in found["note"]
    report.language = "zh-hans"
    assert any("RECIST 1.1" in one["title"] for one in content_of(report)["tables"])
