"""The verb `reconstruct`: files in, an algorithm's labels, closed surfaces and a manifest out."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from recon_engine import recipes
from recon_engine.contract import (
    ENGINE_VERSION,
    AlgorithmDescription,
    EngineError,
    IntakeFinding,
    OnProgress,
    Progress,
    ReconstructionRequest,
    ReconstructionResult,
    no_progress,
)
from recon_engine.fit import SeriesFacts, fit
from recon_engine.recipes.base import Context, Labels, checked_parameters
from recon_engine.results import ResultFolder, labelmap_files, segment_result
from recon_engine.volume import Volume

# Where each part of the work begins and ends on the whole job's line.
_READ, _RECIPE, _SURFACE, _WRITE = (0.0, 0.15), (0.15, 0.8), (0.8, 0.95), (0.95, 1.0)
_USUAL_PHASES = (("preprocess", 0.1), ("infer", 0.8), ("postprocess", 0.1))


def reconstruct(request: ReconstructionRequest, on_progress: OnProgress = no_progress) -> ReconstructionResult:
    """Run one algorithm on its inputs and write the result folder `request.out`.

    The folder appears whole: a refused, failed or cancelled run leaves nothing. Raises EngineError with a reason code
    of the intake, bad_request, not_found, too_few_slices, out_of_memory or what `on_progress` raises to cancel.
    """
    _reset_peak()
    recipe = recipes.find(request.algorithm, request.version)
    description: AlgorithmDescription = recipe.DESCRIPTION
    parameters = checked_parameters(description, request.parameters)
    line = _Line(recipe, on_progress)
    try:
        with ResultFolder(request.out) as folder:
            profile = _Profile(request.profile)
            volumes, findings = _read(description, request.inputs, line)
            context = Context(
                device=_device(request.device, description),
                threads=request.threads or os.cpu_count() or 1,
                on_report=line.recipe,
                seconds=line.seconds,
            )
            with profile:
                labels = _run(recipe, volumes, parameters, context)
            hashes = tuple(volume_sha256(v) for v in volumes.values())
            volumes.clear()  # the largest thing in memory; from here on labels are enough
            with profile, line.stage("surface"):
                made = _surfaces(recipe, labels, context.threads, line)
            if request.profile:
                folder.write("profile.txt", profile.text())
            result = _write(folder, recipe, hashes, findings, labels, made, parameters, context, line)
            folder.publish()
    except MemoryError:
        raise EngineError(
            "out_of_memory", f"{description.name} ran out of memory at {peak_mib():.0f} MiB.", peak_mib=peak_mib()
        ) from None
    on_progress(Progress(phase="write", fraction=1.0, detail="done"))
    return result


class _Line:
    """Puts the parts' own fractions on the whole job's line, which never runs backwards, and books their seconds."""

    def __init__(self, recipe: ModuleType, on_progress: OnProgress) -> None:
        self.on_progress = on_progress
        self.seconds: dict[str, float] = {}
        self.furthest = 0.0
        phases: Sequence[tuple[str, float]] = getattr(recipe, "PHASES", _USUAL_PHASES)
        whole = sum(share for _, share in phases)
        self.places: dict[str, tuple[float, float]] = {}
        start = 0.0
        for phase, share in phases:
            self.places[phase] = (start / whole, (start + share) / whole)
            start += share

    def tell(self, phase: str, within: tuple[float, float], fraction: float, detail: str) -> None:
        self.furthest = max(self.furthest, within[0] + (within[1] - within[0]) * fraction)
        self.on_progress(Progress(phase=phase, fraction=round(self.furthest, 4), detail=detail))

    def recipe(self, phase: str, fraction: float, detail: str) -> None:
        low, high = self.places.get(phase, (0.0, 1.0))
        span = _RECIPE[1] - _RECIPE[0]
        self.tell(phase, (_RECIPE[0] + span * low, _RECIPE[0] + span * high), fraction, detail)

    def stage(self, phase: str) -> _Stage:
        return _Stage(self.seconds, phase)


class _Stage:
    def __init__(self, seconds: dict[str, float], phase: str) -> None:
        self.seconds, self.phase = seconds, phase

    def __enter__(self) -> None:
        self.since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + time.monotonic() - self.since


def _read(
    description: AlgorithmDescription, inputs: Mapping[str, str], line: _Line
) -> tuple[dict[str, Volume], dict[str, IntakeFinding]]:
    from recon_engine.intake import read_volume

    wanted = description.inputs
    given = dict(inputs)
    if "" in given and len(wanted) == 1:
        given.setdefault(wanted[0], given.pop(""))
    if set(given) != set(wanted):
        raise EngineError(
            "bad_request",
            f"{description.name} takes {' and '.join(wanted)}, one series each; "
            f"this request names {' and '.join(m or 'a series' for m in given) or 'none'}.",
        )
    volumes: dict[str, Volume] = {}
    findings: dict[str, IntakeFinding] = {}
    with line.stage("read"):
        for done, modality in enumerate(wanted):
            line.tell("read", _READ, done / len(wanted), f"series {done + 1} of {len(wanted)}")
            volume, finding = read_volume(given[modality], modality)
            _check(description, modality, volume, finding)
            volumes[modality], findings[modality] = volume, finding
        line.tell("read", _READ, 1.0, f"{len(wanted)} of {len(wanted)} series read")
    return volumes, findings


def _check(description: AlgorithmDescription, modality: str, volume: Volume, finding: IntakeFinding) -> None:
    """Refuse what the algorithm is not made for, with every reason."""
    facts = SeriesFacts(
        modality=volume.modality or finding.modality or modality,
        shape=volume.shape,
        spacing_mm=volume.spacing_mm if volume.spacing_known else None,
        phantom=bool(finding.facts.get("phantom", False)),
        verdict=finding.verdict,
        is_volume=True,
        reasons=finding.reasons,
    )
    if why := fit(description, facts):
        few = volume.shape[0] < description.minimum_slices
        raise EngineError("too_few_slices" if few else "bad_request", " ".join(why), algorithm=description.name)


def _device(wanted: str, description: AlgorithmDescription) -> str:
    """The device to run on; torch loads only for an algorithm with weights."""
    if not description.weights_sha256:
        return "cpu"
    if wanted in ("", "cuda") or wanted.startswith("cuda:"):
        import torch

        if torch.cuda.is_available():
            return wanted or "cuda:0"
        if wanted:
            raise EngineError("bad_request", f"This machine has no {wanted}. Leave the device empty or take cpu.")
        return "cpu"
    if wanted != "cpu":
        raise EngineError("bad_request", f"There is no device {wanted}. Take cpu, cuda:0 or leave it empty.")
    return wanted


def _run(recipe: ModuleType, volumes: Mapping[str, Volume], parameters: Mapping[str, Any], context: Context) -> Labels:
    labels: Labels = recipe.run(volumes, parameters, context)
    context.close()
    source = next(iter(volumes.values()))
    known = {segment.number for segment in recipe.DESCRIPTION.segments}
    if labels.labelmap.voxels.dtype != np.uint8 or not labels.labelmap.same_grid(source):
        raise EngineError("internal", f"{recipe.DESCRIPTION.name} gave labels off the grid of its source.")
    from recon_engine.surface.kernels import count_labels

    strange = {int(n) for n in np.flatnonzero(count_labels(np.ascontiguousarray(labels.labelmap.voxels)))} - known - {0}
    if strange:
        raise EngineError("internal", f"{recipe.DESCRIPTION.name} gave labels it does not describe: {sorted(strange)}.")
    return labels


def _surfaces(recipe: ModuleType, labels: Labels, threads: int, line: _Line) -> list[Any]:
    from recon_engine.surface import Wanted, make_surfaces

    encloses: Mapping[int, tuple[int, ...]] = getattr(recipe, "ENCLOSES", {})
    wanted = [Wanted(s.number, tuple(encloses.get(s.number, ()))) for s in recipe.DESCRIPTION.segments]
    source = labels.labelmap if labels.working is None else labels.working
    # A segment that is absent stays absent, whatever it would enclose.
    present = set(np.unique(source.voxels).tolist())
    wanted = [Wanted(w.number, w.encloses if w.number in present else ()) for w in wanted]
    return make_surfaces(
        source, wanted, threads, lambda fraction, detail: line.tell("surface", _SURFACE, fraction, detail)
    )


def _write(
    folder: ResultFolder,
    recipe: ModuleType,
    hashes: tuple[str, ...],
    findings: Mapping[str, IntakeFinding],
    labels: Labels,
    made: list[Any],
    parameters: Mapping[str, Any],
    context: Context,
    line: _Line,
) -> ReconstructionResult:
    from recon_engine.surface import Part, browser_glb, node_names, plain_glb
    from recon_engine.surface.kernels import label_sums

    description: AlgorithmDescription = recipe.DESCRIPTION
    encloses: Mapping[int, tuple[int, ...]] = getattr(recipe, "ENCLOSES", {})
    labelmap = labels.labelmap
    known = labelmap.spacing_known
    parts = [
        Part(s.number, s.label, s.colour, surface.mesh, 0.3 if s.number in encloses else 1.0)
        for s, surface in zip(description.segments, made, strict=True)
    ]
    shown = [part for part in parts if not part.mesh.empty]
    names = dict(zip([p.number for p in shown], node_names(shown), strict=True))
    extras = {
        "unit": "mm" if known else "voxel",
        "frame": "LPS",
        "frame_of_reference_uid": labelmap.frame_of_reference_uid,
        "algorithm": f"{description.name} {description.version}",
        "notice": "Not for clinical use",
    }
    copyright_ = ". ".join(t for t in (description.licence, description.attribution) if t)
    began = time.monotonic()
    line.tell("write", _WRITE, 0.0, "labelmap")
    nifti, raw = labelmap_files(labelmap, next(iter(findings.values())).facts.get("nifti"))
    folder.write("labelmap.nii.gz", nifti)
    folder.write("labelmap.u8.gz", raw)
    line.tell("write", _WRITE, 0.4, "surfaces")
    folder.write("surfaces.glb", plain_glb(parts, extras, copyright_))
    packed = [surface.packed for surface in made if surface.packed is not None]
    folder.write("surfaces.browser.glb", browser_glb(parts, extras, copyright_, packed))
    for name, data in sorted(labels.files.items()):
        folder.write(name, data)
    sums, counts = label_sums(np.ascontiguousarray(labelmap.voxels))
    segments = [
        segment_result(segment, encloses.get(segment.number, ()), surface, labelmap, sums, counts, names)
        for segment, surface in zip(description.segments, made, strict=True)
        if not labels.segments or segment.number in labels.segments
    ]
    line.tell("write", _WRITE, 0.8, "manifest")
    line.seconds["write"] = time.monotonic() - began  # but for the manifest, which names it
    preprocessing = {"recipe": dict(getattr(recipe, "PREPROCESSING", {})), "parameters": dict(parameters)}
    result = ReconstructionResult(
        algorithm=description.name,
        version=description.version,
        engine_version=ENGINE_VERSION,
        weights_sha256=description.weights_sha256,
        preprocessing_sha256=hashlib.sha256(json.dumps(preprocessing, sort_keys=True).encode()).hexdigest(),
        device=context.device,
        source_uids=tuple(f.series_instance_uid or "" for f in findings.values()),
        source_sha256=hashes,
        shape=labelmap.shape,
        affine=tuple(tuple(float(v) for v in row) for row in labelmap.affine),
        frame_of_reference_uid=labelmap.frame_of_reference_uid,
        segments=tuple(segments),
        warnings=(*_warnings(findings), *labels.warnings, *_small_warnings(description, made, labelmap)),
        seconds={name: round(value, 4) for name, value in line.seconds.items()},
        peak_memory_mib=round(peak_mib(), 1),
        metrics=dict(labels.metrics),
        files=dict(folder.hashes),
        licence=description.licence,
        attribution=description.attribution,
    )
    folder.write("manifest.json", json.dumps(result.to_dict(), sort_keys=True, indent=1, allow_nan=False).encode())
    return result


def _warnings(findings: Mapping[str, IntakeFinding]) -> list[str]:
    return [f.message for f in findings.values() if f.verdict == "warn" and f.message]


def _small_warnings(description: AlgorithmDescription, made: list[Any], labelmap: Volume) -> list[str]:
    """Say where voxels are too coarse for a surface to be believed."""
    said = []
    for segment, surface in zip(description.segments, made, strict=True):
        if surface.small and surface.voxels:
            size = f" of {max(labelmap.spacing_mm):.1f} mm" if labelmap.spacing_known else ""
            said.append(
                f"{segment.label} is hardly larger than a voxel{size}: its surface is shown unsmoothed and its volume "
                f"may be off by {min(surface.doubt, 1) * 100:.0f} %."
            )
    return said


def volume_sha256(volume: Volume) -> str:
    """Hash of the voxels with their grid: equal for equal volumes, whatever files they came in."""
    digest = hashlib.sha256(f"{volume.voxels.dtype.str}{volume.shape}".encode())
    digest.update(np.ascontiguousarray(volume.affine, "<f8").tobytes())
    digest.update(memoryview(np.ascontiguousarray(volume.voxels)).cast("B"))
    return digest.hexdigest()


class _Profile:
    """Function times of the parts run inside it, written as profile.txt beside the result; nothing where not asked."""

    def __init__(self, wanted: bool) -> None:
        import cProfile

        self.profile = cProfile.Profile() if wanted else None

    def __enter__(self) -> None:
        if self.profile:
            self.profile.enable()

    def __exit__(self, *_: object) -> None:
        if self.profile:
            self.profile.disable()

    def text(self) -> bytes:
        import io
        import pstats

        out = io.StringIO()
        if self.profile:
            pstats.Stats(self.profile, stream=out).sort_stats("cumulative").print_stats(40)
        return out.getvalue().encode()


def _reset_peak() -> None:
    """Let the peak count from here: a warm process has run others before. Only Linux offers it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_mib() -> float:
    """Largest resident memory of this process since the last reset, in MiB."""
    try:
        for row in Path("/proc/self/status").read_text().splitlines():
            if row.startswith("VmHWM"):
                return int(row.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
