"""The slices of a series as the rules see them: one record per frame, and the series they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from recon_engine.intake import tags
from recon_engine.intake.header import Header


@dataclass(slots=True)
class Frame:
    """One slice: where it lies (mm, LPS) and how its stored values become real ones."""

    header: Header
    number: int = 0
    position: tuple[float, ...] | None = None
    orientation: tuple[float, ...] | None = None
    spacing: tuple[float, ...] | None = None  # (j, i)
    slope: float = 1.0
    intercept: float = 0.0
    repeat: tuple[float, ...] = ()  # what tells one volume of a 4D series from the next
    marks: dict[str, tuple[float, ...]] = field(default_factory=dict)  # by kind, where the frame says it itself


@dataclass(slots=True)
class SeriesFiles:
    """The files that say they are one series."""

    key: str
    headers: list[Header] = field(default_factory=list)
    is_localiser: bool = False


def classic_frame(header: Header) -> Frame:
    """The single slice of a CT, MR or PET instance; missing values stay None for the rules to name."""
    return Frame(
        header,
        0,
        header.decimals(tags.POSITION),
        header.decimals(tags.ORIENTATION),
        header.decimals(tags.PIXEL_SPACING),
    )


def repeat_of(header: Header) -> tuple[float, ...]:
    """Sorting key of a slice among others at the same place: time, echo, diffusion, cardiac phase, acquisition."""
    key = []
    for tag in (
        tags.TEMPORAL_POSITION,
        tags.ACQUISITION_NUMBER,
        tags.ECHO_NUMBER,
        tags.ECHO_TIME,
        tags.B_VALUE,
        tags.TRIGGER_TIME,
        tags.FRAME_TIME,
        tags.ACQUISITION_TIME,
        tags.CONTENT_TIME,
        tags.INSTANCE_NUMBER,
    ):
        numbers = header.decimals(tag)
        key.append(numbers[0] if numbers else 0.0)
    return tuple(key)


def is_localiser(header: Header) -> bool:
    """Value 3 of ImageType says LOCALIZER (PS3.3 C.8.2.1.1.1)."""
    return "LOCALIZER" in header.text(tags.IMAGE_TYPE).upper().split("\\")[2:]


def group_by_series(headers: Iterable[Header]) -> list[SeriesFiles]:
    """Files by series UID, localisers apart. A file without a series UID stands alone under its path."""
    groups: dict[tuple[str, bool], SeriesFiles] = {}
    for header in headers:
        series = header.text(tags.SERIES_UID)
        local = is_localiser(header)
        identity = (series or header.path, local)
        group = groups.get(identity)
        if group is None:
            group = groups[identity] = SeriesFiles(key=series or header.path, is_localiser=local)
        group.headers.append(header)
    _make_keys_unique(list(groups.values()))
    return list(groups.values())


def _make_keys_unique(groups: list[SeriesFiles]) -> None:
    """The series UID is the key; where one UID names several groups the later ones are numbered."""
    seen: dict[str, int] = {}
    for group in sorted(groups, key=lambda g: g.is_localiser):
        count = seen[group.key] = seen.get(group.key, 0) + 1
        if count > 1:
            group.key = f"{group.key}#{count}"
