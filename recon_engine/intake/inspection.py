"""From headers to findings: group, run every check that can run, plan the volume, say what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recon_engine.contract import EngineError, IntakeFinding
from recon_engine.dicom import SliceSource, read_voxels, rescale_of
from recon_engine.intake import phases, reasons, rules, sopclasses, suv, tags
from recon_engine.intake.charsets import series_text
from recon_engine.intake.geometry import Plan, axes, plan_slices
from recon_engine.intake.header import Header
from recon_engine.intake.multiframe import frames_of
from recon_engine.intake.reasons import Issue
from recon_engine.intake.slices import Frame, SeriesFiles, group_by_series
from recon_engine.volume import Volume

PHANTOM_MODEL = "Lamina phantom"


@dataclass
class Examined:
    """A finding with what is needed to read the volume it speaks of. Stays inside the process that parsed."""

    finding: IntakeFinding
    headers: list[Header]
    issues: tuple[Issue, ...]
    sources: list[SliceSource] = field(default_factory=list)
    plan: Plan | None = None
    unit: str = ""
    scale: float = 1.0
    load: Callable[[], Volume] | None = None  # for what is not DICOM
    later: list[list[SliceSource]] = field(default_factory=list)  # further volumes of the same places, as `sources`
    load_later: Callable[[int], Volume] | None = None  # the same for what is not DICOM; 1 is the second volume
    marks: tuple[phases.Mark, ...] = ()  # what tells the volumes apart, the first included; none where there is one
    path: str = ""  # the one file, where the series is one that is not DICOM
    pictures: tuple[str, ...] = ()  # PNG or JPEG files in order

    @property
    def is_volume(self) -> bool:
        return self.finding.verdict != "refuse"


def examine_headers(headers: Iterable[Header], relative: Callable[[str], str] = str) -> list[Examined]:
    """All series among these headers, with their findings. `relative` turns a header's path into the shown one."""
    return [_guarded(group, relative) for group in group_by_series(headers)]


def _guarded(group: SeriesFiles, relative: Callable[[str], str]) -> Examined:
    """A series our rules stumble over is refused like any other damaged one; it does not take the others with it."""
    try:
        return examine_series(group, relative)
    except MemoryError:
        raise
    except Exception as error:
        return refused(relative(group.headers[0].path), "parse_error", f"The headers mislead ({type(error).__name__}).")


def examine_series(group: SeriesFiles, relative: Callable[[str], str]) -> Examined:
    """Run the rules over one series, in order."""
    issues: list[Issue] = []
    headers = group.headers
    derived = sopclasses.is_derived(headers[0].text(tags.SOP_CLASS), headers[0].text(tags.MODALITY))
    if derived:
        issues.append(Issue("derived_object_not_source"))
    formats = {} if derived else rules.check_pixels(headers, issues)
    rules.check_required(headers, issues)
    if not derived:
        rules.check_kind(headers, formats, issues)
    rules.check_one_patient(headers, issues)
    headers, duplicates = rules.drop_identical_files(headers, issues)
    modality = headers[0].text(tags.MODALITY)
    plan: Plan | None = None
    frames: list[Frame] = []
    later: list[list[Frame]] = []
    facts: dict[str, Any] = {}
    is_other = any(issue.code == "not_a_volume_modality" for issue in issues)
    if not derived:
        rules.check_frame_of_reference(headers, issues)
        if group.is_localiser:
            issues.append(Issue("localizer_series"))
        if not is_other:
            frames = frames_of(headers, formats, issues)
            if not group.is_localiser:
                plan, frames, later = _place(frames, formats, issues, facts)
                rules.check_count(len(frames), issues)
        rules.check_values(headers, formats, issues)
    texts = series_text(headers[0], issues)
    sources = _sources(frames, issues)
    more = [_sources(one, issues) for one in later]
    unit, scale = _unit(headers, modality, facts)
    _note_facts(facts, group, headers, duplicates, modality, texts, issues)
    sorted_issues = reasons.sort_issues(issues)
    verdict = reasons.verdict(sorted_issues)
    facts["kept"] = verdict == "refuse" and reasons.may_be_kept(sorted_issues)
    facts["unit"] = unit
    if plan is not None:
        facts.update(plan.facts)
    order = [one[n].header for one in (frames, *later) for n in plan.order] if plan is not None else headers
    files = tuple(dict.fromkeys(relative(header.path) for header in order))
    finding = IntakeFinding(
        key=group.key if group.key != headers[0].path else relative(group.key),
        series_instance_uid=headers[0].text(tags.SERIES_UID) or None,
        study_instance_uid=headers[0].text(tags.STUDY_UID) or None,
        modality=modality or None,
        description=texts.series,
        files=files,
        shape=plan.shape if plan is not None else None,
        spacing_mm=tuple(round(v, 6) for v in plan.spacing_mm) if plan is not None and len(frames) > 1 else None,
        verdict=verdict,
        reasons=tuple(issue.code for issue in sorted_issues),
        message=reasons.message(texts.series or f"{modality or 'Unnamed'} series", sorted_issues),
        facts=facts,
    )
    marks = phases.marks_of([frames, *later]) if later else ()
    return Examined(finding, headers, sorted_issues, sources, plan, unit, scale, later=more, marks=marks)


