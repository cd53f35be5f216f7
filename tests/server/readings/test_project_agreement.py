"""A project's agreement and reliance in numbers, against rows whose answer is known (settled.py)."""

from __future__ import annotations

from typing import Any

import pytest

from server.accounts.services import add_member, create_project
from server.algorithms.models import Algorithm, AlgorithmVersion
from server.readings.agreement.project import project_agreement
from server.readings.cases.opening import set_protocol
from server.readings.models import Case
from server.studies.services import bin_study
from tests.server.readings.settled import (
    LIVER,
    RIM,
    compared,
    four_cases,
    relied,
    row,
    settled_case,
    submitted,
)

pytestmark = pytest.mark.django_db

QUESTION = {"key": "seen", "text": "Is a lesion seen?", "kind": "yes_no", "choices": [], "required": True}


class Team:
    def __init__(self, make_user: Any) -> None:
        self.boss, self.viewer = make_user("boss"), make_user("viewer")
        self.alma, self.bruno, self.cleo = (make_user(name) for name in ("Alma", "Bruno", "Cleo"))
        self.project = create_project(name="Read twice", by=self.boss)
        for person, role in (
            (self.alma, "reader"),
            (self.bruno, "reader"),
            (self.cleo, "reader"),
            (self.viewer, "viewer"),
        ):
            add_member(project=self.project, user=person, role=role, by=self.boss)
        set_protocol(project=self.project, by=self.boss, values={"form": [QUESTION], "dice_limit": 0.8})

    def numbers(self) -> dict[str, Any]:
        return project_agreement(self.project.pk, self.boss)


@pytest.fixture
def team(make_user: Any) -> Team:
    return Team(make_user)


def near(statistic: dict[str, Any], value: float, n: int) -> None:
    assert statistic["value"] == pytest.approx(value, abs=1e-3)
    assert statistic["n"] == n


def test_two_readers_of_four_cases(team: Team) -> None:
    cases = four_cases(team.project, team.alma, team.bruno)
    told = team.numbers()
    assert (told["cases"], told["all_cases"]) == (4, 4)
    near(told["within"], 0.75, 4)
    [liver] = told["segments"]
    near(liver["dice"], 0.80, 4)
    # Student with 3 degrees of freedom: 3.1824 x 0.08165 / 2 = 0.1299.
    assert (liver["dice"]["low"], liver["dice"]["high"]) == pytest.approx((0.670, 0.930), abs=1e-3)
    near(liver["hd95_mm"], 2.0, 4)
    near(liver["assd_mm"], 1.0, 4)
    assert liver["icc"] == "two_way"
    assert liver["volume_icc"]["value"] > 0.98
    [question] = told["questions"]
    assert question["kind"] == "cohen"
    near(question["kappa"], 0.5, 4)
    [pair] = told["pairs"]
    assert [one["name"] for one in pair["people"]] == ["Alma", "Bruno"]
    plot = pair["segments"][0]["volume"]
    near(plot["bias"], 1.0, 4)
    near(plot["upper"], 1 + 1.96 * 1.63299, 4)
    near(plot["lower"], 1 - 1.96 * 1.63299, 4)
    # Whoever was Reader A: Alma's volume less Bruno's, and every dot names its study.
    assert [(one["mean_ml"], one["difference_ml"]) for one in plot["points"]] == [
        (9.5, 1),
        (20.5, -1),
        (28.5, 3),
        (39.5, 1),
    ]
    assert [one["study"] for one in plot["points"]] == [str(case.study_id) for case in cases]


def test_what_is_blind_practice_unsettled_or_in_the_bin_does_not_count(team: Team) -> None:
    cases = four_cases(team.project, team.alma, team.bruno, blind=1)
    Case.objects.filter(pk=cases[1].pk).update(is_practice=True)
    bin_study(study=cases[2].study, by=team.boss)
    told = team.numbers()
    assert (told["cases"], told["all_cases"]) == (1, 2)
    [point] = told["pairs"][0]["segments"][0]["volume"]["points"]
    assert point["study"] == str(cases[3].study_id)


def test_other_readers_in_each_case_have_their_own_statistics(team: Team) -> None:
    """Three people by twos: ICC(1,1) and Fleiss over all, Cohen for each pair, pairs by name."""
    people = [(team.alma, team.bruno), (team.bruno, team.cleo), (team.alma, team.cleo)]
    for number, (one, other) in enumerate(people, start=1):
        case = settled_case(team.project, number)
        reads = submitted(case, one, "A", seen=True), submitted(case, other, "B", seen=number == 1)
        compared(*reads, row(LIVER, 10.0 * number, 10.0 * number + 1, 0.9))
    told = team.numbers()
    assert told["segments"][0]["icc"] == "one_way"
    assert told["questions"][0]["kind"] == "fleiss"
    # Agreed once in three; two of six answers are no: (1/3 - 5/9) / (4/9) = -1/2.
    near(told["questions"][0]["kappa"], -0.5, 3)
    assert [[one["name"] for one in pair["people"]] for pair in told["pairs"]] == [
        ["Alma", "Bruno"], ["Alma", "Cleo"], ["Bruno", "Cleo"],
    ]  # fmt: skip
    assert told["pairs"][0]["questions"][0]["kappa"]["why"] == "too_few_cases"


