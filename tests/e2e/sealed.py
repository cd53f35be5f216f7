"""A sealed project of its own for the browser tests of reading: people, protocol, a case, labelmaps of known Dice."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.reconstructions.editing.runs import pack_spans, spans_of
from tests.e2e.site import PASSWORD, Site
from tests.e2e.watch import WAIT_MS

NAME = "Sealed reads"
RADIUS, SPACING = 20.0, 2.0
BONE = {"value": "272673000", "scheme": "SCT", "meaning": "Bone"}
TISSUE = {"value": "85756007", "scheme": "SCT", "meaning": "Tissue"}
FORM = [
    {
        "key": "margin",
        "text": "Margin",
        "kind": "choice",
        "required": True,
        "choices": [
            {"code": "1", "scheme": "99LAMINA", "meaning": "Sharp"},
            {"code": "2", "scheme": "99LAMINA", "meaning": "Blurred"},
        ],
    },
    {"key": "note", "text": "Note", "kind": "text", "required": False},
]
PROTOCOL = {
    "is_sealed": True, "readers_per_case": 2, "dice_limit": 0.8, "hd95_limit_mm": None, "due_days": 3,
    "algorithm": "bone-ct", "form": FORM,
    "segments": [{"number": 1, "label": "Bone", "colour": "#FB9202", "category": TISSUE, "type": BONE}],
}  # fmt: skip

PEOPLE = """
import django, json, sys
django.setup()
from server.accounts.models import User
from server.accounts.services import add_member, create_project, create_user
from server.readings.cases.opening import set_protocol
given = json.load(sys.stdin)
boss = User.objects.get(email=given["boss"])
project = create_project(name=given["name"], by=boss)
for email, name, judge in given["people"]:
    user = create_user(email=email, display_name=name, password=given["password"])
    made = add_member(project=project, user=user, role="reader", by=boss)
    if judge:  # decides only, is dealt nothing
        made.is_adjudicator = True
        made.save()
        given["protocol"]["excluded"] = [str(user.pk)]
set_protocol(project=project, by=boss, values=given["protocol"])
print(json.dumps({"project": str(project.pk), "slug": project.slug}))
"""
OPEN = """
import django, json, sys
django.setup()
from server.accounts.models import Project, User
from server.readings.cases.opening import open_cases
from server.studies.models import Study
given = json.load(sys.stdin)
boss = User.objects.get(email=given["boss"])
studies = list(Study.objects.filter(pk__in=given["studies"]).order_by("created_at"))
cases = open_cases(project=Project.objects.get(pk=given["project"]), studies=studies, by=boss)
print(json.dumps({str(case.study_id): str(case.pk) for case in cases}))
"""
BOSS = "admin@example.org"
READERS = [
    ("read.a@example.org", "Alma Reader", False),
    ("read.b@example.org", "Bruno Reader", False),
    ("judge@example.org", "Juno Judge", True),
]


def answer_of(site: Site, code: str, **given: Any) -> Any:
    return json.loads(site.python(code, json.dumps(given)).strip().splitlines()[-1])


def sealed_project(site: Site, name: str = NAME, people: Any = READERS, **protocol: Any) -> dict[str, str]:
    """The project with two readers, one adjudicator and its protocol: {"project": id, "slug": slug}."""
    return answer_of(
        site, PEOPLE, name=name, boss=BOSS, password=PASSWORD, people=people, protocol={**PROTOCOL, **protocol}
    )


def bone_ball(
    site: Site, folder: Path, description: str, *options: str, radius: float = RADIUS, project: str = NAME
) -> str:
    """A ball of bone, 2 mm voxels, in the sealed project; the study's id. The same ball twice is one study."""
    from recon_engine.phantoms.calibrated import sphere_phantom
    from recon_engine.phantoms.series import write_ct_series

    folder.mkdir(parents=True)
    write_ct_series(sphere_phantom(radius, (SPACING,) * 3, hu=700.0).ct, folder, description, description)
    site.manage("import_study", str(folder), "--project", project, "--by", BOSS, "--description", description, *options)
    code = "import django; django.setup()\nfrom server.studies.models import Study\n"
    return site.python(code + "print(Study.objects.latest('created_at').pk)").strip().splitlines()[-1]


