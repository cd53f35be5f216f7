"""Comments in two real browsers: M and words, a name, the other's bell, the way there, an answer, resolved (F11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, answered, eventually, open_desk, spaces
from tests.e2e.watch import Watch

TEACH = """{
  threads: (room) => room.store.get().threads.list,
  unsent: (room) => room.store.get().threads.pending.length,
  tidied: async (room) => {
    for (const { id } of room.store.get().threads.list) {
      const token = document.cookie.match(/lamina_csrf=([^;]+)/)[1];
      await fetch(`/api/threads/${id}/resolve/`, { method: "POST", headers: { "X-CSRFToken": token } });
    }
  },
  edgeOfSkin: (room) => {
    const { geometry, position } = room.session.surfaces.meshes.get(2);
    const point = [geometry.boundingBox.max.x + position.x - 1.5, position.y, 0];
    room.session.goTo(point);
    return point;
  },
  shifted: (room, number, millimetres) => {
    const mesh = room.session.surfaces.meshes.get(number);
    mesh.geometry = mesh.geometry.clone();
    mesh.position.x += millimetres;
    room.session.space.invalidate();
  },
  atMiddle: (room) => room.session.goTo([20, -15, 10]),
}"""
SPOT = (20.0, -15.0, 10.0)


class Talking(Study):
    """The study page with somebody who asks and answers."""

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)

    @property
    def field(self) -> Any:
        return self.page.locator("#comments > .writer textarea")

    def card(self, text: str) -> Any:
        return self.page.locator(".thread").filter(has_text=text)

    def pin(self, number: str, viewport: str = "axial") -> Any:
        return self.page.locator(f'.viewport[data-viewport="{viewport}"] .pin', has_text=number)

    @property
    def open_count(self) -> str:
        chip = self.page.locator("#comments .section-head .chip")
        return chip.inner_text() if chip.is_visible() else ""

    @property
    def bell(self) -> str | None:
        return self.page.locator("#bell").get_attribute("data-unread")

    def place(self, viewport: str, pin: Any) -> tuple[float, float]:
        """Where the tip of a pin stands, px."""
        box = pin.bounding_box()
        return box["x"] + 12, box["y"] + 31


@pytest.fixture(scope="module")
def opened(site: Site, browser: Any, signed_in: Any, calibrated: tuple[str, Any]) -> Iterator[tuple[Talking, Watch]]:
    with open_desk(site, browser, signed_in("reader"), f"/studies/{calibrated[0]}/") as (page, watching):
        study = Talking(page)
        study.loaded("whole", "surfaces", "labelmap")
        yield study, watching


@pytest.fixture
def study(opened: tuple[Talking, Watch]) -> Iterator[Talking]:
    study, watching = opened
    yield study
    study.ask("tidied")
    eventually(lambda: study.open_count, "")
    assert watching.left() == []


def test_a_question_reaches_the_one_it_names(
    study: Talking, open_as: Callable[..., Any], calibrated: tuple[str, Any]
) -> None:
    page = study.page
    other = open_as("second", "/")
    other.wait_for_selector('#live[data-state="live"]')
    eventually(lambda: other.locator("#bell").get_attribute("data-unread"), "0")

    # M pins under the pointer and puts the cursor into the field; @ offers who may see the thread.
    page.mouse.move(*study.pixel("axial", (20, -15, 0)))
    page.keyboard.press("m")
    eventually(lambda: study.field.evaluate("field => field === document.activeElement"), True)
    page.keyboard.type("@Sa")
    page.get_by_role("option", name="Sam Second").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.type("is <b>this</b> the margin? https://example.org/x.")
    page.keyboard.press("Control+Enter")
    card = study.card("is <b>this</b> the margin?")
    card.wait_for()
    eventually(lambda: study.open_count, "1 open")
    eventually(lambda: study.ask("unsent"), 0)
    [thread] = study.ask("threads")
    assert thread["point_mm"] == pytest.approx([20, -15, 0], abs=0.6)
    assert card.locator(".thread__mention").inner_text() == "@Sam Second"
    link = card.locator(".thread__text a")
    assert link.get_attribute("href") == "https://example.org/x"
    assert "noopener" in link.get_attribute("rel")
    # The tip of the pin stands on the point it was asked about.
    pin = study.pin("1")
    pin.wait_for()
    eventually(
        lambda: study.place("axial", pin), lambda: pytest.approx(study.pixel("axial", thread["point_mm"]), abs=2)
    )

    # The other's bell rings without a reload, and leads there.
    eventually(lambda: other.locator("#bell .bell__count").inner_text(), "1")
    other.locator("#bell").click()
    row = other.locator(".bell__row")
    assert "Rae Reader mentioned you" in row.inner_text()
    row.locator("a").click()
    other.wait_for_selector('body[data-page="study"]')
    there = Talking(other)
    there.loaded("whole")
    there.card("the margin?").wait_for()
    eventually(lambda: there.card("the margin?").get_attribute("data-chosen"), "")
    eventually(lambda: there.is_near(tuple(thread["point_mm"]), 1.0), True)
    eventually(lambda: there.bell, "0")

    # An answer and the end of it, seen by the first at once.
    there.card("the margin?").get_by_role("button", name="Reply").click()
    other.keyboard.type("Yes, and the cyst is outside.")
    other.keyboard.press("Control+Enter")
    page.get_by_text("the cyst is outside").wait_for()
    eventually(lambda: study.bell, "1")
    there.card("the margin?").get_by_role("button", name="Resolve").click()
    eventually(lambda: study.open_count, "")
    eventually(
        lambda: study.page.locator('.thread[data-state="resolved"]').count(),
        lambda: int(study.page.locator(".threads__older").get_attribute("aria-expanded") == "true"),
    )
    page.get_by_role("button", name="1 resolved").wait_for()


@pytest.mark.slow
def test_words_that_do_not_get_through_are_kept(study: Talking, opened: tuple[Talking, Watch]) -> None:
    page, watching = study.page, opened[1]
    watching.allow = ["ERR_", "Failed to load"]
    lost = answered(lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.route("**/threads/", lost)
    study.ask("atMiddle")
    study.field.click()
    page.keyboard.type("Kept across a reload")
    page.get_by_role("button", name="Pin comment").click()
    page.get_by_text("Not sent yet. Kept in this browser.").wait_for()
    page.reload()
    study.__init__(page)
    study.loaded("whole", "surfaces", "labelmap")
    page.get_by_text("Kept across a reload").wait_for()
    page.get_by_text("Not sent yet.").wait_for()
    assert "Kept across" not in str(page.evaluate("JSON.stringify({...localStorage})"))
    page.unroute("**/threads/")
    page.get_by_role("button", name="Retry").click()
    eventually(lambda: study.ask("unsent"), 0)
    eventually(lambda: study.open_count, "1 open")
    # Without a pointer over a picture the planes' crossing was meant.
    [thread] = [one for one in study.ask("threads") if one["comments"][0]["text"] == "Kept across a reload"]
    assert thread["point_mm"] == pytest.approx(list(SPOT), abs=0.6)


def test_a_click_on_a_pin_leads_there(study: Talking) -> None:
    page = study.page
    study.ask("atMiddle")
    study.field.click()
    page.keyboard.type("Look here")
    page.keyboard.press("Control+Enter")
    eventually(lambda: study.open_count, "1 open")
    number = study.card("Look here").locator(".thread__number").inner_text()
    page.keyboard.press("Escape")
    page.locator('.viewport[data-viewport="coronal"]').hover(position={"x": 5, "y": 60})
    page.keyboard.press("Home")
    eventually(lambda: study.is_near(SPOT, 1.0), False)
    study.pin(number, "surfaces").click()
    eventually(lambda: study.is_near(SPOT, 1.0), True)
    assert study.card("Look here").get_attribute("data-chosen") == ""


def test_a_thread_says_how_far_its_surface_moved(study: Talking) -> None:
    """The skin goes 3.2 mm outwards where it was asked about: the card says so and the pin goes along."""
    page = study.page
    study.ask("edgeOfSkin")
    study.field.click()
    page.keyboard.type("Is the skin here?")
    page.keyboard.press("Control+Enter")
    card = study.card("Is the skin here?")
    eventually(lambda: card.locator(".thread__where").inner_text(), "Skin")
    [thread] = [one for one in study.ask("threads") if one["comments"][0]["text"] == "Is the skin here?"]
    x, y, z = thread["point_mm"]
    study.ask("shifted", 2, 3.2)
    eventually(lambda: spaces(card.locator(".thread__where").inner_text()), "surface moved 3.2 mm")
    pin = study.pin(card.locator(".thread__number").inner_text())
    eventually(lambda: study.place("axial", pin), lambda: pytest.approx(study.pixel("axial", (x + 3.2, y, z)), abs=2))
    study.ask("shifted", 2, -3.2)
    eventually(lambda: card.locator(".thread__where").inner_text(), "Skin")


@pytest.mark.slow
def test_key_images_and_a_report_of_them(study: Talking) -> None:
    """J keeps what is seen; the report is made with the key images in it (F13)."""
    page = study.page
    page.evaluate("document.activeElement.blur()")  # a letter is a letter while somebody writes
    page.locator('.viewport[data-viewport="coronal"]').hover(position={"x": 5, "y": 60})
    page.keyboard.press("j")
    eventually(lambda: page.locator(".key-image").count(), 1)
    picture = page.locator(".key-image img")
    eventually(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 100"), True)
    page.get_by_role("button", name="Make a report").click()
    row = page.locator('.reports__row[data-state="succeeded"]')
    row.wait_for()
    pdf = page.request.get(row.get_by_role("link", name="Download the PDF").get_attribute("href"))
    assert (pdf.headers["content-type"], pdf.body()[:5]) == ("application/pdf", b"%PDF-")
    text = page.request.get(row.get_by_role("link", name="Open the page").get_attribute("href")).text()
    assert text.count("Not for clinical use") == 2
    assert text.count("/api/key-images/") == 1
