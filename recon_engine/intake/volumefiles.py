"""A Volume as the browser takes it: int16 voxels, a small 8-bit preview, a thumbnail, and a window to open with."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import VolumeFiles
from recon_engine.volume import Volume

VOXELS, PREVIEW, THUMBNAIL = "voxels.i16", "preview.u8.gz", "thumbnail.png"
THUMBNAIL_SIZE = (264, 192)  # width, height
PREVIEW_EDGE = 32  # an axis shorter than this is not made smaller
SOFT_TISSUE = (400.0, 40.0)
SUV_WINDOW = (5.0, 2.5)


def write_volume_files(volume: Volume, folder: Path, file_window: tuple[float, float] | None = None) -> VolumeFiles:
    """Write the three files into `folder`. `file_window` is the (width, level) of the source, if it has one.

    Whole numbers that fit are stored as they are; other values on 65,536 even steps between lowest and highest, so
    that no value moves by more than 1/131,070 of the range.
    """
    stored, slope, intercept = quantise(volume.voxels)
    stored.astype("<i2", copy=False).tofile(folder / VOXELS)
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    sample = sampled(volume.voxels)
    automatic = automatic_window(sample)
    window = opening_window(volume, automatic, file_window)
    preview, preview_affine, preview_range = make_preview(volume, sample)
    with open(folder / PREVIEW, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
        stream.write(preview.tobytes())
    write_thumbnail(volume.voxels[volume.shape[0] // 2], volume, window, folder / THUMBNAIL)
    return VolumeFiles(
        voxels=VOXELS,
        shape=volume.shape,
        spacing_mm=volume.spacing_mm if volume.spacing_known else None,
        affine=rows_of(volume.affine),
        slope=slope,
        intercept=intercept,
        unit=volume.unit,
        value_range=(low, high),
        window=window,
        automatic_window=automatic,
        preview=PREVIEW,
        preview_shape=preview.shape,
        preview_affine=rows_of(preview_affine),
        preview_range=preview_range,
        thumbnail=THUMBNAIL,
    )


def write_phase(volume: Volume, folder: Path, number: int) -> tuple[str, float, float]:
    """A later volume of a 4D series: (name of its voxels, slope, intercept)."""
    name = f"voxels-{number:03d}.i16"
    stored, slope, intercept = quantise(volume.voxels)
    stored.astype("<i2", copy=False).tofile(folder / name)
    return name, slope, intercept


def rows_of(affine: NDArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(v) for v in row) for row in affine)


def quantise(voxels: NDArray) -> tuple[NDArray, float, float]:
    """int16 values with slope and intercept so that value = stored * slope + intercept."""
    if voxels.dtype == np.int16:
        return voxels, 1.0, 0.0
    low, high = float(voxels.min()), float(voxels.max())
    slope = (high - low) / 65535 or 1.0
    intercept = low + 32768 * slope
    stored = np.empty(voxels.shape, np.int16)
    for k in range(len(voxels)):  # slice by slice: never a second float volume
        stored[k] = np.clip(np.rint((voxels[k].astype(np.float64) - intercept) / slope), -32768, 32767)
    return stored, slope, intercept


def sampled(voxels: NDArray, most: int = 500_000) -> NDArray:
    """An even sample of the values, for percentiles."""
    step = max(1, int(np.ceil((voxels.size / most) ** (1 / 3))))
    return voxels[:: min(step, max(1, len(voxels) // 8)), ::step, ::step].ravel()


def automatic_window(sample: NDArray) -> tuple[float, float]:
    """(width, level) from the 1st to the 99th percentile of values above 0; of all values where none is."""
    above = sample[sample > 0]
    low, high = (float(v) for v in np.percentile(above if above.size else sample, (1, 99)))
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    width = max(high - low, 1e-6 if high <= 1 else 1.0)
    return width, (low + high) / 2


def opening_window(
    volume: Volume, automatic: tuple[float, float], file_window: tuple[float, float] | None
) -> tuple[float, float]:
    """CT opens with its file's window or soft tissue, PET in SUV 0 to 5, everything else from its file or automatic."""
    if volume.modality == "PT":
        return SUV_WINDOW if volume.unit == "SUV" else automatic
    if file_window is not None and np.isfinite(file_window).all() and file_window[0] >= 1:
        return file_window
    return SOFT_TISSUE if volume.modality == "CT" and volume.unit == "HU" else automatic


