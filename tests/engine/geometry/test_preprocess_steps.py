"""Preprocessing by name: in the shell, in a list, taken back; and the shading of an MR taken out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recon_engine import cli, preprocess
from recon_engine.contract import EngineError
from recon_engine.preprocess import steps
from recon_engine.volume import Volume


def shaded() -> tuple[Volume, np.ndarray, np.ndarray]:
    """(an MR of two tissues under a smooth field of 0.6 to 1.6, the tissues without it, their mask); 3 mm voxels."""
    axis = np.linspace(-1, 1, 44)
    z, y, x = np.ix_(axis, axis, axis)
    inside = x**2 + y**2 + z**2 < 0.8
    tissue = np.where(inside, np.where(np.abs(np.sin(6 * x) * np.sin(6 * y)) > 0.4, 500.0, 300.0), 0.0)
    field = np.exp(0.45 * x - 0.2 * y * y + 0.1 * z)
    noise = np.random.default_rng(1).normal(0, 4, inside.shape)
    values = np.maximum(np.where(inside, tissue * field + noise, np.abs(noise)), 0).astype(np.float32)
    return Volume(values, np.diag([3.0, 3, 3, 1])[[2, 1, 0, 3]], None, "MR", ""), tissue, inside


def test_a_known_bias_field_is_taken_out_and_put_back() -> None:
    mr, tissue, inside = shaded()
    change = preprocess.bias_field(mr, levels=2)

    def spread(values: np.ndarray) -> float:
        """How far one tissue's values lie apart, as a share of their mean."""
        own = values[inside & (tissue == 500)]
        return float(own.std() / own.mean())

    assert spread(mr.voxels) > 0.19
    assert spread(change.volume.voxels) < 0.06
    assert np.allclose(change.undo(change.volume).voxels, mr.voxels, rtol=1e-4, atol=1e-3)
    with pytest.raises(ValueError, match="0 and above"):
        preprocess.bias_field(mr.with_voxels(mr.voxels - 100))
    with pytest.raises(ValueError, match="one value"):
        preprocess.bias_field(mr.with_voxels(np.ones_like(mr.voxels)))


def test_every_step_the_pipeline_names_can_be_asked_for_and_taken_back() -> None:
    mr, _, _ = shaded()
    small = preprocess.crop(mr, (slice(12, 32),) * 3).volume
    given = {
        "window": "width=400,level=300",
        "sharpen": "width_mm=3",
        "gaussian": "width_mm=3",
        "median": "radius_mm=3",
        "bilateral": "width_mm=4,tolerance=50",
        "resample": "spacing_mm=6",
        "grow_region": "x_mm=66,y_mm=66,z_mm=66,low=100,high=2000",
        "bias_field": "levels=1",
    }
    for name in steps.STEPS:
        bench = steps.Bench(small)
        before = small.voxels.copy()
        step = steps.parse(f"{name}:{given[name]}" if name in given else name)
        made = bench.do(step)
        assert made is not small
        assert not np.array_equal(made.voxels, before), name
        assert np.array_equal(small.voxels, before), f"{name} changed what it was given"
        assert steps.parse(step.text) == step
        assert bench.undo() == step
        assert bench.volume is small
    with pytest.raises(EngineError, match="no step to take back"):
        steps.Bench(small).undo()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("blur", "no step 'blur'.*gaussian"),
        ("gaussian", "needs width_mm, as in gaussian:width_mm=1"),
        ("gaussian:sigma=2", "no option 'sigma'. It takes: width_mm"),
        ("gaussian:width_mm=wide", "width_mm takes a number, not 'wide'"),
        ("normalise:low=1", "It takes: none"),
    ],
)
def test_what_a_step_is_not_is_named(text: str, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        steps.parse(text)


def test_a_step_that_refuses_changes_nothing() -> None:
    mr, _, _ = shaded()
    bench = steps.Bench(mr)
    with pytest.raises(EngineError, match="window: a window's width is above 0"):
        bench.do(steps.parse("window:width=0,level=10"))
    assert bench.volume is mr
    assert bench.done == []


def test_the_shell_writes_the_volume_in_its_place(tmp_path, capsys) -> None:
    mr, _, _ = shaded()
    turned = Volume(mr.voxels, mr.affine @ np.diag([1.0, 2, 1, 1]), None, "MR", "")
    steps.write(turned, tmp_path / "in.nii.gz")
    words = [
        "preprocess",
        str(tmp_path / "in.nii.gz"),
        "--modality",
        "MR",
        "--json",
        "-o",
        str(tmp_path / "out.nii.gz"),
    ]
    assert cli.main([*words, "--step", "gaussian:width_mm=4", "--step", "window:width=600,level=300"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["steps"] == ["gaussian:width_mm=4", "window:width=600,level=300"]
    from recon_engine import intake

    back, _ = intake.read_volume(tmp_path / "out.nii.gz", "MR")
    wanted = steps.apply(turned, answer["steps"])
    at = turned.to_mm([[20, 20, 20], [30, 10, 25]])
    for point in at:
        here, there = (tuple(np.rint(v.to_index(point)).astype(int)) for v in (back, wanted))
        assert back.voxels[here] == pytest.approx(wanted.voxels[there], abs=1e-5)
    assert cli.main(["preprocess", "nowhere", "--step", "blur", "-o", "x.nii.gz", "--json"]) == 2
    assert cli.main(["preprocess", "nowhere", "--json"]) == 0  # what steps there are needs no file
