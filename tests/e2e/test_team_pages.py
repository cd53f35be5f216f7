"""Agreement, reliance and audit in the browser, over cases whose numbers are known (server/readings/settled.py)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.core import audit
from tests.e2e.sealed import answer_of, sign_in
from tests.e2e.site import PASSWORD, Site
from tests.e2e.test_comfort import checker, wrong  # noqa: F401
from tests.e2e.test_pages import WIDER
from tests.e2e.viewer import eventually, open_desk, spaces
from tests.e2e.watch import Watch

MAKE = """
import django, json, sys
django.setup()
from server.accounts.models import User
from server.accounts.services import add_member, create_project, create_user
from server.algorithms.models import AlgorithmVersion
from server.readings.cases.opening import set_protocol
from tests.server.readings.settled import four_cases, relied
given = json.load(sys.stdin)
boss = User.objects.get(email="admin@example.org")
project = create_project(name="Numbers", by=boss)
people = [create_user(email=f"{name.lower()}.n@example.org", display_name=name, password=given["password"])
          for name in ("Alma", "Bruno")]
for one in people:
    add_member(project=project, user=one, role="reader", by=boss)
question = {"key": "seen", "text": "Is a lesion seen?", "kind": "yes_no", "choices": [], "required": True}
set_protocol(project=project, by=boss, values={"form": [question], "dice_limit": 0.8})
cases = four_cases(project, *people)
version = AlgorithmVersion.objects.filter(algorithm__name="bone-ct").first()
for case in cases[:2]:
    reads = {read.reader_id: read for read in case.readings.all()}
    relied(reads[people[0].pk], version, (3, 1), (1, 4))  # in all: over 2 of 10, under 2 of 8
    relied(reads[people[1].pk], version, (0, 0), (4, 5))
