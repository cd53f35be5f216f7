"""No content makes inspection raise: it answers with findings, and what it accepts can be read."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon_engine.contract import InspectResult
from recon_engine.intake import inspect, read_volume, reasons
from tests.engine.intake import makers
from tests.engine.intake.makers import ct_slice, encapsulated, to_bytes
from tests.engine.intake.test_nifti import write as write_nifti


def check(path: Path) -> InspectResult:
    result = inspect(path, in_process=True)
    assert result.findings
    for finding in result.findings:
        assert finding.verdict in ("accept", "warn", "refuse")
        assert (finding.verdict == "refuse") == any(reasons.refuses(code) for code in finding.reasons)
        assert finding.message
    result.to_json()  # no NaN, nothing that is not plain
    volumes = [f for f in result.findings if f.verdict != "refuse"]
    for finding in volumes:
        volume, _ = read_volume(path, key=finding.key, in_process=True)
        assert volume.shape == finding.shape
    return result


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=2000),
    head=st.sampled_from([b"", b"\0" * 128 + b"DICM", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG\r\n\x1a\n"]),
)
def test_any_bytes_get_an_answer(data: bytes, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(head + data)
    check(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600))
def test_any_header_gets_an_answer(data: bytes, tmp_path: Path) -> None:
    """Arbitrary elements behind correct file information."""
    path = tmp_path / "file"
    for syntax in (makers.IMPLICIT, makers.EXPLICIT, makers.BIG):
        path.write_bytes(to_bytes({}, syntax, data))
        check(path)


def flipped(data: bytes, randomly: random.Random, bits: int) -> bytes:
    changed = bytearray(data)
    for _ in range(bits):
        changed[randomly.randrange(len(changed))] ^= 1 << randomly.randrange(8)
    return bytes(changed)


def series(folder: Path, syntax: str) -> Path:
    folder.mkdir()
    for k in range(8):
        pixels = None
        if syntax == "1.2.840.10008.1.2.4.90":
            pixels = encapsulated([bytes(imagecodecs.jpeg2k_encode(makers.values(k), level=0, codecformat="j2k"))])
        elif syntax == "1.2.840.10008.1.2.4.80":
            pixels = encapsulated([bytes(imagecodecs.jpegls_encode(makers.values(k).view(np.uint16)))])
        (folder / f"{k}.dcm").write_bytes(to_bytes(ct_slice(k), syntax, pixels))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "syntax", [makers.EXPLICIT, makers.IMPLICIT, makers.DEFLATED, "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"]
)
def test_bit_flips_in_dicom(syntax: str, tmp_path: Path) -> None:
    """200 damaged files per syntax, 1,000 in all."""
    folder = series(tmp_path / "ct", syntax)
    victim = folder / "3.dcm"
    whole = victim.read_bytes()
    randomly = random.Random(f"{os.environ.get('LAMINA_FUZZ_SEED', '1')} {syntax}")
    for _ in range(200):
        # most flips go where the structure is
        cut = randomly.choice((600, 1200, len(whole)))
        victim.write_bytes(flipped(whole[:cut], randomly, randomly.choice((1, 1, 2, 8))) + whole[cut:])
        check(folder)
        if randomly.random() < 0.1:
            victim.write_bytes(whole[: randomly.randrange(len(whole))])
            check(folder)


@pytest.mark.slow
def test_bit_flips_in_nifti(tmp_path: Path) -> None:
    whole = write_nifti(tmp_path / "a.nii").read_bytes()
    path = tmp_path / "b.nii"
    packed = tmp_path / "c.nii.gz"
    randomly = random.Random(os.environ.get("LAMINA_FUZZ_SEED", "1"))
    for _ in range(300):
        damaged = flipped(whole[:352], randomly, randomly.choice((1, 2, 8))) + whole[352:]
        path.write_bytes(damaged)
        check(path)
        packed.write_bytes(flipped(gzip.compress(whole, 1), randomly, 1))
        check(packed)
