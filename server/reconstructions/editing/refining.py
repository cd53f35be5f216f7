"""A prompt ("grow from here", "smooth by 1.5 mm") on its way to the engine, and its answer on the way back.

The engine sees a box of the volume: as far as the prompt can reach, no further. What it answers becomes one operation
of whoever asked, with the same rules as painted ones.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from server.core import storage
from server.core.errors import LaminaError
from server.jobs.kinds import EngineCall
from server.jobs.models import Job
from server.realtime.services import lock_stream
from server.reconstructions.editing import checks, derivation, labelmaps, services, writing
from server.reconstructions.editing.runs import pack_effect, spans_of
from server.reconstructions.editing.steps import Layer, Step
from server.reconstructions.models import Edit, Segmentation
from server.studies.models import StudyState
from server.studies.sealing import check_write

# What each kind of prompt may hold: name -> (kind of value, least, most). "?" may be left out.
_PROMPTS: Mapping[str, Mapping[str, tuple[str, float, float]]] = {
    "grow": {
        "seeds_mm": ("points", 1, 20),
        "radius_mm": ("number", 1, 150),
        "range?": ("range", 0, 0),
        "strictness?": ("number", 0, 1),
        "over?": ("over", 0, 0),
    },
    "islands": {"keep": ("choice", 0, 0), "voxels?": ("integer", 1, 10**9)},
    "split": {},
    "margin": {"mm": ("number", -30, 30), "range?": ("range", 0, 0), "over?": ("over", 0, 0)},
    "smooth": {"mm": ("number", 0.1, 20)},
    "fill-holes": {},
    "threshold": {"range": ("range", 0, 0), "box_mm?": ("box", 0, 0), "over?": ("over", 0, 0)},
}
DEFAULTS = {"radius_mm": 40.0, "strictness": 0.5, "over": [0]}
NEEDS_IMAGE = frozenset({"grow", "threshold"})
SPLIT_MOST = 12
_COLOURS = ("#FB9202", "#90A6FF", "#78FFE2", "#FEEE3E", "#E14B09", "#D8D1FF",
            "#766AFC", "#4E9688", "#B4E29D", "#CB9BBC", "#9A7859", "#8677A4")  # fmt: skip


# --- asking -------------------------------------------------------------------------------------------------------


def ask_to_refine(
    *,
    segmentation: Segmentation,
    by: Any,
    client_id: UUID,
    name: str,
    base_seq: int,
    prompt: Mapping[str, Any],
    preview: bool = False,
) -> Job:
    """Put a refinement in line. Raises LaminaError for a prompt that cannot be meant.

    A preview becomes no operation: nobody else sees it, and it is in no history.
    """
    with transaction.atomic():
        lock_stream(segmentation.study.stream)
        segmentation.study.refresh_from_db(fields=["state"])
        if segmentation.study.state != StudyState.ACTIVE:
            raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
        check_write(by, segmentation.study_id, segmentation.audience)
        edit = Edit.objects.get(pk=segmentation.pk)
        wanted = checked_prompt(segmentation, edit, prompt)
        if preview and wanted["kind"] == "split":
            raise checks.invalid(_("Splitting has no preview."))
        parameters = {"prompt": wanted, "client_id": str(client_id), "name": name, "base_seq": base_seq}
        parameters["preview"] = preview
        return derivation.ask(
            segmentation, segmentation.study, by, derivation.REFINE, parameters, key=str(client_id), priority=1
        )


def checked_prompt(segmentation: Segmentation, edit: Edit, prompt: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of the prompt, checked or its default. Raises LaminaError."""
    kind = prompt.get("kind")
    if kind not in _PROMPTS:
        raise checks.invalid(_("There is no such tool: %(kind)s.") % {"kind": str(kind)[:40]})
    fields = _PROMPTS[kind]
    known = {name.rstrip("?") for name in fields} | {"kind", "segment"}
    if unknown := set(prompt) - known:
        raise checks.invalid(_("The tool has no setting %(name)s.") % {"name": sorted(unknown)[0][:40]})
    numbers = {row["number"] for row in writing.table_at(segmentation, edit)}
    segment = prompt.get("segment")
    if not (segment is None and kind == "smooth"):
        if isinstance(segment, bool) or not isinstance(segment, int):
            raise checks.invalid(_("Say which segment."))
        if segment not in numbers:
            raise checks.segment_gone(segment)
    out: dict[str, Any] = {"kind": kind, "segment": segment}
    for declared, (form, least, most) in fields.items():
        name = declared.rstrip("?")
        value = prompt.get(name, DEFAULTS.get(name))
        if value is None and declared.endswith("?"):
            out[name] = None
        elif name == "over":
            out[name] = list(checks.over_of({"over": value}) or ()) if prompt.get("over", [0]) is not None else None
        else:
            out[name] = _value(name, form, least, most, value)
    if kind == "islands" and out["keep"] == "at-least" and out["voxels"] is None:
        raise checks.invalid(_("Say how many voxels a piece must have to stay."))
    if segmentation.series.spacing_mm is None:
        raise checks.invalid(_("The spacing of this series is unknown, so no tool can work in millimetres on it."))
    return out


