"""Co-editing of one labelmap by the page's own code in three processes, against the real server and database.

Random strokes, undos and redos while connections are cut, answers are lost and sent again, and the server is restarted
in the middle: all browsers, the server and who joins late hold the same labelmap, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.faults.harness import Site, wait_until
from tests.server.conftest import import_series, make_study  # noqa: F401  studies as the other tests make them

pytestmark = pytest.mark.django_db(transaction=True)

DESK = Path(__file__).with_name("desk.mjs")
CSRF = "c" * 32
CODE = {"value": "52988006", "scheme": "SCT", "meaning": "Lesion"}
KIND = {"value": "49755003", "scheme": "SCT", "meaning": "Morphologically Abnormal Structure"}
LABELS = [1, 2]


def node() -> list[str]:
    """The command that runs the browser's modules with a WebSocket; skips where there is none."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed: co-editing was not tested")
    major = int(subprocess.run([program, "--version"], capture_output=True, text=True).stdout.lstrip("v").split(".")[0])
    if major < 20:
        pytest.skip("node is too old to have a WebSocket: co-editing was not tested")
    return [program, *(["--experimental-websocket"] if major < 22 else [])]


class Desk:
    """One reader's browser without its screen."""

    def __init__(self, port: int, user: Any, seed: int, **about: Any) -> None:
        client = Client()
        client.force_login(user)
        cookies = {
            django_settings.SESSION_COOKIE_NAME: client.session.session_key,
            django_settings.CSRF_COOKIE_NAME: CSRF,
        }
        given = {
            "base": f"http://127.0.0.1:{port}",
            "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "csrf": CSRF,
            "me": str(user.pk),
            "seed": seed,
            "labels": LABELS,
            **about,
        }
        self.child = subprocess.Popen(
            [*node(), "--no-warnings", str(DESK), json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, order: str, **words: Any) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps({"order": order, **words}) + "\n")
        self.child.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, f"the desk ended with {self.child.poll()}"
        return json.loads(line)

    def ask(self, order: str, **words: Any) -> dict[str, Any]:
        self.tell(order, **words)
        return self.hear()

    def close(self) -> None:
        self.child.kill()
        self.child.wait()


@pytest.fixture
def shared(site: Site, settings: Any, make_user: Any, make_project: Any, make_study: Any) -> Any:  # noqa: F811
    """(study, empty working segmentation with two segments, three readers), stored where the web process looks."""
    from server.reconstructions.models import Segmentation

    settings.LAMINA_STORAGE, settings.LAMINA_HOME = site.folder / "storage", site.folder / "home"
    readers = [make_user(f"Reader {letter}") for letter in "ABC"]
    study = make_study(make_project(reader=readers))
    client = Client()
    client.force_login(readers[0])
    series = study.series.get()
    made = client.post(f"/api/series/{series.pk}/segmentations/", {}, content_type="application/json").json()
    for number in LABELS:
        body = {
            "id": f"00000000-0000-4000-8000-00000000000{number}",
            "kind": "segment-add",
            "name": "New segment",
            "base_seq": 0,
            "payload": {"label": f"Part {number}", "colour": "#E14B09", "category": KIND, "type": CODE},
        }
        address = f"/api/segmentations/{made['id']}/operations/"
        assert client.post(address, body, content_type="application/json").status_code == 201
    return study, Segmentation.objects.get(pk=made["id"]), readers


def served(site: Site, port: int) -> Any:
    """The product's web process on this port."""
    command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    child = site.start([*command, "server.asgi:application"])

    def listens() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, 60, "the web server", site.tail)
    return child


def replayed(segmentation: Any) -> tuple[int, np.ndarray]:
    """(head, labelmap) from the stored effects alone, from nothing to the newest: a second way to the same voxels."""
    from server.reconstructions.editing import labelmaps
    from server.reconstructions.models import Operation

    head = Operation.objects.filter(segmentation=segmentation).order_by("-seq").values_list("seq", flat=True)[0]
    return head, labelmaps.at_seq(segmentation, head)


def converge(site: Site, shared: Any, seed: int, acts: int) -> None:
    from server.reconstructions.models import Operation

    study, segmentation, readers = shared
    about = {"study": str(study.pk), "segmentation": str(segmentation.pk), "stream": segmentation.stream}
    web = site.web()
    desks = [Desk(web.port, reader, seed + at, **about) for at, reader in enumerate(readers)]
    try:
        for desk in desks:
            assert desk.hear() == {"ready": 2}
        for desk in desks:
            desk.tell("run", acts=acts)
        before = 2 + acts // 2
        wait_until(lambda: Operation.objects.filter(segmentation=segmentation).count() > before, 60, "some strokes")
        site.stop(web.child)  # killed in the middle of whatever it was answering
        web.child = served(site, web.port)
        did = [desk.hear()["did"] for desk in desks]
        # Until nothing more is written: every browser has sent what waited.
        for desk in desks:
            desk.ask("hash", seq=0)
        head, truth = replayed(segmentation)
        late = Desk(web.port, readers[0], seed + 9, **about)
        desks.append(late)
        assert late.hear()["ready"] <= head
        answers = [desk.ask("hash", seq=head) for desk in desks]
        stored = late.ask("stored")
        print(f"seed {seed}: {head} operations, {did}, {[answer['reports'] for answer in answers]}")
        assert [answer["known"] for answer in answers] == [head] * 4
        assert [answer["waiting"] for answer in answers] == [0] * 4
        assert {answer["hash"] for answer in answers} == {stored["hash"]}
        assert stored == {"known": head, "hash": hashlib.sha256(np.ascontiguousarray(truth).tobytes()).hexdigest()}
        # A browser that hears of a change and loses the answers with it asks again by itself, until it has them.
        desks[1].ask("lose", answers=2)
        known = desks[0].ask("fill", label=LABELS[0])["known"]
        last = desks[1].ask("hash", seq=known)
        assert (last["known"], last["hash"]) == (known, desks[0].ask("hash", seq=known)["hash"])
        authors = Operation.objects.filter(segmentation=segmentation, seq__gt=2).values_list("author_id", flat=True)
        assert set(authors) == {reader.pk for reader in readers}
        assert truth.any()
        # Undo took back nobody else's.
        for row in Operation.objects.filter(segmentation=segmentation, kind__in=["undo", "redo"]):
            assert Operation.objects.get(segmentation=segmentation, seq=row.target).author_id == row.author_id
    finally:
        for desk in desks:
            desk.close()
        site.stop(web.child)


@pytest.mark.slow
def test_three_browsers_converge_through_cuts_lost_answers_and_a_restart(site: Site, shared: Any) -> None:
    converge(site, shared, random.randrange(10**6), acts=16)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_long_histories_converge(site: Site, shared: Any, seed: int) -> None:
    converge(site, shared, seed * 1000, acts=120)
