"""Working copies to edit, and a person's hand on them."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from server import engine
from server.core import storage
from server.reconstructions.editing import runs, services
from server.reconstructions.models import Segment, Segmentation
from tests.server.making import SHAPE

CODE = {"value": "52988006", "scheme": "SCT", "meaning": "Lesion"}
ABNORMAL = {"value": "49755003", "scheme": "SCT", "meaning": "Morphologically Abnormal Structure"}


def grid() -> np.ndarray:
    """The labelmap every result here has: segment 1 in slices 1 to 3, segment 2 in slices 5 and 6."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:4, 1:5, 1:4] = 1
    labels[5:7, 2:5, 0:3] = 2
    return labels


def text_of(indices: Any) -> str:
    """Flat indices as a browser sends them."""
    return base64.b64encode(runs.pack_spans(runs.spans_of(np.unique(np.asarray(indices))))).decode()


def box(k: slice, j: slice, i: slice) -> np.ndarray:
    """Flat indices of a box."""
    return np.flatnonzero(_mask(k, j, i))


def _mask(k: slice, j: slice, i: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[k, j, i] = True
    return mask


class Hand:
    """One person's calls on one segmentation."""

    def __init__(self, client: Any, segmentation: Any) -> None:
        self.client = client
        self.base = f"/api/segmentations/{segmentation['id'] if isinstance(segmentation, dict) else segmentation.pk}"

    def send(self, kind: str, payload: dict[str, Any], *, name: str = "", base_seq: int = 0, key: str = "") -> Any:
        body = {
            "id": key or str(uuid.uuid4()),
            "kind": kind,
            "name": name or kind,
            "base_seq": base_seq,
            "payload": payload,
        }
        return self.client.post(f"{self.base}/operations/", body, format="json")

    def paint(self, label: int, indices: Any, over: Any = None, **more: Any) -> Any:
        return self.send("paint", {"label": label, "spans": text_of(indices), "over": over}, **more)

    def add(self, label: str = "Lesion", **more: Any) -> Any:
        return self.send(
            "segment-add", {"label": label, "colour": "#E14B09", "category": ABNORMAL, "type": CODE}, **more
        )

    def undo(self) -> Any:
        return self.client.post(f"{self.base}/undo/", {"id": str(uuid.uuid4())}, format="json")

    def redo(self) -> Any:
        return self.client.post(f"{self.base}/redo/", {"id": str(uuid.uuid4())}, format="json")

    def get(self, what: str = "") -> Any:
        return self.client.get(f"{self.base}/{what}")

    def labelmap(self) -> tuple[np.ndarray, int]:
        answer = self.get("labelmap/")
        data = gzip.decompress(bytes_of(answer))
        return np.frombuffer(data, np.uint8).copy(), int(answer.headers["Lamina-Seq"])


def bytes_of(answer: Any) -> bytes:
    """The body of an answer that streams for an event loop, read without one around."""

    async def pieces() -> list[bytes]:
        return [piece async for piece in answer.streaming_content]

    return b"".join(asyncio.run(pieces()))


def apply_effects(flat: np.ndarray, operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        data = base64.b64decode(operation["effect"])
        runs.unpack_effect(data, len(flat)).apply(flat)


@pytest.fixture
def make_result(make_segmentation: Callable[..., Any]) -> Callable[..., Any]:
    """make_result(study) -> a result with the labels of `grid`, counted."""

    def make(study: Any, **values: Any) -> Any:
        made = make_segmentation(study, **values)
        labels = grid()
        packed = storage.put(study.pk, study.project_id, io.BytesIO(gzip.compress(labels.tobytes())))
        Segmentation.objects.filter(pk=made.pk).update(labelmap_ref=packed)
        for number in (1, 2):
            voxels = int((labels == number).sum())
            Segment.objects.filter(segmentation=made, number=number).update(
                voxels=voxels, volume_ml=round(voxels * 0.002, 4)
            )
        return Segmentation.objects.get(pk=made.pk)

    return make


@pytest.fixture
def room(
    make_user: Any, make_project: Any, make_study: Any, make_result: Any, api_client: Any, monkeypatch: Any
) -> Any:
    """Two readers, a viewer, a stranger, and the working copy of a result."""
    monkeypatch.setattr(engine, "encloses", lambda algorithm: {})

    class Room:
        anna, ben, viewer, stranger = make_user("anna"), make_user("ben"), make_user("viewer"), make_user("stranger")
        project = make_project(reader=[anna, ben], viewer=viewer)
        study = make_study(project)
        series = study.series.get()
        result = make_result(study, by=anna)
        made, is_new = services.begin_edit(segmentation=result, by=anna)
        client = staticmethod(api_client)

        def hand(self, person: Any) -> Hand:
            return Hand(api_client(person), self.made)

    return Room()
