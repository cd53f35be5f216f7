"""Two outlines compared in the browser: a ball, and the same ball moved by 4 mm. Their distance is 4.0 mm at two places
and their Dice 0.80, which geometry says beforehand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.e2e.site import PEOPLE, Site
from tests.e2e.viewer import Study, eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

RADIUS, SHIFT, SPACING = 15.0, 4.0, 1.0
SHAPE = (44, 44, 56)
TEACH = """{
  azimuth: (room) => room.session.space.orbit.azimuth,
  painted: (room) => {
    const { side } = room.store.get().compare;
    const mesh = room.comparison.painted[side]?.meshes.get(1);
    const values = mesh?.geometry.getAttribute("distance").array;
    return values && mesh.visible ? [Math.min(...values), Math.max(...values)] : null;
  },
  own: (room) => Boolean(room.session.surfaces?.group.visible),
  covered: (room) => room.session.outlinesCovered,
}"""
# A segment "Ball" is painted at one place (version "First"), then rubbed out and painted 4 mm further to the left.
DRAW = """
import base64, json, sys, uuid
import django; django.setup()
import numpy as np
from rest_framework.test import APIClient
from server.accounts.models import User
from server.reconstructions.editing import runs
from server.studies.models import Series
given = json.load(sys.stdin)
client = APIClient(HTTP_HOST="127.0.0.1")
client.force_authenticate(User.objects.get(email=given["email"]))
series = Series.objects.get(study_id=given["study"])
made = client.post(f"/api/series/{series.pk}/segmentations/", {}, format="json").json()
base = f"/api/segmentations/{made['id']}"
k, j, i = np.indices(given["shape"])
def ball(x):
    middle = [n // 2 for n in given["shape"]]
    inside = (k - middle[0]) ** 2 + (j - middle[1]) ** 2 + (i - middle[2] - x) ** 2 <= given["radius"] ** 2
    return base64.b64encode(runs.pack_spans(runs.spans_of(np.flatnonzero(inside)))).decode()
def send(kind, payload, seq):
    body = {"id": str(uuid.uuid4()), "kind": kind, "name": kind, "base_seq": seq, "payload": payload}
    answer = client.post(f"{base}/operations/", body, format="json")
    assert answer.status_code == 201, answer.json()
code = {"value": "52988006", "scheme": "SCT", "meaning": "Lesion"}
send("segment-add", {"label": "Ball", "colour": "#E14B09", "category": code, "type": code}, 0)
send("paint", {"label": 1, "spans": ball(-2), "over": None}, 1)
assert client.post(f"{base}/versions/", {"name": "First"}, format="json").status_code == 201
send("erase", {"spans": ball(-2), "over": [1]}, 2)
send("paint", {"label": 1, "spans": ball(2), "over": None}, 3)
print(made["id"])
"""


def dice_of_balls(radius: float, shift: float) -> float:
    """Overlap of two equal balls: the volume of the lens they share by the volume of one."""
    lens = math.pi / 12 * (4 * radius + shift) * (2 * radius - shift) ** 2
    return lens / (4 / 3 * math.pi * radius**3)


def make_balls(site: Site, folder: Any) -> str:
    """A study with the two states; its id."""
    from recon_engine.phantoms.series import write_ct_series
    from recon_engine.volume import Volume

    affine = np.diag([SPACING, SPACING, SPACING, 1.0])[[2, 1, 0, 3]]
    affine[:3, 3] = [-SPACING * (n // 2) for n in SHAPE[::-1]]
    write_ct_series(Volume(np.zeros(SHAPE, np.int16), affine, None, "CT", "HU"), folder, "moved-ball", "A ball, CT")
    study = imported(site, folder)
    given = {"study": study, "email": PEOPLE["reader"]["email"], "shape": SHAPE, "radius": RADIUS}
    site.python(DRAW, json.dumps(given))
    return study


class Comparing(Study):
    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)
        self.panel = page.locator("#compare")

    def measure(self, name: str) -> str:
        return spaces(self.panel.locator(f'[data-measure="{name}"] dd').first.inner_text())

    def spots(self) -> list[str]:
        return [spaces(text) for text in self.panel.locator(".spot__size b").all_inner_texts()]

    def chosen(self) -> str:
        return self.panel.locator('.spot[aria-current="true"]').get_attribute("data-spot", timeout=1000) or ""

    def mark(self, viewport: str, n: int) -> Any:
        return self.page.locator(f'.viewport[data-viewport="{viewport}"] .spot-mark[data-spot="{n}"]')

    def mark_at(self, viewport: str, n: int) -> tuple[float, float]:
        box = self.mark(viewport, n).bounding_box(timeout=1000)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture(scope="module")
def opened(
    site: Site, browser: Any, signed_in: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Comparing, Watch]]:
    study = make_balls(site, tmp_path_factory.mktemp("moved"))
    with open_desk(site, browser, signed_in("reader"), f"/studies/{study}/", (1600, 1000)) as (page, watching):
        comparing = Comparing(page)
        comparing.loaded("whole", "labelmap")
        yield comparing, watching


def test_a_ball_moved_by_4_mm_reads_4_mm_at_two_places(opened: tuple[Comparing, Watch]) -> None:
    """From choosing two versions to both hot spots; numbers against geometry."""
    page, watching = opened
    panel = page.panel
    panel.locator("summary").click()
    left, right = panel.get_by_label("A", exact=True), panel.get_by_label("B", exact=True)
    left.focus()  # versions are asked for when somebody looks for them
    eventually(lambda: any("First" in text for text in left.locator("option").all_inner_texts()), True)
    first = next(text for text in left.locator("option").all_inner_texts() if "First" in text)
    now = next(text for text in right.locator("option").all_inner_texts() if "·" in text and "First" not in text
               and "beginning" not in text)  # fmt: skip
    left.select_option(label=first)
    right.select_option(label=now)
    panel.get_by_role("button", name="Compare", exact=True).click()
    page.loaded("compared")

    eventually(lambda: len(page.spots()), 2)
    for text in page.spots():
        assert text.endswith(" mm")
        assert float(text.removesuffix(" mm")) == pytest.approx(SHIFT, abs=SPACING / 2)
    assert float(page.measure("dice")) == pytest.approx(dice_of_balls(RADIUS, SHIFT), abs=0.01)
    assert float(page.measure("max").removesuffix(" mm")) == pytest.approx(SHIFT, abs=SPACING / 2)
    volume = 4 / 3 * math.pi * RADIUS**3 / 1000
    for side in ("a", "b"):
        assert float(page.measure(f"volume-{side}").removesuffix(" mL")) == pytest.approx(volume, rel=0.02)
    # The ramp reaches as far as there is something to see, and says which way is which.
    legend = page.page.locator(".legend")
    assert [spaces(text) for text in legend.locator("li").all_inner_texts()][::3] == ["+6", "0", "\u22126"]
    eventually(lambda: "lies outside" in legend.inner_text(), True)
    eventually(lambda: page.ask("painted"), [pytest.approx(-SHIFT, abs=0.5), pytest.approx(SHIFT, abs=0.5)])
    eventually(lambda: (page.ask("own"), page.ask("covered")), (False, True))
    assert watching.left() == []


def test_keys_and_clicks_lead_all_planes_and_the_3d_to_a_place(opened: tuple[Comparing, Watch]) -> None:
    """Where the left ball ends, x is 2 + 15 - 2 mm; the number stands there in every plane, and the 3D looks at it."""
    page, watching = opened
    page.page.locator(".viewport[data-viewport=axial]").focus()
    ends = {"a_only": -SHIFT / 2 - RADIUS, "b_only": SHIFT / 2 + RADIUS}
    seen = []
    eventually(page.chosen, "1")
    for key, wanted in (("n", "2"), ("n", "1"), ("Shift+N", "2")):
        page.page.keyboard.press(key)
        eventually(page.chosen, wanted)
        eventually(lambda: page.ask("resting"), True)
        x = page.point[0]
        seen.append(x)
        end = min(ends.values(), key=lambda one: abs(one - x))
        # The planes go halfway between both surfaces: 2 mm inside the outer one.
        assert abs(x) == pytest.approx(abs(end) - SHIFT / 2, abs=1.5)
        assert page.point[1:] == (pytest.approx(0, abs=5), pytest.approx(0, abs=5))
        eventually(lambda: page.ask("azimuth") > 0, x > 0)
        for viewport in ("axial", "coronal", "sagittal"):
            eventually(lambda v=viewport, w=wanted: page.mark_at(v, int(w)),
                       lambda v=viewport: pytest.approx(page.pixel(v, page.point), abs=6))  # fmt: skip
        page.mark("surfaces", int(wanted)).wait_for()
    assert seen[0] == pytest.approx(seen[2], abs=1)
    assert seen[0] * seen[1] < 0
    page.panel.locator('.spot[data-spot="1"]').click()
    eventually(page.chosen, "1")
    assert watching.left() == []


def test_the_other_side_the_range_and_the_end(opened: tuple[Comparing, Watch]) -> None:
    page, watching = opened
    page.page.locator('.legend__sides [data-side="b"]').click()
    eventually(lambda: page.page.locator('.legend__sides [data-side="b"]').get_attribute("aria-pressed"), "true")
    eventually(lambda: bool(page.ask("painted")), True)
    page.panel.get_by_label("Hot spot from").fill("5")
    eventually(page.spots, [])
    page.panel.get_by_label("Hot spot from").fill("1")
    eventually(lambda: len(page.spots()), 2)
    page.panel.get_by_label("Range of the colours").fill("12")
    eventually(lambda: spaces(page.page.locator(".legend li").first.inner_text()), "+12")
    with page.page.expect_download() as asked:
        page.panel.get_by_role("button", name="Distances as CSV").click()
    with open(asked.value.path(), encoding="utf-8", newline="") as file:
        lines = file.read().split("\r\n")
    assert lines[0] == "Not for clinical use"
    assert lines[2].startswith("segment,label,dice,hd95_mm")
    page.panel.get_by_role("button", name="Close the comparison").click()
    eventually(lambda: page.ask("covered"), False)
    eventually(page.page.locator(".spot-mark").count, 0)
    assert page.page.locator(".legend").is_hidden()
    page.panel.get_by_role("button", name="Show again").click()
    eventually(lambda: page.ask("covered"), True)
    eventually(lambda: bool(page.ask("painted")), True)
    assert watching.left() == []