def _value(name: str, form: str, least: float, most: float, value: Any) -> Any:
    wrong = checks.invalid(_("%(name)s does not fit.") % {"name": name})
    if form in {"number", "integer"}:
        if not _is_number(value) or (form == "integer" and value != int(value)) or not least <= value <= most:
            raise wrong
        return int(value) if form == "integer" else float(value)
    if form == "choice":
        if value not in {"largest", "at-least"}:
            raise wrong
        return value
    if form == "points":
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise wrong
        if any(not isinstance(p, list) or len(p) != 3 or not all(map(_is_number, p)) for p in value):
            raise wrong
        return [[float(n) for n in point] for point in value]
    count = 2 if form == "range" else 6
    if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
        raise wrong
    if any(value[n] > value[n + 1] for n in range(0, count, 2)):
        raise wrong
    return [float(n) for n in value]


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


# --- on the worker ------------------------------------------------------------------------------------------------


def prepare(segmentation: Segmentation, prompt: Mapping[str, Any], folder: Path) -> EngineCall:
    """The box the prompt can reach, as files for the engine."""
    from server.reconstructions.editing.working import write_piece

    with labelmaps.at_head(segmentation) as (flat, _seq):
        labels = flat.reshape(segmentation.series.shape)
        box = reach(segmentation, prompt, labels)
        needs = prompt["kind"] in NEEDS_IMAGE or prompt.get("range") is not None
        image = read_image(segmentation, box) if needs else None
        write_piece(segmentation, labels, box, folder / "piece", image=image)
    (folder / "box").write_text(" ".join(map(str, box)))
    request = {"labelmap": str(folder / "piece"), "prompt": dict(prompt), "out": str(folder / "result")}
    return EngineCall("refine", request)


def reach(segmentation: Segmentation, prompt: Mapping[str, Any], labels: NDArray) -> tuple[int, ...]:
    """The box of voxels that the prompt may look at or change."""
    from server.reconstructions.editing.working import box_of

    series = segmentation.series
    spacing, shape = np.array(series.spacing_mm), np.array(labels.shape)
    kind = prompt["kind"]
    to_index = np.linalg.inv(np.array(series.volume["affine"]))
    if kind == "grow":
        points = np.array([*map(np.array, prompt["seeds_mm"])])
        seeds = (np.c_[points, np.ones(len(points))] @ to_index.T)[:, :3]
        low, high = seeds.min(0) - prompt["radius_mm"] / spacing, seeds.max(0) + prompt["radius_mm"] / spacing + 1
    elif kind == "threshold":
        if prompt["box_mm"] is None:
            return (0, 0, 0, *labels.shape)
        x, y, z = (prompt["box_mm"][n : n + 2] for n in (0, 2, 4))
        corners = np.array([[a, b, c, 1.0] for a in x for b in y for c in z]) @ to_index.T
        low, high = corners[:, :3].min(0), corners[:, :3].max(0) + 1
    else:
        box = box_of(labels, {prompt["segment"]} if prompt["segment"] else set(range(1, 256)))
        wide = {"margin": abs(prompt.get("mm") or 0), "smooth": 4 * (prompt.get("mm") or 0)}.get(kind, 0.0)
        pad = np.ceil(wide / spacing) + 1
        low, high = np.array(box[:3]) - pad, np.array(box[3:]) + pad
    low = np.clip(np.floor(low), 0, shape - 1).astype(int)
    high = np.clip(np.ceil(high), low + 1, shape).astype(int)
    return (*map(int, low), *map(int, high))


def read_image(segmentation: Segmentation, box: Sequence[int]) -> NDArray:
    """The box of the series' stored values: only its slices are read."""
    series = segmentation.series
    _k, rows, columns = series.shape
    plane = rows * columns * 2
    pieces = storage.open_range(series.voxels_ref, box[0] * plane, (box[3] - box[0]) * plane)
    slab = np.frombuffer(b"".join(pieces), "<i2").reshape(box[3] - box[0], rows, columns)
    return np.ascontiguousarray(slab[:, box[1] : box[4], box[2] : box[5]])


@dataclass(frozen=True)
class WorkedOut:
    """Layers as the engine gave them; labels below 0 are segments that a split makes."""

    layers: Sequence[Layer]
    new: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Preview:
    """Where the effect lies, how many voxels it changes, and the operation it was worked out at."""

    ref: str
    changed: int
    seq: int


