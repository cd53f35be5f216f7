"""The shell's `train` and `evaluate` from a set on disk to a weights folder with its card."""

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("nibabel")

import nibabel

from recon_engine import cli, weights
from recon_engine.recipes import hippocampus_mr
from recon_engine.recipes.configuration import NetworkConfiguration
from recon_engine.training import run


@pytest.fixture
def small_set(tmp_path):
    """Five crops with a bright bean in two halves, and a split that keeps one."""
    folder = tmp_path / "hippocampus_mri"
    chance = np.random.default_rng(0)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for number in range(5):
        shape = (30, 42, 28)
        grid = np.indices(shape).reshape(3, -1).T
        away = np.linalg.norm((grid - [15, 21, 14]) / [5, 13, 5], axis=1).reshape(shape)
        label = np.where(away < 1, np.where(np.arange(42)[None, :, None] > 21, 1, 2), 0).astype(np.uint8)
        image = (100 + 80 * (label > 0) + 40 * (label == 1) + chance.normal(0, 5, shape)).astype(np.float32)
        for part, voxels in (("images", image), ("labels", label)):
            nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), folder / part / f"case_{number}.nii.gz")
    split = {"hippocampus_mri": {"train": [f"case_{n}" for n in range(4)], "val": ["case_4"]}}
    (tmp_path / "splits.json").write_text(json.dumps(split))
    return folder, tmp_path / "splits.json"


@pytest.fixture
def quick_recipe(monkeypatch):
    small = dataclasses.replace(
        hippocampus_mr.recipe(),
        network=NetworkConfiguration(outputs=3, channels=(4, 8), refine=4),
        augmentation=dataclasses.replace(hippocampus_mr.recipe().augmentation, elastic_voxels=0),
        steps=30,
        horizon=0,
        cooldown=0,
        batch=2,
        learning_rate=1e-2,
        average=0.8,
        precision="float32",
    )
    monkeypatch.setitem(run.RECIPES, "hippocampus-mr", lambda: small)
    return small


def test_training_a_set_makes_a_folder_that_says_how_good_it_is(small_set, quick_recipe, tmp_path, capsys):
    folder, splits = small_set
    words = ["train", "hippocampus-mr", "--data", str(folder), "--splits", str(splits), "-o", str(tmp_path / "out")]
    assert cli.main([*words, "--threads", "1", "--device", "cpu", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    out = tmp_path / "out"
    assert answer["weights_sha256"] == weights.sha256_of(out / "weights.safetensors") == weights.recorded_sha256(out)
    card = weights.card(out)
    assert card["trained_on"] == "4 cases of hippocampus_mri"
    assert card["summary"]["whole.dice"]["n"] == 1
    assert card["summary"]["whole.dice"]["mean"] > 0.5
    assert list((out / "hippocampus-mr-0").glob("tensorboard/*"))


def test_scores_come_per_case_and_in_sum(small_set, capsys):
    folder, splits = small_set
    words = ["evaluate", "hippocampus-mr", "--data", str(folder), "--splits", str(splits), "--part", "val", "--json"]
    assert cli.main([*words, "--threads", "1", "--device", "cpu"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [case["case"] for case in answer["cases"]] == ["case_4"]
    for row in answer["summary"].values():
        assert {"mean", "low", "high", "worst", "worst_case", "n", "definition", "unit"} <= set(row)


def test_named_cases_and_missing_ones(small_set, tmp_path, capsys):
    folder, _ = small_set
    (tmp_path / "cases.txt").write_text("case_1\nno_such_case\n")
    assert cli.main(["evaluate", "hippocampus-mr", "--data", str(folder), "--cases", str(tmp_path / "cases.txt")]) == 1
    assert "no_such_case" in capsys.readouterr().err


def test_a_split_without_that_part_is_named(small_set, capsys):
    folder, splits = small_set
    words = ["evaluate", "hippocampus-mr", "--data", str(folder), "--splits", str(splits), "--part", "test"]
    assert cli.main(words) == 1
    assert "train, val" in capsys.readouterr().err


def test_all_names_what_it_left_out(tmp_path, monkeypatch, capsys):
    from recon_engine.training import evaluation

    monkeypatch.setattr(evaluation, "score", lambda task, cases, **_: {"cases": [], "summary": {}})
    assert cli.main(["evaluate", "--all", "--root", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["skipped"]) == {"hippocampus-mr"}
    assert set(answer["algorithms"]) == {"phantom-organs-ct"}
