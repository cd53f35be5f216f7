"""Two readers and an adjudicator in three browsers, from sign-in to signature.

Two cases, drawn as labelmaps of known agreement around the limit of Dice 0.80: with 0.79 the case is settled by the
adjudicator, with 0.81 the readers make a consensus together. Every number on the screens is held against the voxels:
each box has 2000 of 8 mm3, 16.0 mL. Once the cases are open no worker for reconstructions and imports runs any more:
reading, comparing, correcting, settling, signing and the report need none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sealed import bone_ball, boxes_with_dice, open_cases, paint, sealed_project
from tests.e2e.site import PASSWORD, WORKERS, Site
from tests.e2e.viewer import eventually, spaces
from tests.e2e.watch import REPORT, WAIT_MS, Watch

pytestmark = pytest.mark.slow  # three browsers, two whole cases: minutes on a small machine

NAME = "Storyboard"
PEOPLE = [
    ("alma@example.org", "Alma Story", False),
    ("bruno@example.org", "Bruno Story", False),
    ("juno@example.org", "Juno Story", True),
]
SHOTS = os.environ.get("LAMINA_SHOTS")  # a folder for pictures of every step, for people to look at


@dataclass
class Person:
    """Somebody at a browser of their own."""

    page: Any
    watch: Watch
    name: str

    def text(self, selector: str) -> str:
        found = self.page.locator(selector).first
        return spaces(found.inner_text()) if found.count() and found.is_visible() else ""

    def waits(self, selector: str, words: str) -> None:
        eventually(lambda: words in self.text(selector), True)

    def open(self, study: str) -> None:
        self.page.goto(f"/studies/{study}/")
        self.page.wait_for_selector("html[data-whole]")

    def case(self) -> dict[str, Any]:
        address = f"/api/studies/{self.page.url.split('/studies/')[1].split('/')[0]}/"
        return self.page.request.get(address).json()["case"]

    def confirm(self, button: str) -> None:
        self.page.locator("wa-dialog").get_by_role("button", name=button).click()

    def shot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture(scope="module")
def told(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Two studies, two cases: {"apart": study id, "near": study id}."""
    project = sealed_project(site, NAME, PEOPLE)
    folder = tmp_path_factory.mktemp("story")
    apart = bone_ball(site, folder / "apart", "Apart", "--reconstruct", "bone-ct", "--wait", radius=19.0, project=NAME)
    near = bone_ball(site, folder / "near", "Near", radius=17.0, project=NAME)
    open_cases(site, project["project"], apart, near)
    site.work("interactive")
    yield {"apart": apart, "near": near}
    site.work(*WORKERS)


