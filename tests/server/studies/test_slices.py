"""Server-made slices against the voxels they are cut from; ranges that say their digest; packed slabs."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from server.core import storage
from server.studies import slices
from server.studies.models import Series
from server.studies.packing import packed

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(
    make_user: Callable[..., Any],
    make_project: Callable[..., Any],
    import_series: Callable[..., Any],
    api_client: Callable[..., Any],
) -> tuple[Any, Series, np.ndarray, Any]:
    """(client of a viewer, series, its stored voxels, client of a stranger)."""
    viewer, admin = make_user("viewer"), make_user("admin")
    done = import_series(make_project(admin=admin, viewer=[viewer]))
    series = Series.objects.select_related("study").get(study_id=done.study_ids[0])
    voxels = np.random.default_rng(5).integers(-1024, 3000, (6, 8, 5)).astype("<i2")
    series.voxels_ref = storage.put(series.study_id, series.study.project_id, io.BytesIO(voxels.tobytes()))
    series.shape, series.slices = list(voxels.shape), len(voxels)
    series.volume |= {"shape": series.shape, "slope": 0.5, "intercept": -100.0}
    series.save()
    return api_client(viewer), series, voxels, api_client(make_user("stranger"))


def test_a_slice_of_each_plane_is_the_volume_through_the_window(opened: Any) -> None:
    client, series, voxels, _ = opened
    slope, intercept = series.volume["slope"], series.volume["intercept"]
    for axis, name in enumerate("kji"):
        number = series.shape[axis] - 1
        stored = voxels.take(number, axis=axis)
        values = stored * slope + intercept
        width, level = float(np.ptp(values)) or 1.0, float(values.mean())
        address = f"/api/series/{series.pk}/slices/{name}/{number}/"
        answer = client.get(address, {"width": width, "level": level})
        assert answer["Cache-Control"].startswith("private")
        shown = np.asarray(Image.open(io.BytesIO(answer.content)), float)
        wanted = np.clip((values - (level - width / 2)) / width, 0, 1) * 255
        assert shown.shape == stored.shape
        assert np.abs(shown - wanted).max() <= 0.5 + 1e-3
        turned = client.get(address, {"width": width, "level": level, "inverted": "1"})
        assert np.abs(255 - np.asarray(Image.open(io.BytesIO(turned.content)), float) - shown).max() <= 1
        raw = client.get(address, {"as": "values"})
        assert np.array_equal(np.frombuffer(raw.content, "<i2").reshape(stored.shape), stored)
        small = Image.open(io.BytesIO(client.get(address, {"size": 4}).content))
        assert max(small.size) == min(4, max(stored.shape))


def test_blocks_are_cut_once_and_memory_is_bounded(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, series, voxels, _ = opened
    cuts = []
    cut = slices._cut
    monkeypatch.setattr(slices, "_kept", slices._Kept())
    monkeypatch.setattr(slices, "_cut", lambda *given: cuts.append(given[1:]) or cut(*given))
    monkeypatch.setattr(slices, "BLOCK", 2)
    for number in range(4):
        assert np.array_equal(slices.stored_slice(series, 1, number), voxels[:, number])
    assert cuts == [(1, 0), (1, 2)]
    monkeypatch.setattr(slices, "MOST_BYTES", 1)
    slices.stored_slice(series, 2, 0)
    assert list(slices._kept.blocks) == [(series.voxels_ref, 2, 0)]
    monkeypatch.setattr(slices, "KEEP_SECONDS", -1.0)
    slices.stored_slice(series, 2, 0)
    assert len(cuts) == 4


def test_what_is_asked_wrongly_is_refused_and_strangers_find_nothing(opened: Any) -> None:
    client, series, _, stranger = opened
    base = f"/api/series/{series.pk}"
    for path in ("slices/k/9999/", "slices/x/0/"):
        assert client.get(f"{base}/{path}").status_code == 404
    for path, query in (
        ("slices/k/0/", {"width": "0"}),
        ("slices/k/0/", {"level": "nan"}),
        ("slices/k/0/", {"size": "100000"}),
        ("packed/", {"first": 0, "count": 9999}),
        ("packed/", {"first": -1}),
    ):
        answer = client.get(f"{base}/{path}", query)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), (path, query)
    for path in ("slices/k/0/", "packed/?first=0"):
        assert stranger.get(f"{base}/{path}").status_code == 404


def test_a_range_says_what_its_bytes_hash_to(opened: Any) -> None:
    client, series, voxels, _ = opened
    answer = client.get(f"/api/series/{series.pk}/voxels/", headers={"Range": "bytes=10-29"})
    assert (answer.status_code, answer.content) == (206, voxels.tobytes()[10:30])
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer["Content-Digest"] == f"sha-256=:{digest}:"


def unpacked(body: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """As the browser does it."""
    planes = np.frombuffer(zlib.decompress(body, -15), np.uint8).reshape(2, -1)
    folded = planes[0].astype(np.int64) | planes[1].astype(np.int64) << 8
    steps = (folded >> 1) ^ -(folded & 1)
    return steps.reshape(shape).cumsum(axis=-1).astype(np.int16)


def test_packed_slices_come_back_as_they_were(opened: Any) -> None:
    client, series, voxels, _ = opened
    body = client.get(f"/api/series/{series.pk}/packed/", {"first": 1, "count": 2}).content
    assert np.array_equal(unpacked(body, (2, *series.shape[1:])), voxels[1:3])
    extremes = np.array([[[0, 32767, -32768, -1, 1, -32768]]], np.int16)
    assert np.array_equal(unpacked(packed(extremes), extremes.shape), extremes)