def _place(
    frames: list[Frame], formats: dict[int, Any], issues: list[Issue], facts: dict[str, Any]
) -> tuple[Plan | None, list[Frame], list[list[Frame]]]:
    """Rules 7 to 11 as far as they can run: the plan, the frames it speaks of, those of later volumes."""
    if not frames or not rules.check_geometry(frames, formats, issues):
        return None, frames, []
    orientation = frames[0].orientation
    spacing = frames[0].spacing
    form = formats.get(id(frames[0].header))
    if orientation is None or spacing is None or form is None:
        return None, frames, []
    frames, *later = rules.volumes_of(frames, axes(orientation)[:, 0])
    if later:
        facts["volumes"] = 1 + len(later)
    positions = np.array([f.position for f in frames], dtype=np.float64)
    plan, found = plan_slices(positions, orientation, (spacing[0], spacing[1]), (form.rows, form.columns))
    issues.extend(found)
    return plan, frames, later


def _sources(frames: list[Frame], issues: list[Issue]) -> list[SliceSource]:
    sources = []
    for frame in frames:
        try:
            slope, intercept = rescale_of(frame.header)
        except EngineError as error:
            issues.append(Issue(error.code, error.message))
            return []
        if (frame.slope, frame.intercept) != (1.0, 0.0):
            slope, intercept = frame.slope, frame.intercept
        sources.append(SliceSource(frame.header, frame.number, slope, intercept))
    return sources


def _unit(headers: list[Header], modality: str, facts: dict[str, Any]) -> tuple[str, float]:
    if modality == "CT":
        return "HU", 1.0
    if modality == "PT":
        unit, scale, note = suv.body_weight(headers[0])
        if note:
            facts["suv"] = note
        return unit, scale
    return "", 1.0


def _note_facts(
    facts: dict[str, Any],
    group: SeriesFiles,
    headers: list[Header],
    duplicates: int,
    modality: str,
    texts: Any,
    issues: list[Issue],
) -> None:
    """What the pages show besides the verdict. Nothing here names a person."""
    first = headers[0]
    facts["instances"] = len(headers)
    facts["bytes"] = sum(header.size for header in group.headers)
    facts["frame_of_reference_uid"] = first.text(tags.FRAME_OF_REFERENCE) or None
    facts["phantom"] = first.text(tags.QUALITY_CONTROL_IMAGE) == "YES" and first.text(tags.MODEL_NAME) == PHANTOM_MODEL
    facts["body_part"] = first.text(tags.BODY_PART)[:16]
    facts["study_description"] = texts.study
    facts["transfer_syntax"] = first.syntax
    if duplicates:
        facts["identical_files"] = duplicates
    burned = any(issue.code == "burned_in_annotation" for issue in issues)
    facts["withheld"] = burned or sopclasses.is_withheld(first.text(tags.SOP_CLASS), modality)


def refused(relative: str, code: str, found: str = "") -> Examined:
    """A finding for something that never became a series: a file, an archive, an empty folder."""
    issue = Issue(code, found)
    finding = IntakeFinding(
        key=relative,
        series_instance_uid=None,
        study_instance_uid=None,
        modality=None,
        description=relative.rsplit("/", 1)[-1],
        files=(relative,) if relative else (),
        shape=None,
        spacing_mm=None,
        verdict="refuse",
        reasons=(code,),
        message=reasons.message(relative or "The folder", (issue,)),
        facts={"kept": False, "withheld": False, "phantom": False, "frame_of_reference_uid": None},
    )
    return Examined(finding, [], (issue,))


def load(examined: Examined, modality: str = "", on_slice: Callable[[int, int], None] | None = None) -> Volume:
    """Read the volume of an examined series. Raises EngineError with the first refusing code, or what reading finds."""
    finding = examined.finding
    if not examined.is_volume:
        raise EngineError(finding.reasons[0], finding.message, reasons=list(finding.reasons))
    if modality and finding.modality and modality != finding.modality:
        raise EngineError(
            "bad_request", f"The series is {finding.modality}, not {modality}. Choose a {modality} series."
        )
    if examined.load is not None:
        return examined.load()
    return _read(examined, examined.sources, on_slice)


def load_phase(examined: Examined, number: int) -> Volume:
    """A volume of a 4D series; 0 is what `load` gives. Raises EngineError."""
    if number == 0:
        return load(examined)
    if examined.load_later is not None:
        return examined.load_later(number)
    return _read(examined, examined.later[number - 1], None)


def _read(examined: Examined, sources: list[SliceSource], on_slice: Callable[[int, int], None] | None) -> Volume:
    finding = examined.finding
    if examined.plan is None:
        raise EngineError("internal", "The series has no plan.")
    voxels = read_voxels(sources, examined.plan, finding.modality or "", examined.scale, on_slice)
    return Volume(
        voxels,
        examined.plan.affine,
        frame_of_reference_uid=finding.facts.get("frame_of_reference_uid"),
        modality=finding.modality,
        unit=examined.unit,
    )