@pytest.fixture(scope="module")
def people(site: Site, browser: Any, told: dict[str, str]) -> Iterator[dict[str, Person]]:
    """Three browsers, signed in through the form."""
    made: dict[str, Person] = {}
    contexts = []
    for email, name, _judge in PEOPLE:
        size = {"width": 1600, "height": 1000} if name.startswith("Alma") else {"width": 1280, "height": 720}
        context = browser.new_context(base_url=site.url, viewport=size, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(REPORT)
        page = context.new_page()
        watch = Watch(site)
        watch.page(page)
        page.goto("/accounts/login/")
        page.fill("#id_login", email)
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector('body[data-page="worklist"]')
        made[name.split()[0].lower()] = Person(page, watch, name)
    yield made
    for context in contexts:
        context.close()


def read(reader: Person, study: str, voxels: Any, *, places: bool) -> None:
    """The whole read of one person: begin, draw, answer, commit, decide each place, submit."""
    page = reader.page
    reader.open(study)
    page.locator("[data-act=begin]").click()
    eventually(lambda: reader.text(".stages [data-state=now]"), "First read")
    page.wait_for_selector(".segment__name")
    paint(page, reader.case()["mine"]["segmentation"], 1, voxels)
    eventually(lambda: "16.0 mL" in reader.text("#segments"), True)
    page.get_by_role("button", name="Sharp").click()
    page.locator('[data-act=commit][aria-disabled="false"]').click()
    reader.confirm("Commit first read")
    eventually(lambda: reader.text(".stages [data-state=now]"), "Compare")
    if places:
        decide(reader)
    page.locator('[data-act=submit][aria-disabled="false"]').click()
    reader.confirm("Submit")
    page.wait_for_selector("#case-foot [data-standing]")


def decide(reader: Person) -> None:
    """Keep the own outline at every place, with a reason."""
    page = reader.page
    page.wait_for_selector(".place")
    count = page.locator(".place").count()
    reader.shot(f"reveal-{reader.name.split()[0]}")
    for n in range(count):
        card = page.locator(".place").nth(n)
        if card.get_attribute("data-chosen") is None:
            card.locator(".place__head").click()
        card.get_by_role("textbox").fill("Drawn as planned")
        card.locator('[data-verdict="keep"]').click()
        eventually(lambda card=card: card.get_attribute("data-verdict"), "keep")


def sign(person: Person, wanted: str) -> None:
    page = person.page
    assert page.locator(".toast--bad").all_inner_texts() == []
    page.locator('[data-act=approve][aria-disabled="false"]').click()
    dialog = page.locator("wa-dialog")
    person.watch.allow = ["403 (Forbidden)"]  # of the wrong password
    dialog.locator("#sign-password").fill("not my password")
    person.confirm("Sign")
    dialog.get_by_role("alert").wait_for()
    assert "password" in dialog.get_by_role("alert").inner_text()
    dialog.locator("#sign-password").fill(PASSWORD)
    person.shot(f"signature-{wanted}")
    person.confirm("Sign")
    person.waits("#approval .signatures", person.name)
    eventually(lambda: person.case()["state"], "completed")


def test_storyboard_past_the_limit_the_adjudicator_settles(people: dict[str, Person], told: dict[str, str]) -> None:
    alma, bruno, juno = people["alma"], people["bruno"], people["juno"]
    shape = tuple(alma.page.request.get(f"/api/studies/{told['apart']}/").json()["series"][0]["shape"])
    first, second = boxes_with_dice(shape, 0.79)
    read(alma, told["apart"], first, places=True)
    alma.waits("#case-foot", "still on their way")
    # The second reader sees nothing of the first one, whatever the first one shows.
    bruno.open(told["apart"])
    assert alma.name not in bruno.page.content()
    assert bruno.page.locator(".segment__name").count() == 0
    bruno.waits("#case-head", "sealed")
    bruno.shot("sealed")
    read(bruno, told["apart"], second, places=True)

    for reader, other in ((alma, bruno), (bruno, alma)):
        reader.waits("#case-foot", "Sent to the adjudicator")
        reader.waits("#case-agreement", "0.79")
        assert "limit 0.80" in reader.text("#case-agreement")
        assert other.name not in reader.page.content()
        assert reader.page.locator(".people__face").count() <= 1  # nobody else is shown
    alma.shot("sent")

    juno.open(told["apart"])
    page = juno.page
    page.wait_for_selector("#adjudication .places .place")
    juno.waits("#adjudication", "Reader A · Reader B")
    assert "0.79" in juno.text("#adjudication table")
    assert alma.name not in page.content()
    assert bruno.name not in page.content()
    letter = alma.case()["mine"]["letter"]
    other_letter = bruno.case()["mine"]["letter"]
    page.locator(f'#adjudication [data-base="{letter}"]').click()
    page.wait_for_selector("#adjudication [data-choice]")
    count = page.locator("#adjudication .place").count()
    assert count >= 2
    juno.shot("adjudication")
    for n in range(count):
        card = page.locator("#adjudication .place").nth(n)
        card.locator(f'.place__acts [data-choice="{other_letter}"]').click()
        eventually(lambda card=card: card.get_attribute("data-choice"), other_letter)
    # Everything as the other reader drew it: as many voxels, at the other places.
    eventually(lambda: "16.0 mL" in juno.text("#segments"), True)
    page.get_by_role("button", name="Blurred").click()
    rule = page.locator("[data-act=rule]")
    assert rule.get_attribute("aria-disabled") == "true"
    page.get_by_label("Reason of the ruling").fill("The second outline follows the edge.")
    eventually(lambda: rule.get_attribute("aria-disabled"), "false")
    rule.click()
    juno.confirm("Submit ruling")
    page.wait_for_selector("[data-act=approve]")
    sign(juno, "ruling")
    juno.shot("signed")

    # Signed: names and reads are open, and nothing can be drawn any more.
    alma.waits("#approval", "Signed")
    alma.waits("#approval .signatures", juno.name)
    eventually(lambda: {one["name"] for one in alma.case()["readings"]} >= {alma.name, bruno.name}, True)
    for person in people.values():
        assert person.watch.left() == []


def test_storyboard_within_the_limit_they_make_a_consensus(people: dict[str, Person], told: dict[str, str]) -> None:
    alma, bruno = people["alma"], people["bruno"]
    shape = tuple(alma.page.request.get(f"/api/studies/{told['near']}/").json()["series"][0]["shape"])
    first, second = boxes_with_dice(shape, 0.81)
    read(alma, told["near"], first, places=False)
    read(bruno, told["near"], second, places=False)
    for reader in (alma, bruno):
        reader.waits("#case-foot", "Consensus is offered")
        reader.waits("#case-agreement", "0.81")
        reader.page.wait_for_selector("#approval [data-method]")
    # Now they see each other.
    faces = alma.page.locator(".people__face")
    eventually(lambda: any(bruno.name in (one.get_attribute("aria-label") or "") for one in faces.all()), True)
    alma.page.locator('#approval [data-method="majority"]').click()
    # What both have: 0.81 of 2000 voxels of 8 mm3.
    eventually(lambda: "13.0 mL" in alma.text("#segments"), True)
    alma.shot("consensus")

    # An open question holds the approval back, and says so beside the button.
    page = alma.page
    box = page.locator('.viewport[data-viewport="axial"]').bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.press("m")
    field = page.locator("#comments > .writer textarea")
    eventually(lambda: field.evaluate("field => field === document.activeElement"), True)
    page.keyboard.type("Is this edge right?")
    page.keyboard.press("Control+Enter")
    page.locator(".thread").filter(has_text="Is this edge right?").wait_for()
    bruno.waits("#approval", "Approve wakes up when 1 comment is resolved")
    assert bruno.page.locator("[data-act=approve]").get_attribute("aria-disabled") == "true"
    card = bruno.page.locator(".thread").filter(has_text="Is this edge right?")
    card.get_by_role("button", name="Resolve").click()
    eventually(lambda: bruno.page.locator("[data-act=approve]").get_attribute("aria-disabled"), "false")
    sign(bruno, "consensus")
    alma.waits("#approval", "Signed")
    alma.waits("#approval .signatures", bruno.name)

    # What is taken away says who signed which bytes.
    page = bruno.page
    signed = page.request.get(f"/api/cases/{bruno.case()['id']}/approval/").json()["signatures"]
    page.get_by_role("button", name="Make a report").click()
    row = page.locator('.reports__row[data-state="succeeded"]')
    row.wait_for()
    report = page.request.get(row.get_by_role("link", name="Open the page").get_attribute("href")).text()
    assert bruno.name in report
    assert signed[0]["digest"] in report
    for person in (alma, bruno):
        assert person.watch.left() == []
