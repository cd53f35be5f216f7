"""The benchmarks' inputs, made from a seed and kept between runs: a CT series and a map of 40 labels on its grid.

512 x 512 x 400 voxels of 0.78 x 0.78 x 1.0 mm (210 MB), or 128 x 128 x 100 where LAMINA_BENCH_SIZE is "small". They lie
in LAMINA_BENCH_FOLDER, by default a folder of this person's in the machine's temporary space.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 7
VERSION = 3  # counts up when the inputs change
LABELS = 40


@dataclass(frozen=True)
class Case:
    """One CT with labels on disk. `spacing_mm` (k, j, i)."""

    folder: Path
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    sha256: str

    @property
    def series(self) -> list[str]:
        return sorted(str(p) for p in (self.folder / "series").iterdir())

    @property
    def labels_nifti(self) -> str:
        return str(self.folder / "labels.nii")

    @property
    def voxels(self) -> str:
        return str(self.folder / "ct.npy")


def is_small() -> bool:
    return os.environ.get("LAMINA_BENCH_SIZE", "") == "small"


def ct_case() -> Case:
    """The case, made on the first call (about a minute; seconds when small)."""
    scale = 4 if is_small() else 1
    shape = (400 // scale, 512 // scale, 512 // scale)
    spacing = (1.0 * scale, 0.78125 * scale, 0.78125 * scale)
    home = Path(os.environ.get("LAMINA_BENCH_FOLDER") or Path(tempfile.gettempdir()) / f"lamina-bench-{os.getuid()}")
    folder = home / f"ct-{shape[2]}-{SEED}-{VERSION}"
    stamp = folder / "made.json"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        _write(folder, shape, spacing)
        stamp.write_text(json.dumps({"sha256": _hash(folder)}))
    return Case(folder, shape, spacing, json.loads(stamp.read_text())["sha256"])


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in [*sorted((folder / "series").iterdir()), folder / "labels.nii"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(folder: Path, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    import nibabel

    from recon_engine.phantoms import write_ct_series
    from recon_engine.volume import Volume

    hu, labels = make_ct(shape, spacing)
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing, 1.0
    affine[:3, 3] = (-200.0, -200.0, 0.0)
    write_ct_series(Volume(hu, affine, None, "CT", "HU"), folder / "series", f"bench-{shape[2]}", "Benchmark")
    np.save(folder / "ct.npy", hu)
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine[:, [2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(labels.transpose(2, 1, 0), ras), folder / "labels.nii")


def make_ct(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> tuple[NDArray, NDArray]:
    """(HU int16, labels uint8): a body with 24 organs and nodules, 10 vertebrae, 6 pairs of ribs; blurred and noisy."""
    from scipy.ndimage import gaussian_filter

    draw = np.random.default_rng(SEED)
    size = np.array(shape) * spacing  # mm along z, y, x
    axes = [np.arange(n, dtype=np.float32) * s for n, s in zip(shape, spacing, strict=True)]
    labels = np.zeros(shape, np.uint8)
    hu = np.full(shape, -1000, np.int16)
    y, x = (axes[1] - size[1] / 2)[:, None], (axes[2] - size[2] / 2)[None, :]
    for k, z in enumerate(axes[0]):
        swell = 1 + 0.06 * np.sin(z / 60)
        inside = (y / (129 * swell)) ** 2 + (x / (176 * swell)) ** 2
        hu[k][inside <= 1] = -100
        hu[k][inside <= 0.8] = 45

    def blob(centre: tuple[float, ...], radii: tuple[float, ...], value: int, label: int, uneven: float = 0.0) -> None:
        """An ellipsoid (mm along z, y, x) whose surface waves by `uneven`."""
        box = tuple(
            slice(int(np.searchsorted(a, c - r * 1.2)), int(np.searchsorted(a, c + r * 1.2)) + 1)
            for a, c, r in zip(axes, centre, radii, strict=True)
        )
        dz, dy, dx = (
            (a[s].reshape([-1 if d == e else 1 for d in range(3)]) - c) / r
            for e, (a, s, c, r) in enumerate(zip(axes, box, centre, radii, strict=True))
        )
        inside = dz**2 + dy**2 + dx**2 + uneven * np.sin(9 * dz + 2 * dx) * np.cos(7 * dy) <= 1
        hu[box][inside] = value
        labels[box][inside] = label

    label = 0
    # Twenty organs on a jittered lattice of the trunk, large ones first; later ones cut into earlier ones.
    for n in range(20):
        label += 1
        centre = (size[0] * (0.08 + 0.84 * ((n * 7) % 20) / 20), size[1] * 0.46 + draw.uniform(-45, 40))
        centre = (*centre, size[2] / 2 + (-1) ** n * draw.uniform(15, 105))
        largest = 78 - 3 * n
        radii = tuple(float(r) for r in draw.uniform(0.55, 1.0, 3) * largest)
        blob(centre, radii, int(draw.integers(-20, 150)) if n > 1 else -830, label, 0.06)
    for n in range(4):  # nodules of 6 to 12 mm
        label += 1
        radius = 6.0 + 2 * n
        blob((size[0] * (0.25 + 0.15 * n), size[1] * 0.4, size[2] * (0.35 + 0.08 * n)), (radius,) * 3, 25, label)
    for n in range(10):
        label += 1
        z = size[0] * (0.05 + 0.1 * n)
        blob((z, size[1] * 0.63, size[2] / 2), (16, 18, 22), 320, label)
        blob((z, size[1] * 0.69, size[2] / 2), (9, 13, 6), 450, label)
    for n in range(6):
        label += 1
        for turn in np.linspace(-2.6, 2.6, 260):
            z = size[0] * 0.54 + n * 28 - 9 * abs(turn)
            where = (z, size[1] / 2 + 108 * np.cos(turn), size[2] / 2 + 155 * np.sin(turn))
            blob(where, (5, 4, 4), 520, label)
    assert label == LABELS
    step = 40
    out = np.empty(shape, np.int16)
    for first in range(0, shape[0], step):  # in slabs: the noise of the whole is larger than the volume
        low, high = max(0, first - 4), min(shape[0], first + step + 4)
        soft = gaussian_filter(hu[low:high].astype(np.float32), (0.4, 0.7, 0.7))
        noise = gaussian_filter(draw.standard_normal(soft.shape, dtype=np.float32), (0.3, 0.8, 0.8))
        soft += noise * (18 / noise.std()) * np.where(soft < -900, np.float32(0.35), np.float32(1))
        part = soft[first - low : first - low + step]
        out[first : first + len(part)] = np.clip(np.rint(part), -1024, 3071).astype(np.int16)
    return out, labels