print(json.dumps({"project": str(project.pk), "boss": str(boss.pk), "studies": [str(one.study_id) for one in cases]}))
"""
TAMPER = """
import django, json, sys
django.setup()
from server.core.models import AuditEntry
given = json.load(sys.stdin)
changed = AuditEntry.objects.filter(project_id=given["project"], position=2).update(act=given["act"])
print(json.dumps(changed))
"""


@pytest.fixture(scope="module")
def team(site: Site) -> dict[str, Any]:
    return answer_of(site, MAKE, password=PASSWORD)


@pytest.fixture(scope="module")
def office(
    site: Site, browser: Any, signed_in: Callable[[str], Any], team: dict[str, Any]
) -> Iterator[tuple[Any, Watch]]:
    with open_desk(site, browser, signed_in("admin"), "/projects/numbers/agreement/") as opened:
        yield opened


@pytest.fixture
def page(office: tuple[Any, Watch]) -> Iterator[Any]:
    """The admin's page; what went wrong in a test is that test's."""
    page, watching = office
    yield page
    assert watching.left() == []


def told(page: Any, selector: str) -> str:
    """The text of the only one, with plain spaces."""
    return spaces(page.locator(selector).inner_text()).replace("\n", " ")


def asked(page: Any) -> str:
    """The filters as they stand in the address: ids, codes and days."""
    return page.evaluate("location.search")


def go(page: Any, name: str, ready: str) -> None:
    page.goto(f"/projects/numbers/{name}/")
    page.wait_for_selector(ready)


def test_agreement_shows_the_known_numbers_and_leads_to_the_cases(page: Any, team: dict[str, Any]) -> None:
    go(page, "agreement", "#outlines")
    assert told(page, "#agreement-cases") == "4 of 4"
    cell = '#outlines tr[data-segment="1"] td[data-column="{}"]'
    assert told(page, cell.format("dice")) == "0.80 0.67 to 0.93"
    assert told(page, cell.format("hd95_mm")) == "2.0 mm 2.0 to 2.0 mm"
    assert told(page, '#outlines th[data-column="dice"]') == "Dice limit 0.80"
    assert told(page, "#answers .figure__value") == "0.50"
    assert told(page, ".plot dl").startswith("Upper limit 4.2 mL")
    # By keys alone: one stop for the table, arrows inside it, Escape takes the note away.
    page.locator("#outlines thead [data-definition]").first.focus()
    page.keyboard.press("ArrowDown")
    note = "Dice: 0.80. Overlap of both: twice the shared volume by the sum of both. 1 is the same. From 4 cases, 95 %"
    eventually(lambda: told(page, "#definition").startswith(note), True)
    page.keyboard.press("Escape")
    eventually(lambda: page.locator("#definition").is_visible(), False)
    # Dots stand by volume; the second is 20 against 21 mL.
    dots = page.locator(".plot__dot")
    eventually(dots.count, 4)
    assert [dots.nth(at).get_attribute("href") for at in range(4)] == [f"/studies/{one}/" for one in team["studies"]]
    dots.first.focus()
    page.keyboard.press("ArrowRight")
    eventually(lambda: told(page, "#definition"), "LAM-0002: mean 20.5 mL, Alma less Bruno −1.0 mL.")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/studies/{team['studies'][1]}/")


def test_reliance_shows_admins_everybody_and_a_reader_nobody_else(
    page: Any, site: Site, browser: Any, team: dict[str, Any]
) -> None:
    go(page, "reliance", "#readers")
    alma = "#readers tbody tr:nth-child(1) "
    assert told(page, alma + "th") == "Alma"
    assert told(page, alma + 'td[data-column="over_reliance"]') == "20 % 6 to 51 %"
    assert told(page, alma + 'td[data-column="under_reliance"]') == "25 % 7 to 59 %"
    assert [told(page, f'{alma}td[data-column="changed_when_{one}"]') for one in ("right", "wrong")] == ["6", "2"]
    assert page.locator("#readers tbody tr").count() == 2
    state = sign_in(site, browser, "alma.n@example.org")
    with open_desk(site, browser, state, "/projects/numbers/reliance/") as (own, watching):
        own.wait_for_selector("#readers")
        assert own.locator("#readers tbody th").all_inner_texts() == ["Alma"]
        links = own.locator(".navigation a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
        assert "/projects/numbers/reliance/" in links
        assert not {"/projects/numbers/agreement/", "/projects/numbers/audit/"} & set(links)
        assert watching.left() == []


def test_the_audit_is_filtered_taken_away_verified_and_names_what_was_changed(
    page: Any, site: Site, team: dict[str, Any], tmp_path: Path
) -> None:
    go(page, "audit", "#entries tr[data-act]")
    rows = page.locator("#entries tr[data-act]")
    everything = rows.count()
    page.select_option("#filter-act", label="Member: added")
    eventually(lambda: set(rows.evaluate_all("(all) => all.map((one) => one.dataset.act)")), {"member.added"})
    assert asked(page) == "?act=member.added"
    page.select_option("#filter-person", label="Ada Admin")
    eventually(lambda: asked(page), f"?person={team['boss']}&act=member.added")
    page.fill("#filter-until", "2020-01-01")
    page.keyboard.press("Tab")
    eventually(lambda: page.locator("#entries strong").all_inner_texts(), ["No act fits these filters"])
    page.click("#filters-clear")
    eventually(rows.count, everything)
    page.fill("#filter-study", "LAM-0003")
    page.keyboard.press("Tab")
    eventually(lambda: asked(page), f"?study={team['studies'][2]}")
    page.click("#filters-clear")
    eventually(rows.count, everything)

    with page.expect_download() as download:
        page.click("a[download]")
    chain = tmp_path / "chain.json"
    download.value.save_as(chain)
    taken = json.loads(chain.read_text())
    assert (len(taken["entries"]), audit.verify_export(taken)) == (everything, [])  # what manage.py verify_audit asks
    page.click("#verify")
    whole = f"The chain is whole: {everything} entries, from the first to the signed head."
    eventually(lambda: told(page, "#verified strong"), whole)
    assert answer_of(site, TAMPER, project=team["project"], act="member.forged") == 1
    page.click("#verify")
    broken = "The chain is not whole: entry 2 was changed after it was sealed."
    eventually(lambda: told(page, "#verified strong"), broken)
    assert "broken here" in told(page, '#entries tr[data-position="2"]')
    assert page.locator("#entries tr.is-broken").count() == everything - 1


@pytest.mark.parametrize(
    ("name", "ready"), [("agreement", ".plot__dot"), ("reliance", "#readers"), ("audit", "#entries tr[data-act]")]
)
def test_a_page_of_the_team_breaks_no_rule_and_fits_a_phone(page: Any, name: str, ready: str, checker: str) -> None:  # noqa: F811
    go(page, name, ready)
    assert wrong(page, checker) == []
    try:
        for size in ((800, 500), (390, 844)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            eventually(lambda: page.evaluate(WIDER), [0, 0], what=f"{name} at {size}")
    finally:
        page.set_viewport_size({"width": 1280, "height": 720})
