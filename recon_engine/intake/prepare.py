"""Make stored series out of examined ones: cleaned instances, the volume's files, or pictures of what is no volume.

Each series gets a folder of its own below `out`, named by its place: `instances/`, `voxels.i16`, `preview.u8.gz`,
`thumbnail.png`, or `pictures/`, and `prepared.json`, the PreparedSeries record. Nothing that is written holds a direct
identifier, and no name of a source file is used.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

from recon_engine.contract import (
    EngineError,
    IntakeFinding,
    OnProgress,
    PhaseFiles,
    PreparedInstance,
    PreparedSeries,
    PrepareRequest,
    PrepareResult,
    Progress,
    VolumeFiles,
)
from recon_engine.intake import pictures, reasons, stored_pictures, tags
from recon_engine.intake.descriptors import cleaned
from recon_engine.intake.header import Header
from recon_engine.intake.identifiers import changes_of, pieces_of_identity, without_before
from recon_engine.intake.inspection import Examined, load, load_phase
from recon_engine.intake.niftiheader import write_cleaned_nifti
from recon_engine.intake.replacements import Replacements, iso
from recon_engine.intake.rewriting import read_dataset, write_cleaned
from recon_engine.intake.survey import Survey, Watch, survey
from recon_engine.intake.volumefiles import write_phase, write_volume_files

RECORD = "prepared.json"  # read by prepared.py


def replacements_of(pseudonym: str, uid_key: str, date_shift_days: int) -> Replacements:
    """Raises EngineError bad_request for a key that is not 32 bytes of hex or a pseudonym that cannot be a name."""
    try:
        key = bytes.fromhex(uid_key)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise EngineError("bad_request", "The UID key is 64 hexadecimal digits (32 bytes).")
    if not pseudonym or len(pseudonym) > 64 or not pseudonym.isascii() or set("\\^=") & set(pseudonym):
        raise EngineError("bad_request", "A pseudonym is 1 to 64 ASCII characters without \\, ^ and =.")
    return Replacements(pseudonym, key, date_shift_days)


def prepare_here(
    request: PrepareRequest, workspace: Path, on_progress: OnProgress, watch: Watch | None = None
) -> PrepareResult:
    """`prepare` in this process. `workspace` is an empty folder that the caller removes."""
    replace = replacements_of(request.pseudonym, request.uid_key, request.date_shift_days)
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    on_progress(Progress(phase="inspect", fraction=0.0))
    found = _examined(request, workspace, watch)
    chosen = _chosen(found, request)
    total = sum(len(e.finding.files) for e in chosen) or 1
    done = 0
    result: list[PreparedSeries] = []
    for number, examined in enumerate(chosen):
        folder = f"series-{number:03d}"
        count = len(examined.finding.files)

        def report(part: float, detail: str, done: int = done, count: int = count) -> None:
            on_progress(Progress(phase="write", fraction=0.1 + 0.9 * (done + part * count) / total, detail=detail))

        series = _prepare_one(examined, out / folder, folder, replace, request, report)
        result.append(series)
        done += count
    on_progress(Progress(phase="write", fraction=1.0))
    return PrepareResult(series=tuple(result))


def _examined(request: PrepareRequest, workspace: Path, watch: Watch | None) -> list[Examined]:
    if not request.as_stack:
        found: Survey = survey(request.source, workspace, request.modality_by_key, watch)
        return found.examined
    return pictures.examine_source(request.source, workspace, request.stack_modality, request.stack_spacing_mm)


def _chosen(found: list[Examined], request: PrepareRequest) -> list[Examined]:
    """The asked series that may be stored. Withheld ones only where somebody has confirmed them."""
    by_key = {e.finding.key: e for e in found}
    keys = request.keys or (tuple(by_key) if request.as_stack else ())
    unknown = [key for key in keys if key not in by_key]
    if unknown:
        raise EngineError("bad_request", f"{len(unknown)} of the chosen series are not there. Inspect the files again.")
    chosen = []
    for key in keys:
        examined = by_key[key]
        finding = examined.finding
        if finding.facts.get("withheld") and key not in request.confirmed_keys:
            continue
        if finding.verdict == "refuse" and not finding.facts.get("kept"):
            raise EngineError(finding.reasons[0], finding.message, reasons=list(finding.reasons))
        chosen.append(examined)
    return chosen


def _prepare_one(
    examined: Examined, target: Path, folder: str, replace: Replacements, request: PrepareRequest, report: Any
) -> PreparedSeries:
    (target / "instances").mkdir(parents=True)
    modality = (
        examined.finding.modality or request.modality_by_key.get(examined.finding.key, "") or request.stack_modality
    )
    if not modality:
        raise EngineError("bad_request", "Say what modality the file is (CT, MR or PT).")
    volume_files: VolumeFiles | None = None
    kept: tuple[str, ...] = ()
    if examined.is_volume:
        volume = load(examined)
        volume = with_changes(volume, modality=modality)
        volume_files = write_volume_files(volume, target, _file_window(examined))
        if len(examined.marks) > 1:
            # One at a time: only one volume lies in memory, however many there are.
            del volume
            volume_files = _with_phases(examined, volume_files, target, report)
        report(0.4, "volume written")
    if examined.headers:
        series = _dicom_series(examined, target, replace, modality, report)
    elif examined.finding.facts.get("pictures"):
        series = _picture_series(examined, target, replace, modality)
    else:
        series = _nifti_series(examined, target, replace, modality)
    if not examined.is_volume:
        kept = stored_pictures.write(examined, target)
    series = with_changes(
        series,
        instances=tuple(with_changes(i, path=f"{folder}/{i.path}") for i in series.instances),
        volume=_below(volume_files, folder),
        pictures=tuple(f"{folder}/{name}" for name in kept),
    )
    _write_record(series, target, folder)
    return series


def _with_phases(examined: Examined, files: VolumeFiles, target: Path, report: Any) -> VolumeFiles:
    written = []
    count = len(examined.marks)
    for number, mark in enumerate(examined.marks):
        values = {"value": mark.value, "kind": mark.kind}
        if number == 0:
            written.append(PhaseFiles(voxels=files.voxels, slope=files.slope, intercept=files.intercept, **values))
            continue
        volume = load_phase(examined, number)
        if volume.shape != files.shape:
            raise EngineError("internal", "A later volume of the series has another shape.")
        name, slope, intercept = write_phase(volume, target, number)
        written.append(PhaseFiles(voxels=name, slope=slope, intercept=intercept, **values))
        report(0.4 * (number + 1) / count, f"volume {number + 1} of {count}")
    return with_changes(files, phases=tuple(written))


def _below(files: VolumeFiles | None, folder: str) -> VolumeFiles | None:
    """Paths relative to the request's `out`."""
    if files is None:
        return None
    return with_changes(
        files,
        voxels=f"{folder}/{files.voxels}",
        preview=f"{folder}/{files.preview}",
        thumbnail=f"{folder}/{files.thumbnail}",
        phases=tuple(with_changes(phase, voxels=f"{folder}/{phase.voxels}") for phase in files.phases),
    )


