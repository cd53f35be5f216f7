"""8-bit PNG of images that are kept but are no volume: scouts, single X-rays, colour captures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.dicom import rescale_of
from recon_engine.intake import tags
from recon_engine.intake.frames import PixelFormat, pixel_format, stored_frame
from recon_engine.intake.header import Header
from recon_engine.intake.inspection import Examined
from recon_engine.intake.pictures import read_grey
from recon_engine.intake.volumefiles import (
    SOFT_TISSUE,
    THUMBNAIL,
    automatic_window,
    sampled,
    windowed,
    write_small_picture,
)

MOST_FRAMES = 512


def write(examined: Examined, target: Path) -> tuple[str, ...]:
    """One PNG per frame at full resolution below `target/pictures`, and a thumbnail of the middle one.

    Frames are numbered in the order of the instances. A frame that cannot be shown is left out.
    """
    folder = target / "pictures"
    folder.mkdir()
    names: list[str] = []
    middle: NDArray | None = None
    count = sum(1 for _ in examined.pictures) or len(examined.headers)
    for number, grey in enumerate(_each(examined)):
        name = f"pictures/{number:05d}.png"
        save(grey, target / name)
        names.append(name)
        if number <= count // 2:
            middle = grey
    if middle is not None:
        shown = middle if middle.ndim == 2 else middle.astype(np.float32).mean(axis=2).astype(np.uint8)
        write_small_picture(shown, (1.0, 1.0), target / THUMBNAIL)
    return tuple(names)


def save(pixels: NDArray, path: Path) -> None:
    """PNG without any metadata: grey 8 or 16 bit, or RGB."""
    from PIL import Image

    Image.fromarray(pixels).save(path, format="PNG")


def _each(examined: Examined) -> Iterator[NDArray]:
    for path in examined.pictures:
        values = read_grey(path)
        yield values if values.dtype == np.uint8 else windowed(values, automatic_window(sampled(values[None])))
    for header in examined.headers:
        try:
            form = pixel_format(header)
            for number in range(min(form.frames, MOST_FRAMES)):
                yield shown_frame(header, form, number)
        except EngineError:
            continue


def shown_frame(header: Header, form: PixelFormat, number: int = 0) -> NDArray:
    """One frame as it is meant to look: (rows, columns) uint8 after its own window, or (rows, columns, 3) RGB."""
    stored = stored_frame(header, form, number)
    if form.samples == 3 or stored.ndim == 3:
        return as_rgb(stored, form)
    slope, intercept = rescale_of(header)
    real = stored.astype(np.float32) * slope + intercept
    width, centre = header.decimals(tags.WINDOW_WIDTH), header.decimals(tags.WINDOW_CENTRE)
    if width and centre and np.isfinite(width[0]) and width[0] >= 1:
        window = (width[0], centre[0])
    elif header.text(tags.MODALITY) == "CT":
        window = SOFT_TISSUE
    else:
        window = automatic_window(sampled(real[None]))
    grey = windowed(real, window)
    return 255 - grey if form.photometric == "MONOCHROME1" else grey


def as_rgb(stored: NDArray, form: PixelFormat) -> NDArray:
    """Colour as RGB; YBR is converted (PS3.3 C.7.6.3.1.2)."""
    pixels = stored if stored.dtype == np.uint8 else (stored >> max(0, form.bits_stored - 8)).astype(np.uint8)
    if form.photometric.startswith("YBR"):
        from pydicom.pixels import convert_color_space

        pixels = convert_color_space(pixels, "YBR_FULL", "RGB")
    return np.ascontiguousarray(pixels[..., :3])
