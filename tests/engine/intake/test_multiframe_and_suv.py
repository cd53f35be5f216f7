"""Enhanced multi-frame images, whose geometry lies in functional groups, and PET in SUV by body weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recon_engine.intake import inspect, read_volume
from tests.engine.intake import makers
from tests.engine.intake.makers import ct_slice, to_bytes, write_series

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def groups(k: int, slope: float = 1.0) -> makers.Slice:
    return {
        0x00209113: ("SQ", [{0x00200032: ("DS", f"0\\0\\{2.5 * k}")}]),
        0x00289145: ("SQ", [{0x00281052: ("DS", "-5"), 0x00281053: ("DS", slope), 0x00281054: ("LO", "US")}]),
        0x00209111: ("SQ", [{0x00209128: ("UL", 1)}]),
    }


def enhanced(frames: int = 10, **tags: Any) -> bytes:
    order = [(k * 3) % frames for k in range(frames)]  # frames are stored out of order
    stored = np.stack([makers.values(k) for k in order])
    image = ct_slice(0, makers.values(0), modality="MR", sop_class=ENHANCED_MR)
    for tag in (0x00200032, 0x00200037, 0x00280030, 0x00281052, 0x00281053):
        del image[tag]
    image[0x00280008] = ("IS", frames)
    image[0x7FE00010] = ("OW", stored.tobytes())
    image[0x52009229] = (
        "SQ",
        [
            {
                0x00209116: ("SQ", [{0x00200037: ("DS", "1\\0\\0\\0\\1\\0")}]),
                0x00289110: ("SQ", [{0x00280030: ("DS", "0.5\\0.75")}]),
            }
        ],
    )
    image[0x52009230] = ("SQ", [groups(k, slope=1.0 + k) for k in order])
    for tag, value in tags.items():
        image.pop(int(tag[1:], 16)) if value is None else image.update({int(tag[1:], 16): value})
    return to_bytes(image)


def test_an_enhanced_image_is_one_volume(tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(enhanced())
    finding = inspect(path, in_process=True).findings[0]
    assert (finding.verdict, finding.shape) == ("accept", (10, makers.ROWS, makers.COLUMNS))
    assert finding.spacing_mm == (2.5, 0.5, 0.75)
    volume, _ = read_volume(path, in_process=True)
    np.testing.assert_array_equal(volume.voxels, np.stack([makers.values(k) * (1 + k) - 5 for k in range(10)]))


def test_frames_without_geometry_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(enhanced(x52009230=None))
    finding = inspect(path, in_process=True).findings[0]
    assert (finding.verdict, finding.reasons) == ("refuse", ("no_frame_geometry",))


def test_more_frames_than_geometries_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(enhanced(x52009230=("SQ", [groups(k) for k in range(9)])))
    assert inspect(path, in_process=True).findings[0].reasons == ("no_frame_geometry",)


DOSE, HALF_LIFE, WEIGHT = 370e6, 6586.2, 70.0


def pet(**changes: Any) -> dict[int, Any]:
    drug = {0x00181072: ("TM", "100000"), 0x00181074: ("DS", f"{DOSE:.0f}"), 0x00181075: ("DS", HALF_LIFE)}
    tags: dict[int, Any] = {
        0x00541001: ("CS", "BQML"),
        0x00541102: ("CS", "START"),
        0x00280051: ("CS", "DECY\\ATTN\\SCAT"),
        0x00101030: ("DS", WEIGHT),
        0x00080021: ("DA", "20190823"),
        0x00080022: ("DA", "20190823"),
        0x00080031: ("TM", "110000"),
        0x00080032: ("TM", "110000.5"),
        0x00540016: ("SQ", [drug]),
    }
    return tags | {int(name[1:], 16): value for name, value in changes.items()}


def test_activity_becomes_suv(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "pet", modality="PT", slope=10, tags=pet())
    volume, finding = read_volume(folder, in_process=True)
    dose = DOSE * 2 ** (-3600 / HALF_LIFE)
    expected = np.stack([makers.values(k) for k in range(10)]) * 10.0 * WEIGHT * 1000 / dose
    np.testing.assert_allclose(volume.voxels, expected, rtol=1e-5)
    assert (volume.unit, finding.facts["unit"]) == ("SUV", "SUV")


def test_a_dose_corrected_to_injection_does_not_decay(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "pet", modality="PT", tags=pet(x00541102=("CS", "ADMIN")))
    volume, _ = read_volume(folder, in_process=True)
    np.testing.assert_allclose(volume.voxels[9, 3, 3], makers.values(9)[3, 3] * WEIGHT * 1000 / DOSE, rtol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"x00101030": ("DS", "")},
        {"x00540016": ("SQ", [])},
        {"x00280051": ("CS", "DECY")},
        {"x00541102": ("CS", "NONE")},
        {"x00080031": ("TM", "050000"), "x00080032": ("TM", "050000")},
    ],
    ids=["no weight", "no drug", "not corrected", "other decay", "scanned before the injection"],
)
def test_without_what_suv_needs_it_stays_activity(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = write_series(tmp_path / "pet", modality="PT", tags=pet(**changes))
    volume, finding = read_volume(folder, in_process=True)
    assert volume.unit == "BQML"
    assert finding.facts["suv"]
    np.testing.assert_array_equal(volume.voxels, np.stack([makers.values(k) for k in range(10)]))