def open_cases(site: Site, project: str, *studies: str) -> dict[str, str]:
    """{study id: case id}"""
    return answer_of(site, OPEN, boss=BOSS, project=project, studies=list(studies))


def sign_in(site: Site, browser: Any, email: str) -> Any:
    """The cookies of somebody."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/accounts/login/")
    page.fill("#id_login", email)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector('body[data-page="worklist"]', timeout=WAIT_MS)
    state = context.storage_state()
    context.close()
    return state


# --- labelmaps of known agreement -----------------------------------------------------------------------------------


def boxes_with_dice(shape: tuple[int, int, int], dice: float) -> tuple[NDArray, NDArray]:
    """Flat indices of two boxes 20 wide and 10 high and deep whose Dice is exactly `dice` (whole hundredths).

    Both have 2000 voxels; every slice of the second is shifted along the row, by 20 (1 - dice) voxels on average.
    """
    shifts = round(20 * (1 - dice) * 10)  # over the ten slices
    k, j, i = (size // 2 for size in shape)
    a, b = np.zeros(shape, bool), np.zeros(shape, bool)
    for at in range(10):
        shift = shifts // 10 + (at < shifts % 10)
        a[k - 5 + at, j - 5 : j + 5, i - 12 : i + 8] = True
        b[k - 5 + at, j - 5 : j + 5, i - 12 + shift : i + 8 + shift] = True
    assert abs(2 * (a & b).sum() / (a.sum() + b.sum()) - dice) < 1e-12
    return np.flatnonzero(a), np.flatnonzero(b)


def paint(page: Any, segmentation: str, label: int, indices: NDArray) -> None:
    """What a stroke over exactly these voxels sends, as the person of the page."""
    spans = base64.b64encode(pack_spans(spans_of(indices))).decode()
    body = {
        "id": str(uuid.uuid4()), "kind": "paint", "name": "Painted", "base_seq": 0,
        "payload": {"label": label, "spans": spans, "over": None},
    }  # fmt: skip
    token = next(one["value"] for one in page.context.cookies() if one["name"].endswith("lamina_csrf"))
    url = page.url.split("/", 3)
    base = f"{url[0]}//{url[2]}"
    answer = page.request.post(
        f"{base}/api/segmentations/{segmentation}/operations/",
        data=body,
        headers={"X-CSRFToken": token, "Referer": base},
    )
    assert answer.status == 201, answer.text()


READ = """
import base64, json, sys, uuid
import django; django.setup()
from rest_framework.test import APIClient
from server.accounts.models import User
given = json.load(sys.stdin)
for email, spans in given["reads"]:
    client = APIClient(HTTP_HOST="127.0.0.1")
    client.force_authenticate(User.objects.get(email=email))
    mine = client.get(f"/api/studies/{given['study']}/").json()["case"]["mine"]
    base = f"/api/readings/{mine['id']}"
    segmentation = client.post(f"{base}/begin/").json()["mine"]["segmentation"]
    payload = {"label": 1, "spans": spans, "over": None}
    body = {"id": str(uuid.uuid4()), "kind": "paint", "name": "Painted", "base_seq": 0, "payload": payload}
    done = client.post(f"/api/segmentations/{segmentation}/operations/", body, format="json")
    assert done.status_code == 201, done.json()
    for act in ("commit", "submit"):
        body = {"answers": {"margin": "1"}, "seq": done.json()["operation"]["seq"]}
        kept = client.post(f"{base}/{act}/", body, format="json")
        assert kept.status_code == 200, kept.json()
"""


def read_all(site: Site, study: str, *reads: tuple[str, NDArray]) -> None:
    """Every (e-mail, voxels) begins, draws exactly these voxels, commits and submits; there is no result to face."""
    packed = [(email, base64.b64encode(pack_spans(spans_of(voxels))).decode()) for email, voxels in reads]
    site.python(READ, json.dumps({"study": study, "reads": packed}))
