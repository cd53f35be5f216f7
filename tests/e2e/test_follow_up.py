"""Two dates of one patient in the browser: registered, accepted, compared, and judged by their target lesion.

The truth is the phantom's: moved by 7 mm and 4 degrees, a lesion that grew from 20 to 26 mm in 91 days.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recon_engine.phantoms.follow_up import DAYS, DIAMETERS_MM, MOTION, FollowUp, follow_up_phantom, write_follow_up
from tests.e2e.site import PEOPLE, Site
from tests.e2e.viewer import Study, eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

SPACINGS = ((3.0, 2.0, 2.0), (3.0, 1.8, 1.8))
# The truth is painted as a segment "Lesion" in both studies; the earlier one is measured as well.
PLANT = """
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
code = {"value": "52988006", "scheme": "SCT", "meaning": "Lesion"}
abnormal = {"value": "49755003", "scheme": "SCT", "meaning": "Morphologically Abnormal Structure"}
def sent(address, body):
    answer = client.post(address, body, format="json")
    assert answer.status_code in (200, 201), answer.json()
    return answer.json()
for name, study in given["studies"].items():
    series = Series.objects.get(study_id=study)
    labels = np.load(given["labels"][name])
    assert list(labels.shape) == series.shape
    made = sent(f"/api/series/{series.pk}/segmentations/", {})
    spans = base64.b64encode(runs.pack_spans(runs.spans_of(np.flatnonzero(labels == 2)))).decode()
    added = {"label": "Lesion", "colour": "#E14B09", "category": abnormal, "type": code}
    painted = {"label": 1, "spans": spans, "over": None}
    for seq, (kind, payload) in enumerate([("segment-add", added), ("paint", painted)]):
        body = {"id": str(uuid.uuid4()), "kind": kind, "name": kind, "base_seq": seq, "payload": payload}
        sent(f"/api/segmentations/{made['id']}/operations/", body)
prior = given["studies"]["prior"]
series = Series.objects.get(study_id=prior)
x, y, z = given["centre"]
half = given["mm"] / 2
values = {"points": [[x - half, y, z], [x + half, y, z]], "value": given["mm"], "unit": "mm", "lesion_role": "target",
          "finding_site": {"value": "10200004", "scheme": "SCT", "meaning": "Liver"}}
sent(f"/api/studies/{prior}/annotations/", {"id": str(uuid.uuid4()), "annotation": str(uuid.uuid4()), "act": "add",
     "base_version": 0, "kind": "length", "series": str(series.pk), "name": "T1 liver", "values": values})
