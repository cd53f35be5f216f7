"""Enhanced multi-frame CT, MR and PET: geometry and rescale of each frame from the functional groups.

DICOM PS3.3 C.7.6.16: a macro stands in the shared groups or in each frame's own. A multi-frame object without them
has `no_frame_geometry`.
"""

from __future__ import annotations

import warnings
from typing import Any

from recon_engine.intake import sopclasses, tags
from recon_engine.intake.frames import PixelFormat
from recon_engine.intake.header import Header
from recon_engine.intake.reasons import Issue
from recon_engine.intake.slices import Frame, classic_frame


def frames_of(headers: list[Header], formats: dict[int, PixelFormat], issues: list[Issue]) -> list[Frame]:
    """Every slice of the series. A file that cannot be taken apart adds its issue and no frame."""
    frames: list[Frame] = []
    for header in headers:
        form = formats.get(id(header))
        if header.text(tags.SOP_CLASS) in sopclasses.ENHANCED:
            frames.extend(_enhanced(header, form, issues))
        elif form is not None and form.frames > 1:
            issues.append(Issue("no_frame_geometry", f"{form.frames} frames have one position between them."))
        else:
            frames.append(classic_frame(header))
    return frames


def _enhanced(header: Header, form: PixelFormat | None, issues: list[Issue]) -> list[Frame]:
    import pydicom

    if form is None:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
            shared = (dataset.get("SharedFunctionalGroupsSequence") or [None])[0]
            own = dataset.get("PerFrameFunctionalGroupsSequence") or []
            if len(own) != form.frames:
                issues.append(Issue("no_frame_geometry", f"{form.frames} frames have {len(own)} geometries."))
                return []
            return [_frame(header, number, shared, groups) for number, groups in enumerate(own)]
    except RecursionError:
        issues.append(Issue("nesting_too_deep", "The functional groups nest too deep to read."))
        return []
    except MemoryError:
        raise
    except Exception as error:
        issues.append(Issue("no_frame_geometry", f"The functional groups are not readable ({type(error).__name__})."))
        return []


def _frame(header: Header, number: int, shared: Any, own: Any) -> Frame:
    position = _numbers(_macro("PlanePositionSequence", shared, own), "ImagePositionPatient")
    orientation = _numbers(_macro("PlaneOrientationSequence", shared, own), "ImageOrientationPatient")
    spacing = _numbers(_macro("PixelMeasuresSequence", shared, own), "PixelSpacing")
    transform = _macro("PixelValueTransformationSequence", shared, own)
    slope = _numbers(transform, "RescaleSlope") or (1.0,)
    intercept = _numbers(transform, "RescaleIntercept") or (0.0,)
    content = _macro("FrameContentSequence", shared, own)
    repeat = [float(content.get("TemporalPositionIndex") or 0) if content is not None else 0.0]
    diffusion = _numbers(_macro("MRDiffusionSequence", shared, own), "DiffusionBValue")
    repeat.append(diffusion[0] if diffusion else 0.0)
    echo = _numbers(_macro("MREchoSequence", shared, own), "EffectiveEchoTime")
    repeat.append(echo[0] if echo else 0.0)
    trigger = _numbers(_macro("CardiacSynchronizationSequence", shared, own), "NominalCardiacTriggerDelayTime")
    repeat.append(trigger[0] if trigger else 0.0)
    repeat.append(float(number))
    marks = {kind: found for kind, found in (("b", diffusion), ("time", trigger), ("echo", echo)) if found}
    return Frame(header, number, position, orientation, spacing, slope[0], intercept[0], tuple(repeat), marks)


def _macro(keyword: str, shared: Any, own: Any) -> Any:
    for groups in (own, shared):
        sequence = groups.get(keyword) if groups is not None else None
        if sequence:
            return sequence[0]
    return None


def _numbers(item: Any, keyword: str) -> tuple[float, ...] | None:
    value = item.get(keyword) if item is not None else None
    if value is None or value == "":
        return None
    try:
        return tuple(float(v) for v in value)
    except TypeError:
        return (float(value),)