def _write_record(series: PreparedSeries, target: Path, folder: str) -> None:
    """prepared.json, with paths relative to the series' own folder, so that the folder can be moved."""
    record = series.to_dict()

    def relative(name: str) -> str:
        return name.removeprefix(folder + "/")

    for instance in record["instances"]:
        instance["path"] = relative(instance["path"])
    record["pictures"] = [relative(name) for name in record["pictures"]]
    if record["volume"] is not None:
        for name in ("voxels", "preview", "thumbnail"):
            record["volume"][name] = relative(record["volume"][name])
    (target / RECORD).write_text(json.dumps(record, sort_keys=True, allow_nan=False), encoding="utf-8")


def _file_window(examined: Examined) -> tuple[float, float] | None:
    if not examined.headers:
        return None
    header = examined.headers[len(examined.headers) // 2]
    width, centre = header.decimals(tags.WINDOW_WIDTH), header.decimals(tags.WINDOW_CENTRE)
    return (width[0], centre[0]) if width and centre else None


def _neutral(examined: Examined, series: PreparedSeries) -> IntakeFinding:
    """The finding as it may be stored: no file names, replaced UIDs, cleaned words."""
    finding = examined.finding
    facts = {k: v for k, v in finding.facts.items() if k not in ("changes", "patient_key", "thumbnail")}
    facts["frame_of_reference_uid"] = series.frame_of_reference_uid
    facts["study_description"] = series.study_description
    facts["body_part"] = cleaned(str(facts.get("body_part", "")))
    return with_changes(
        finding,
        key=series.series_instance_uid,
        series_instance_uid=series.series_instance_uid,
        study_instance_uid=series.study_instance_uid,
        modality=series.modality,
        description=series.description,
        files=(),
        message=reasons.message(series.description or f"{series.modality} series", examined.issues),
        facts=facts,
    )


def _dicom_series(
    examined: Examined, target: Path, replace: Replacements, modality: str, report: Any
) -> PreparedSeries:
    headers = _in_order(examined)
    instances = []
    first_dataset = read_dataset(headers[0])
    rows = without_before(changes_of(first_dataset, replace))
    for number, header in enumerate(headers):
        path = f"instances/{number:05d}.dcm"
        uid, sop_class, syntax = write_cleaned(header, target / path, replace)
        instances.append(
            PreparedInstance(
                sop_instance_uid=uid, path=path, number=number, sop_class_uid=sop_class, transfer_syntax_uid=syntax
            )
        )
        if number % 16 == 0:
            report(0.4 + 0.6 * number / len(headers), f"image {number + 1} of {len(headers)}")
    first = headers[0]
    pieces = pieces_of_identity(first_dataset)
    frame = first.text(tags.FRAME_OF_REFERENCE)
    date = replace.date(first.text(tags.STUDY_DATE))
    series = PreparedSeries(
        finding=examined.finding,
        series_instance_uid=replace.uid(first.text(tags.SERIES_UID)),
        study_instance_uid=replace.uid(first.text(tags.STUDY_UID)),
        frame_of_reference_uid=replace.uid(frame) if frame else None,
        modality=modality,
        description=cleaned(examined.finding.description, pieces),
        series_number=first.integer(tags.SERIES_NUMBER),
        study_date=iso(date) if date else None,
        study_description=cleaned(str(examined.finding.facts.get("study_description", "")), pieces),
        patient_age=_short(first, tags.PATIENT_AGE),
        patient_sex=_short(first, tags.PATIENT_SEX),
        instances=tuple(instances),
        changes=rows,
        volume=None,
    )
    return with_changes(series, finding=_neutral(examined, series))


def _in_order(examined: Examined) -> list[Header]:
    """Along the normal where there is a plan, each file once; what a plan leaves out (later volumes) comes last."""
    if examined.plan is None:
        return examined.headers
    ordered = [examined.sources[n].header for n in examined.plan.order]
    used = {id(header) for header in ordered}
    unique = list({id(header): header for header in ordered}.values())
    return unique + [header for header in examined.headers if id(header) not in used]


def _short(header: Header, tag: int) -> str | None:
    value = header.text(tag)
    return value if value and len(value) <= 4 and value.isalnum() else None


def _nifti_series(examined: Examined, target: Path, replace: Replacements, modality: str) -> PreparedSeries:
    path = "instances/image.nii.gz"
    digest = write_cleaned_nifti(examined.path, target / path)
    return _without_headers(examined, replace, modality, [(path, digest)])


def _picture_series(examined: Examined, target: Path, replace: Replacements, modality: str) -> PreparedSeries:
    written = []
    for number, values in enumerate(pictures.each(examined)):
        path = f"instances/{number:05d}.png"
        stored_pictures.save(values, target / path)
        written.append((path, hashlib.sha256(values.tobytes()).hexdigest()))
    return _without_headers(examined, replace, modality, written)


def _without_headers(
    examined: Examined, replace: Replacements, modality: str, written: list[tuple[str, str]]
) -> PreparedSeries:
    """A series of files that carry no UIDs: theirs are made from what the files hold."""
    whole = hashlib.sha256("".join(digest for _, digest in written).encode()).hexdigest()
    syntax = "" if examined.finding.facts.get("pictures") else "nifti"
    series = PreparedSeries(
        finding=examined.finding,
        series_instance_uid=replace.uid(f"series:{whole}"),
        study_instance_uid=replace.uid(f"study:{whole}"),
        frame_of_reference_uid=None,
        modality=modality,
        description=cleaned(examined.finding.description.split(".")[0]),
        series_number=None,
        study_date=None,
        study_description="",
        patient_age=None,
        patient_sex=None,
        instances=tuple(
            PreparedInstance(
                sop_instance_uid=replace.uid(f"instance:{number}:{digest}"),
                path=path,
                number=number,
                transfer_syntax_uid=syntax,
            )
            for number, (path, digest) in enumerate(written)
        ),
        changes=(),
        volume=None,
    )
    return with_changes(series, finding=_neutral(examined, series))