"""
QUESTIONS = """{
  matrix: (room) => room.store.get().study.transforms[0]?.matrix ?? null,
  goTo: (room, point) => room.session.goTo(point),
  prior: (room) => room.beside.other?.room.store.get().view.point ?? null,
  painted: (room) => {
    const mesh = room.comparison.painted[room.store.get().compare.side]?.meshes.get(1);
    const values = mesh?.geometry.getAttribute("distance").array;
    return values ? values.reduce((sum, one) => sum + one, 0) / values.length : null;
  },
}"""


def make_dates(site: Site, folder: Path) -> tuple[FollowUp, dict[str, str]]:
    """Both studies imported, outlined and the earlier one measured: (truth, study ids)."""
    made = write_follow_up(folder / "dicom", follow_up_phantom(SPACINGS))
    studies = {name: imported(site, folder / "dicom" / name) for name in ("prior", "current")}
    labels = {}
    for name, phantom in (("prior", made.prior), ("current", made.current)):
        labels[name] = str(folder / f"{name}.npy")
        np.save(labels[name], phantom.labels.voxels)
    given = {
        "email": PEOPLE["reader"]["email"], "studies": studies, "labels": labels, "mm": DIAMETERS_MM[0],
        "centre": made.prior.points_mm["lesion"],
    }  # fmt: skip
    site.python(PLANT, json.dumps(given))
    return made, studies


@pytest.fixture(scope="module")
def opened(
    site: Site, browser: Any, signed_in: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Study, Watch, FollowUp]]:
    made, studies = make_dates(site, tmp_path_factory.mktemp("follow-up"))
    path = f"/studies/{studies['current']}/"
    with open_desk(site, browser, signed_in("reader"), path, (1600, 1000)) as (page, watching):
        yield Study(page).loaded("whole", "labelmap").teach(QUESTIONS), watching, made


def number(text: str) -> float:
    return float(re.findall(r"[-\d.]+", spaces(text).replace("\u2212", "-"))[0])


def test_two_dates_are_registered_compared_and_judged(opened: tuple[Study, Watch, FollowUp]) -> None:
    study, watching, made = opened
    page = study.page
    section = page.locator("#follow")
    section.locator("summary").click()

    # Two frames of reference: nothing is laid over anything until a person accepts what was found.
    eventually(lambda: "another frame of reference" in section.locator(".overtime__sentence").first.inner_text(), True)
    cell = section.locator('[data-segment="1"]')
    volumes = [phantom.volumes_ml["Lesion"] for phantom in (made.prior, made.current)]  # of balls of 20 and 26 mm
    earlier, later = (cell.locator(f'[data-measure="{name}"]') for name in ("earlier", "later"))
    eventually(lambda: number(earlier.inner_text()), pytest.approx(volumes[0], abs=0.06))
    assert number(later.inner_text()) == pytest.approx(volumes[1], abs=0.06)
    change, percent = (number(text) for text in cell.locator('[data-measure="change"]').inner_text().splitlines())
    assert change == pytest.approx(volumes[1] - volumes[0], abs=0.06)
    assert percent == pytest.approx((volumes[1] / volumes[0] - 1) * 100, abs=0.06)
    doubling = DAYS * math.log(2) / math.log(volumes[1] / volumes[0])
    assert number(cell.locator('[data-measure="more"]').inner_text()) == pytest.approx(doubling, abs=0.6)
    assert spaces(section.locator("summary .second").inner_text()) == f"{DAYS} days"
    assert section.locator('[data-act="paint-change"]').is_disabled()

    section.locator('[data-act="register"]').click()
    accept = section.locator('[data-act="accept-registration"]')
    accept.wait_for()
    assert spaces(section.locator('.automatic [data-measure="motion"] dd').inner_text()) == "7.0 mm, 4.0°"
    assert study.ask("matrix") is None
    accept.click()
    eventually(lambda: "By Lamina rigid registration 1.0" in section.locator(".overtime__relation").inner_text(), True)
    found = np.array(study.ask("matrix"))
    places = made.prior.ct.to_mm(np.argwhere(made.prior.ct.voxels > -300)[::200])
    apart = [places @ m[:3, :3].T + m[:3, 3] for m in (found, MOTION)]
    assert np.linalg.norm(apart[0] - apart[1], axis=1).mean() < 0.5

    # A ball of 26 mm round one of 20 mm: 3 mm apart wherever one looks.
    section.locator('[data-act="paint-change"]').click()
    study.loaded("compared")
    eventually(lambda: study.ask("painted"), pytest.approx(3.0, abs=0.4))
    told = cell.locator('[data-measure="more"]')
    eventually(lambda: "surfaces" in told.inner_text(), True)
    mean = float(re.search(r"surfaces ([\d.]+) mm", spaces(told.inner_text()))[1])
    assert mean == pytest.approx(3.0, abs=0.6)  # between voxels of 2 to 3 mm
    page.locator("#compare").get_by_role("button", name="Close the comparison").click()

    # Measured with the mouse across the lesion of 26 mm, and marked as the target it was before.
    centre = np.array(made.current.points_mm["lesion"])
    study.ask("goTo", centre.tolist())
    page.keyboard.press("d")
    ends = [study.pixel("axial", tuple(centre + np.array([side * DIAMETERS_MM[1] / 2, 0, 0]))) for side in (-1, 1)]
    page.mouse.move(*ends[0])
    page.mouse.down()
    page.mouse.move(*ends[1], steps=4)
    page.mouse.up()
    row = page.locator('.measurement[data-kind="length"][data-chosen]')
    row.wait_for()
    row.get_by_label("Over time").select_option(label="Target lesion")
    eventually(lambda: "Target lesion" in row.inner_text(), True)
    eventually(lambda: "have no name" in section.inner_text(), True)
    row.get_by_label("Name", exact=True).fill("t1 Liver")
    page.keyboard.press("Enter")
    target = section.locator('[data-target="T1 liver"]')
    eventually(lambda: [round(number(one)) for one in target.locator("td").all_inner_texts()], [20, 26])
    answer = section.locator(".overtime__answer")
    eventually(lambda: answer.inner_text().startswith("PD · Progressive disease"), True)
    assert number(section.locator('[data-measure="from-nadir"] td').last.inner_text()) == pytest.approx(6.0, abs=0.5)
    assert "not for clinical use" in section.inner_text()

    # Side by side: the place stays, and the other study goes where the motion takes it.
    there = (np.linalg.inv(MOTION) @ [*centre, 1])[:3]
    section.get_by_label("Show side by side").click()
    eventually(lambda: float(np.abs(np.array(study.ask("prior")) - there).max()) < 2.5, True)
    assert study.is_near(tuple(centre), 2.0)
    assert watching.left() == []