def test_three_reads_of_one_case_are_one_case(team: Team) -> None:
    for number in (1, 2):
        case = settled_case(team.project, number)
        reads = [submitted(case, person, letter, seen=True) for person, letter in
                 ((team.alma, "A"), (team.bruno, "B"), (team.cleo, "C"))]  # fmt: skip
        for left, right in ((0, 1), (0, 2), (1, 2)):
            compared(reads[left], reads[right], row(LIVER, 10.0, 10.0, 0.7 + 0.1 * left))
    liver = team.numbers()["segments"][0]
    near(liver["dice"], (0.7 + 0.7 + 0.8) / 3, 2)
    assert (liver["cases"], liver["dice"]["low"]) == (2, pytest.approx(liver["dice"]["value"]))


def test_a_segment_one_reader_left_out_is_said_and_one_both_left_out_says_nothing(team: Team) -> None:
    for number, (a_ml, b_ml) in enumerate(((0.0, 0.0), (5.0, 0.0), (5.0, 5.0)), start=1):
        case = settled_case(team.project, number)
        reads = submitted(case, team.alma, "A", seen=True), submitted(case, team.bruno, "B", seen=True)
        same = a_ml == b_ml
        compared(*reads, row(RIM, a_ml, b_ml, 1.0 if same else 0.0, 1.0 if same and a_ml else None))
    [rim] = team.numbers()["segments"]
    assert (rim["cases"], rim["lonely"]) == (2, 1)
    near(rim["dice"], 0.5, 2)
    near(rim["hd95_mm"], 1.0, 1)  # without a surface there is no distance
    assert (rim["dice"]["low"], rim["dice"]["high"]) == (0.0, 1.0)


def test_reliance_sums_and_shows_a_reader_nobody_else(team: Team, api_client: Any) -> None:
    cases = four_cases(team.project, team.alma, team.bruno)
    algorithm, _made = Algorithm.objects.get_or_create(name="bone-ct")
    version = AlgorithmVersion.objects.create(algorithm=algorithm, version="7.0.0", description={"title": "Bones"})
    of = {(case.pk, read.reader_id): read for case in cases for read in case.readings.all()}
    relied(of[cases[0].pk, team.alma.pk], version, (4, 2), (1, 3))
    relied(of[cases[1].pk, team.alma.pk], version, (2, 1), (1, 4))
    relied(of[cases[0].pk, team.bruno.pk], version, (0, 0), (8, 5))
    address = f"/api/projects/{team.project.pk}/reliance/"
    alma, bruno = api_client(team.boss).get(address).json()["rows"]
    assert (alma["reader"]["name"], alma["title"], alma["version"], alma["cases"]) == ("Alma", "Bones", "7.0.0", 2)
    # Wrong at 3 + 7 places, followed at 3; right at 6 + 2, left at 2. Wilson: 0.108 to 0.603.
    near(alma["over_reliance"], 0.3, 10)
    assert (alma["over_reliance"]["low"], alma["over_reliance"]["high"]) == pytest.approx((0.108, 0.603), abs=1e-3)
    near(alma["under_reliance"], 0.25, 8)
    near(bruno["under_reliance"], 1.0, 8)
    assert alma["seconds_to_change"]["why"] == "too_few_cases"
    assert api_client(team.bruno).get(address).json()["rows"] == [bruno]
    assert api_client(team.cleo).get(address).json()["rows"] == []
    assert api_client(team.viewer).get(address).status_code == 403
    blind = settled_case(team.project, 5, is_blind=True)
    relied(submitted(blind, team.cleo, "A"), version, (1, 1), (1, 1))
    assert api_client(team.cleo).get(address).json()["rows"] == []  # opened to nobody: nothing of it is told
    assert api_client(team.boss).get(address).json()["rows"] == [alma, bruno]


def test_the_seal_keeps_a_blind_case_out_of_every_page_about_readers(team: Team, api_client: Any) -> None:
    """An adjudicator decides: not even the admin is told ids, numbers or names of it here."""
    four_cases(team.project, team.alma, team.bruno)
    blind = settled_case(team.project, 77, stage="adjudication", is_blind=True)
    reads = submitted(blind, team.alma, "A", seen=True), submitted(blind, team.cleo, "B", seen=False)
    planted = {**LIVER, "number": 9, "label": "Planted segment", "colour": "#123456"}
    compared(*reads, row(planted, 7531.5, 7000.25, 0.4242), within=False)
    version = AlgorithmVersion.objects.create(
        algorithm=Algorithm.objects.get_or_create(name="bone-ct")[0], version="8.0.0", description={"title": "Planted"}
    )
    relied(reads[1], version, (77, 0), (0, 0))
    secrets = [str(blind.study_id), str(blind.pk), "LAM-0077", "Planted", "7531.5", "0.4242", "8.0.0", "Cleo"]
    secrets += [str(one.pk) for one in reads] + [str(team.cleo.pk)]
    for person in (team.boss, team.alma, team.cleo):
        for name in ("agreement", "reliance"):
            for address in (f"/api/projects/{team.project.pk}/{name}/", f"/projects/{team.project.slug}/{name}/"):
                told = api_client(person).get(address).content.decode()
                shown = [one for one in secrets if one in told]
                own = {"Cleo", str(team.cleo.pk)} if person == team.cleo else set()  # the frame of one's own pages
                assert set(shown) <= own, f"{address} shows {shown}"


def test_an_admin_who_still_reads_a_sealed_case_waits(team: Team, api_client: Any) -> None:
    cases = four_cases(team.project, team.alma, team.bruno)
    case = settled_case(team.project, 9, stage="reading", state="in_progress", is_blind=True)
    case.readings.create(reader=team.boss, letter="A", state="in_progress")
    for name in ("agreement", "reliance"):
        refused = api_client(team.boss).get(f"/api/projects/{team.project.pk}/{name}/")
        assert (refused.status_code, refused.json()["code"]) == (409, "case_sealed")
        assert str(cases[0].study_id) not in refused.content.decode()
