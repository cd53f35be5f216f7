"""Hands that draw on the study page, for the browser tests of editing and refining."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.e2e.viewer import Study, eventually, spaces

TEACH = """{
  extent: (room, number) => {
    const box = room.session.surfaces?.meshes.get(number)?.geometry.boundingBox;
    return box ? [box.max.x - box.min.x, box.max.y - box.min.y, box.max.z - box.min.z] : null;
  },
  labels: (room, number) => room.session.desk?.labels.counts[number] ?? null,
  waiting: (room) => room.store.get().edits.waiting,
  handed: (room) => room.store.dispatch({ type: "view.set", values: { tool: "window", layout: "2x2", large: null } }),
}"""


class Editing(Study):
    """The study page with hands that draw."""

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)

    def ready(self) -> Editing:
        self.loaded("whole")
        return self

    def row(self, name: str) -> Any:
        # Not by any text of the row: an opened one offers to be merged into the others by their names.
        return self.page.locator(f'.segment:has(.segment__name span:text-is("{name}"))')

    def ml(self, name: str) -> float:
        text = spaces(self.row(name).locator(".segment__size").inner_text())
        assert text.endswith(" mL"), text
        return float(text.removesuffix(" mL").replace(",", ""))

    def holds(self, name: str, millilitres: float) -> None:
        """The row says this volume to 2 %; sizes are written with the next picture."""
        eventually(lambda: self.ml(name), pytest.approx(millilitres, rel=0.02))

    def press(self, point: tuple[float, ...], *more: tuple[float, ...], viewport: str = "axial") -> None:
        """Down at the first place (LPS mm), over the others, up."""
        pixels = [self.pixel(viewport, one) for one in (point, *more)]
        self.page.mouse.move(*pixels[0])
        self.page.mouse.down()
        for x, y in pixels[1:]:
            self.page.mouse.move(x, y, steps=4)
        self.page.mouse.up()

    def option(self, name: str) -> None:
        self.page.locator(".editing-bar").get_by_role("button", name=name, exact=True).click()

    def size(self, millimetres: float) -> None:
        self.page.get_by_label("Size of the brush").fill(str(millimetres))

    def new_segment(self, name: str) -> None:
        self.page.keyboard.press("a")
        self.page.get_by_role("textbox", name="Name", exact=True).fill(name)
        self.page.get_by_role("button", name="Make the segment").click()
        self.row(name).wait_for()

    def saved(self) -> None:
        eventually(lambda: self.ask("waiting"), 0)
        self.page.locator('.saved[data-kind="saved"]').wait_for()

    def undo_names(self) -> str:
        return self.page.locator(".status__undo strong").inner_text()


def ball(diameter: float) -> float:
    return math.pi / 6 * diameter**3 / 1000