def read_result(
    segmentation: Segmentation, prompt: Mapping[str, Any], folder: Path, result: Mapping[str, Any]
) -> WorkedOut:
    """The engine's layers as runs of the whole volume."""
    origin = [int(n) for n in (folder / "box").read_text().split()][:3]
    box = result["box"]
    size = tuple(box[n + 3] - box[n] for n in range(3))
    raw = np.fromfile(folder / "result" / "layers.u8", np.uint8).reshape(len(result["layers"]), *size)
    layers = []
    _k, rows, columns = segmentation.series.shape
    for mask, layer in zip(raw, result["layers"], strict=True):
        k, j, i = np.nonzero(mask)
        k, j, i = k + (box[0] + origin[0]), j + (box[1] + origin[1]), i + (box[2] + origin[2])
        indices = (k.astype(np.int64) * rows + j) * columns + i
        over = None if layer["over"] is None else tuple(layer["over"])
        layers.append(Layer(layer["label"], spans_of(indices), over))
    return WorkedOut(layers, sum(layer.label < 0 for layer in layers), result["facts"])


def keep_preview(segmentation: Segmentation, worked_out: WorkedOut) -> Preview:
    """The effect the layers would have now, stored with the study's files until a cleaning removes it."""
    with labelmaps.at_head(segmentation) as (flat, seq):
        effect, _before = Step(tuple(worked_out.layers)).effect_on(flat)
    study = segmentation.study
    return Preview(storage.put(study.pk, study.project_id, io.BytesIO(pack_effect(effect))), effect.count, seq)


def preview_of(segmentation: Segmentation, job: Job) -> dict[str, Any]:
    """What `keep_preview` kept for this job. Raises LaminaError where there is none (any more)."""
    kept = job.result or {}
    if job.parameters.get("segmentation_id") != str(segmentation.pk) or "preview" not in kept:
        raise LaminaError("no_preview", _("There is no preview of this job."), 404)
    try:
        data = storage.read(kept["preview"])
    except storage.IntegrityError:
        raise LaminaError("no_preview", _("The preview is gone. Ask again."), 404) from None
    return {"changed": kept["changed"], "seq": kept["seq"], "effect": base64.b64encode(data).decode()}


def remove_old_previews(older_than: timedelta = timedelta(hours=1), most: int = 200) -> int:
    """Previews are looked at once. Returns how many were removed; the sweeper calls it."""
    old = Job.objects.filter(
        kind=derivation.KIND, result__has_key="preview", finished_at__lt=timezone.now() - older_than
    )
    jobs = list(old.only("id", "result")[:most])
    for job in jobs:
        storage.remove(job.result["preview"])
        Job.objects.filter(pk=job.pk).update(result={name: job.result[name] for name in ("changed", "seq")})
    return len(jobs)


def add(segmentation: Segmentation, job: Job, worked_out: WorkedOut) -> writing.Edited:
    """The operation. Inside the transaction of the job."""
    given = job.parameters
    prompt = given["prompt"]
    kind = "segment-split" if prompt["kind"] == "split" else "refine"
    sent = writing.Sent(UUID(given["client_id"]), kind, given["name"], given["base_seq"], {"prompt": prompt})
    params: dict[str, Any] = {"prompt": prompt, "number": prompt["segment"], "facts": dict(worked_out.facts)}
    layers = list(worked_out.layers)
    if kind == "segment-split":
        edit = Edit.objects.select_for_update().get(pk=segmentation.pk)
        rows = {row["number"]: row for row in writing.table_at(segmentation, edit)}
        origin = rows.get(prompt["segment"])
        if origin is None:
            raise checks.segment_gone(prompt["segment"])
        if edit.last_number + worked_out.new > checks.MOST_SEGMENTS:
            message = _("A segmentation holds at most %(most)d segments.")
            raise LaminaError("too_many_segments", message % {"most": checks.MOST_SEGMENTS}, 409)
        numbers = {-(n + 1): edit.last_number + n + 1 for n in range(worked_out.new)}
        params["added"] = [
            {
                **origin,
                "number": number,
                "label": f"{origin['label'][:58]} {n + 2}",
                "colour": _COLOURS[(number - 1) % len(_COLOURS)],
            }
            for n, number in enumerate(numbers.values())
        ]
        layers = [Layer(numbers[layer.label], layer.spans, layer.over) for layer in layers]
    return services.add_worked_out(
        segmentation=segmentation, by=job.requested_by, sent=sent, step=Step(tuple(layers)), params=params,
        number=prompt["segment"],
    )  # fmt: skip
