"""PNG and JPEG: one picture, or a stack of them whose provenance a person states.

Pictures have no geometry and no quantities. A stack is ordered by name (numbers by value), turned to grey, and never
claims millimetres unless the person gives the spacing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError, IntakeFinding
from recon_engine.intake import limits, reasons, rules
from recon_engine.intake.archive import Entry, collect
from recon_engine.intake.inspection import Examined
from recon_engine.intake.reasons import Issue
from recon_engine.volume import Volume

_NAMES = (".png", ".jpg", ".jpeg", ".jfif")
STACK_MODALITIES = ("CT", "MR", "CR", "DX")


@dataclass(frozen=True)
class PictureStack:
    """The pictures of one folder, in order."""

    key: str
    entries: tuple[Entry, ...]


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorting key: 2.png before 10.png."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name.lower()) if part)


def group(entries: Sequence[Entry]) -> tuple[list[PictureStack], list[Entry]]:
    """One stack per folder; and those pictures that call themselves something else."""
    strangers = [e for e in entries if not e.relative.lower().endswith(_NAMES)]
    folders: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry not in strangers:
            folders.setdefault(entry.relative.rpartition("/")[0], []).append(entry)
    stacks = []
    for folder, inside in sorted(folders.items()):
        ordered = tuple(sorted(inside, key=lambda e: natural(e.relative)))
        stacks.append(PictureStack(folder or (ordered[0].relative if len(ordered) == 1 else "pictures"), ordered))
    return stacks, strangers


def read_grey(path: str) -> NDArray:
    """(rows, columns) uint8 or uint16 grey values. Raises EngineError pixel_decode_failed, declared_size_over_limit."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            if image.width * image.height > limits.PICTURE_PIXELS:
                raise EngineError("declared_size_over_limit", "A picture has over 268 million pixels.")
            if image.mode in ("I;16", "I;16B", "I"):
                values = np.asarray(image).astype(np.int64)
                if values.min() < 0 or values.max() > 65535:
                    raise EngineError("pixel_decode_failed", "A picture has more than 16 bits.")
                return values.astype(np.uint16)
            return np.asarray(image.convert("L"))
    except EngineError:
        raise
    except Exception as error:
        raise EngineError("pixel_decode_failed", f"A picture does not decode ({type(error).__name__}).") from None


def examine(
    stack: PictureStack,
    modality_by_key: Mapping[str, str],
    spacing_mm: tuple[float, ...] | None = None,
    modality: str = "",
) -> Examined:
    """A stack as one finding; `spacing_mm` (k, j, i) and `modality` are what a person states."""
    issues: list[Issue] = []
    modality = modality or modality_by_key.get(stack.key, "")
    try:
        shapes = {read_grey(entry.path).shape for entry in stack.entries}
    except EngineError as error:
        issues.append(Issue(error.code, error.message))
        shapes = set()
    if len(shapes) > 1:
        issues.append(Issue("mixed_pixel_spacing", f"The pictures have {len(shapes)} sizes."))
    if spacing_mm is not None and (len(spacing_mm) != 3 or not all(np.isfinite(v) and v > 0 for v in spacing_mm)):
        issues.append(Issue("invalid_pixel_spacing", "The stated spacing is not three numbers above 0."))
        spacing_mm = None
    if modality in ("CR", "DX"):
        issues.append(Issue("not_a_volume_modality", f"The modality is {modality}."))
    else:
        rules.check_count(len(stack.entries), issues)
    if spacing_mm is None:
        issues.append(Issue("spacing_unknown"))
    sorted_issues = reasons.sort_issues(issues)
    verdict = reasons.verdict(sorted_issues)
    rows, columns = next(iter(shapes)) if len(shapes) == 1 else (0, 0)
    finding = IntakeFinding(
        key=stack.key,
        series_instance_uid=None,
        study_instance_uid=None,
        modality=modality or None,
        description=stack.key.rsplit("/", 1)[-1],
        files=tuple(entry.relative for entry in stack.entries),
        shape=(len(stack.entries), rows, columns) if len(shapes) == 1 else None,
        spacing_mm=spacing_mm,
        verdict=verdict,
        reasons=tuple(issue.code for issue in sorted_issues),
        message=reasons.message(stack.key, sorted_issues),
        facts={
            "pictures": True,
            "instances": len(stack.entries),
            "kept": verdict == "refuse" and reasons.may_be_kept(sorted_issues),
            "withheld": False,
            "phantom": False,
            "frame_of_reference_uid": None,
            "unit": "",
        },
    )
    paths = tuple(entry.path for entry in stack.entries)
    return Examined(finding, [], sorted_issues, load=lambda: read_stack(stack, modality, spacing_mm), pictures=paths)


def examine_source(source: str, workspace: Path, modality: str, spacing_mm: tuple[float, ...] | None) -> list[Examined]:
    """The pictures at a path as stacks with stated provenance, one per folder.

    Raises EngineError bad_request for a modality that pictures may not claim, not_dicom where there are no pictures.
    """
    if modality not in STACK_MODALITIES:
        raise EngineError("bad_request", f"The modality of pictures is one of {', '.join(STACK_MODALITIES)}.")
    found = collect(source, workspace)
    if found.refused:
        raise found.refused[0][1]
    stacks, _strangers = group([e for e in found.entries if e.kind in ("png", "jpeg")])
    if not stacks:
        raise EngineError("not_dicom", "There are no PNG or JPEG pictures here. Choose a folder of pictures.")
    return [examine(stack, {}, spacing_mm, modality) for stack in stacks]


def each(examined: Examined) -> Iterator[NDArray]:
    """The grey values of each picture, in order."""
    for path in examined.pictures:
        yield read_grey(path)


def read_stack(stack: PictureStack, modality: str, spacing_mm: tuple[float, ...] | None) -> Volume:
    """The pictures as a Volume of grey values; unit cells where the spacing is unknown."""
    slices = [read_grey(entry.path) for entry in stack.entries]
    voxels = np.stack(slices)
    exact = voxels.astype(np.int16) if voxels.dtype == np.uint8 or voxels.max() < 32768 else voxels.astype(np.float32)
    affine = np.eye(4)
    k, j, i = spacing_mm or (1.0, 1.0, 1.0)
    affine[:3, :3] = np.array([[0, 0, i], [0, j, 0], [k, 0, 0]])
    return Volume(exact, affine, None, modality or None, "", spacing_known=spacing_mm is not None)