def make_preview(volume: Volume, sample: NDArray) -> tuple[NDArray, NDArray, tuple[float, float]]:
    """uint8 means of blocks of about 4 voxels an edge, no finer along k than in plane; its affine; its value range."""
    k_mm, j_mm, i_mm = volume.spacing_mm
    plane = 4 if min(volume.shape[1:]) >= 4 * PREVIEW_EDGE else 2 if min(volume.shape[1:]) >= 2 * PREVIEW_EDGE else 1
    along = int(np.clip(round(plane * min(j_mm, i_mm) / k_mm), 1, plane)) if volume.shape[0] >= 2 * PREVIEW_EDGE else 1
    factors = (along, plane, plane)
    shape = tuple(-(-n // f) for n, f in zip(volume.shape, factors, strict=True))
    low, high = (float(v) for v in np.percentile(sample, (0.1, 99.9)))
    if high <= low:
        high = low + 1.0
    preview = np.empty(shape, np.uint8)
    for k in range(shape[0]):
        block = volume.voxels[k * along : (k + 1) * along]
        mean = block_mean(block.astype(np.float32).mean(axis=0), plane)
        preview[k] = np.clip((mean - low) * (255 / (high - low)) + 0.5, 0, 255)
    affine = volume.affine.copy()
    affine[:3, :3] = volume.affine[:3, :3] * np.array(factors)
    affine[:3, 3] = volume.to_mm([(f - 1) / 2 for f in factors])  # the middle of the first block
    return preview, affine, (low, high)


def block_mean(plane: NDArray, factor: int) -> NDArray:
    """Mean over factor x factor pixels; the last blocks repeat the edge where the size does not divide."""
    if factor == 1:
        return plane
    rows, columns = (-(-n // factor) * factor for n in plane.shape)
    padded = np.pad(plane, ((0, rows - plane.shape[0]), (0, columns - plane.shape[1])), mode="edge")
    return padded.reshape(rows // factor, factor, columns // factor, factor).mean(axis=(1, 3))


def windowed(plane: NDArray, window: tuple[float, float]) -> NDArray:
    """8-bit grey after DICOM PS3.3 C.11.2.1.2 (linear)."""
    width, level = window
    if width <= 1:
        scaled = (plane.astype(np.float32) - (level - width / 2)) / width
    else:
        scaled = (plane.astype(np.float32) - (level - 0.5)) / (width - 1) + 0.5
    return (np.clip(scaled, 0, 1) * 255 + 0.5).astype(np.uint8)


def write_thumbnail(plane: NDArray, volume: Volume, window: tuple[float, float], path: Path) -> None:
    """The middle slice, whole and in its true proportions, on black."""
    _, j_mm, i_mm = volume.spacing_mm
    write_small_picture(windowed(plane, window), (j_mm, i_mm), path, inverted=volume.modality == "PT")


def write_small_picture(grey: NDArray, spacing: tuple[float, float], path: Path, inverted: bool = False) -> None:
    from PIL import Image

    width, height = THUMBNAIL_SIZE
    if inverted:  # PET alone is shown as inverted grey
        grey = 255 - grey
    size_mm = grey.shape[0] * spacing[0], grey.shape[1] * spacing[1]
    scale = min(height / size_mm[0], width / size_mm[1])
    fitted = max(1, round(size_mm[1] * scale)), max(1, round(size_mm[0] * scale))
    small = Image.fromarray(grey).resize(fitted, Image.Resampling.LANCZOS)
    canvas = Image.new("L", THUMBNAIL_SIZE, 0)
    canvas.paste(small, ((width - fitted[0]) // 2, (height - fitted[1]) // 2))
    canvas.save(path, format="PNG", optimize=True)
