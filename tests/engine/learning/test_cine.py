"""The cine set read, dealt into folds, and crossed: every patient answered by a network that has not seen it."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from recon_engine import cli
from recon_engine.contract import EngineError
from recon_engine.recipes import lv_cine_mr
from recon_engine.recipes.configuration import Augmentation, NetworkConfiguration
from recon_engine.training import cine, crossing, heart, run
from recon_engine.training.folds import folds

SIZE = 32


def disc(radius: float) -> np.ndarray:
    j, i = np.ogrid[:SIZE, :SIZE]
    return (j - 16) ** 2 + (i - 16) ** 2 <= radius**2


@pytest.fixture
def heart_set(tmp_path: Path) -> Path:
    """Six patients, two slices at phases 7 and 18: discs of 8 and 7 pixels that shrink to 5 and 4."""
    folder = tmp_path / "sunnybrook_cardiac_mri"
    dice = np.random.default_rng(0)
    rows = []
    for number in range(6):
        case = f"SC-{number:02d}"
        (folder / case).mkdir(parents=True)
        for slice_index, radii in ((2, (5, 8)), (3, (4, 7))):
            for phase, radius in zip((7, 18), radii, strict=True):
                mask, instance = disc(radius), slice_index * 20 + phase + 1
                grey = np.clip(60 + 120 * mask + dice.normal(0, 8, mask.shape), 0, 255).astype(np.uint8)
                Image.fromarray(grey).save(folder / case / f"{instance:04d}.png")
                Image.fromarray(mask).save(folder / case / f"{instance:04d}_endo.png")
                rows.append([case, instance, slice_index, phase, int(mask.sum())])
    with (folder / "slices.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["case", "instance", "slice_index", "phase_index", "endo_pixels"], *rows])
    with (folder / "cases.csv").open("w", newline="") as file:
        kinds = [[f"SC-{n:02d}", "Normal" if n % 2 else "Hypertrophy", "Male", 50] for n in range(6)]
        csv.writer(file).writerows([["case", "pathology", "sex", "age"], *kinds])
    return folder


def test_slices_come_with_their_outline_in_the_order_of_the_heart(heart_set: Path) -> None:
    found = cine.slices(heart_set, ["SC-01"])
    assert [(one.phase_index, one.slice_index) for one in found] == [(7, 2), (7, 3), (18, 2), (18, 3)]
    assert [int(one.endocardium.sum()) for one in found] == [int(disc(r).sum()) for r in (5, 4, 8, 7)]
    images, labels = cine.samples(found, (1, 48, 48))
    assert (images.shape, images.dtype, labels.dtype) == ((4, 1, 48, 48), np.float32, np.uint8)
    assert labels.sum() == sum(one.endocardium.sum() for one in found)
    assert list(cine.cases(heart_set).values()) == ["Hypertrophy", "Normal"] * 3


def test_what_is_missing_from_the_set_is_named(heart_set: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no case SC-99"):
        cine.slices(heart_set, ["SC-01", "SC-99"])
    (heart_set / "SC-01" / "0048_endo.png").unlink()
    with pytest.raises(EngineError, match=r"SC-01/0048_endo\.png is missing"):
        cine.slices(heart_set, ["SC-01"])
    (heart_set / "SC-02" / "0048.png").write_bytes(b"no picture")
    with pytest.raises(EngineError, match=r"0048\.png cannot be read as PNG"):
        cine.slices(heart_set, ["SC-02"])
    with pytest.raises(EngineError, match=r"cases\.csv is missing"):
        cine.cases(tmp_path)


def test_a_beat_needs_no_pixel_size() -> None:
    assert cine.beat({7: 400, 18: 1000}) == cine.Beat(1000, 400)
    assert cine.beat({7: 400, 18: 1000}).ejection_fraction == pytest.approx(0.6)
    assert cine.beat({}).ejection_fraction is None


def test_folds_hold_every_case_once_evenly_and_do_not_hang_on_the_order() -> None:
    names = [f"case {n}" for n in range(34)]
    strata = {name: "abcd"[n % 4] for n, name in enumerate(names)}
    dealt = folds(names, strata)
    assert sorted(name for one in dealt for name in one) == sorted(names)
    assert {len(one) for one in dealt} <= {6, 7}
    for kind in "abcd":
        counts = Counter(number for number, one in enumerate(dealt) for name in one if strata[name] == kind)
        assert max(counts.values()) - min(counts.get(n, 0) for n in range(5)) <= 1
    assert folds(names[::-1], strata) == dealt
    with pytest.raises(ValueError, match="named twice"):
        folds(["a"] * 6)
    with pytest.raises(ValueError, match="3 cases do not make 5 folds"):
        folds(["a", "b", "c"])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> object:
    recipe = dataclasses.replace(
        lv_cine_mr.recipe(), box=(1, SIZE, SIZE), network=NetworkConfiguration(channels=(4, 8), flat=True, refine=2),
        augmentation=Augmentation(), test_time_mirror=(),
        steps=50, horizon=0, cooldown=0, batch=4, learning_rate=2e-2, average=0.8, precision="float32",
    )  # fmt: skip
    monkeypatch.setitem(run.RECIPES, lv_cine_mr.NAME, lambda: recipe)
    return recipe


@pytest.mark.slow  # five networks
def test_each_patient_is_answered_by_a_network_that_has_not_seen_it(
    heart_set: Path, small: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    usual = crossing.SETS[lv_cine_mr.NAME]

    def source(recipe: object, folder: Path, names: list[str]) -> object:
        seen.append((set(names), set()))
        return usual.source(recipe, folder, names)

    def score_all(runner: object, folder: Path, names: list[str]) -> object:
        seen[-1][1].update(names)
        return usual.score_all(runner, folder, names)

    monkeypatch.setitem(crossing.SETS, lv_cine_mr.NAME, dataclasses.replace(usual, source=source, score_all=score_all))
    words = ["train", "lv-cine-mr", "--data", str(heart_set), "--folds", "--threads", "1", "-o", str(tmp_path / "out")]
    assert cli.main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(seen) == 5
    for learnt, asked in seen:
        assert asked
        assert not learnt & asked
        assert len(learnt | asked) == 6
    kept = json.loads((tmp_path / "out" / crossing.FILE).read_text())
    assert [row["case"] for row in kept["cases"]] == [f"SC-{n:02d}" for n in range(6)]
    assert all(row["case"] in kept["folds"][row["fold"]] for row in kept["cases"])
    assert kept["summary"]["ed.dice"]["mean"] > 0.9
    true_ef = 1 - (disc(5).sum() + disc(4).sum()) / (disc(8).sum() + disc(7).sum())
    assert kept["cases"][0]["true_ef"] == pytest.approx(true_ef)
    assert kept["summary"]["ef_error"]["mean"] < 0.1
    assert answer["summary"] == kept["summary"]
    # A run that was cut short goes on: nothing is trained again.
    assert cli.main(words) == 0
    assert len(seen) == 5
    assert "ed.dice" in capsys.readouterr().out


def test_a_set_with_a_split_of_its_own_is_not_crossed(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="measured on a split"):
        run.train("hippocampus-mr", tmp_path, None, tmp_path / "out", across=True)


@pytest.mark.skipif("LAMINA_DATA" not in os.environ, reason="LAMINA_DATA is not set")
def test_the_real_sets_pictures_have_the_areas_its_table_says() -> None:
    folder = Path(os.environ["LAMINA_DATA"]) / "sunnybrook_cardiac_mri"
    names = list(cine.cases(folder))
    found = cine.slices(folder, names)
    with (folder / "slices.csv").open(newline="") as file:
        table = {
            (row["case"], int(row["phase_index"]), int(row["slice_index"])): int(row["endo_pixels"])
            for row in csv.DictReader(file)
        }
    assert {(s.case, s.phase_index, s.slice_index): int(s.endocardium.sum()) for s in found} == table
    assert {s.image.shape for s in found} == {(256, 256)}
    assert heart.KEYS[-1] == "ef_error"
