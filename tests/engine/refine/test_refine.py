"""Prompts on phantoms of known shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recon_engine
from recon_engine.contract import EngineError, RefineRequest
from recon_engine.pieces import Piece
from recon_engine.refining import work_out
from recon_engine.volume import Volume

SPACING = (2.0, 1.0, 1.0)
SHAPE = (40, 90, 90)


def volume_of(voxels: np.ndarray, spacing: tuple[float, ...] = SPACING) -> Volume:
    """On an LPS grid whose axes do not run along x, y, z in array order, and which does not begin at 0."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing)[::-1]
    affine[:3, 3] = (-40.0, 25.0, 300.0)
    return Volume(voxels, affine)


def ball(centre_mm: tuple[float, ...], radius: float, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Centre in mm along (k, j, i) from the first voxel."""
    steps = np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, SPACING, strict=True)], indexing="ij")
    return sum((step - c) ** 2 for step, c in zip(steps, centre_mm, strict=True)) <= radius**2


def after(piece: Piece, prompt: dict[str, Any]) -> np.ndarray:
    labels = piece.labelmap.voxels.astype(np.int16)
    for change in work_out(piece, prompt).changes:
        allowed = np.ones(labels.shape, bool) if change.over is None else np.isin(labels, change.over)
        labels[change.mask & allowed] = change.label
    return labels


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def labelled(mask: np.ndarray, number: int = 1) -> Piece:
    return Piece(volume_of(mask.astype(np.uint8) * number))


@pytest.fixture(scope="module")
def organ() -> tuple[Piece, np.ndarray, list[float]]:
    """A ball of 20 mm with 60 HU in tissue of 0 HU with noise of 12 HU; a vessel of 3 mm leaves it. (piece, truth,
    click in LPS mm)."""
    truth = ball((40, 45, 45), 20)
    values = np.where(truth, 60.0, 0.0)
    vessel = np.zeros(SHAPE, bool)
    vessel[19:22, 44:47, 60:] = True
    values[vessel] = 60.0
    values += np.random.default_rng(0).normal(0, 12, SHAPE)
    empty = volume_of(np.zeros(SHAPE, np.uint8))
    piece = Piece(empty, volume_of(values.astype(np.float32)))
    return piece, truth | vessel, empty.to_mm((20, 47, 43)).tolist()


def test_growing_finds_the_organ_and_keeps_to_its_reach(organ: Any) -> None:
    piece, truth, click = organ
    prompt = {"kind": "grow", "segment": 4, "seeds_mm": [click], "radius_mm": 60.0, "strictness": 0.5, "over": [0]}
    found = after(piece, prompt) == 4
    assert dice(found, truth) > 0.95
    near = after(piece, {**prompt, "radius_mm": 10.0}) == 4
    inside = ball((40, 47, 43), 13)
    assert near.any()
    assert not (near & ~inside).any()


def test_growing_reaches_the_outermost_voxels() -> None:
    """Without noise the answer is the ball but for its tips: a blur against noise must not cost it its rim."""
    truth = ball((40, 47, 43), 13)
    piece = Piece(volume_of(np.zeros(SHAPE, np.uint8)), volume_of(np.where(truth, 60, 0).astype(np.int16)))
    click = [float(n) for n in piece.labelmap.to_mm((20, 47, 43))]
    prompt = {"kind": "grow", "segment": 1, "seeds_mm": [click], "radius_mm": 60.0}
    for more in ({}, {"range": [50.0, 70.0]}):
        assert dice(after(piece, {**prompt, **more}) == 1, truth) > 0.999


def test_growing_says_who_holds_what_looks_like_the_click() -> None:
    truth = ball((40, 47, 43), 13)
    image = volume_of(np.where(truth, 60, 0).astype(np.int16))
    drawn = Piece(volume_of(np.where(truth, 2, 0).astype(np.uint8)), image)
    click = [float(n) for n in image.to_mm((20, 47, 43))]
    prompt = {"kind": "grow", "seeds_mm": [click], "radius_mm": 60.0, "over": [0]}
    with pytest.raises(EngineError, match="in this segment already"):
        work_out(drawn, {**prompt, "segment": 2})
    with pytest.raises(EngineError, match="may not be painted over"):
        work_out(drawn, {**prompt, "segment": 1})
    assert dice(after(drawn, {**prompt, "segment": 1, "over": None}) == 1, truth) > 0.999


def test_growing_leaves_other_segments_alone_unless_told(organ: Any) -> None:
    piece, _truth, click = organ
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, :, 50:] = 2
    drawn = Piece(volume_of(labels), piece.image)
    prompt = {"kind": "grow", "segment": 4, "seeds_mm": [click], "radius_mm": 60.0}
    found = after(drawn, {**prompt, "over": [0]})
    assert (found[:, :, 50:] != 4).all()
    assert (after(drawn, {**prompt, "over": None})[:, :, 50:] == 4).any()


def test_growing_by_range_takes_nothing_outside_it(organ: Any) -> None:
    piece, truth, click = organ
    prompt = {"kind": "grow", "segment": 4, "seeds_mm": [click], "radius_mm": 60.0, "range": [30.0, 90.0]}
    assert dice(after(piece, prompt) == 4, truth) > 0.95
    with pytest.raises(EngineError, match="outside the volume"):
        work_out(piece, {**prompt, "seeds_mm": [[9999.0, 0.0, 0.0]]})


def test_islands_and_split() -> None:
    large, small, dot = ball((40, 30, 30), 15), ball((40, 70, 70), 8), ball((10, 10, 10), 2)
    piece = labelled(large | small | dot)
    assert (after(piece, {"kind": "islands", "segment": 1, "keep": "largest"}) == large).all()
    kept = after(piece, {"kind": "islands", "segment": 1, "keep": "at-least", "voxels": 100})
    assert (kept == (large | small)).all()
    parts = after(piece, {"kind": "split", "segment": 1})
    assert ((parts == 1) == large).all()
    assert ((parts == -1) == small).all()
    assert ((parts == -2) == dot).all()
    with pytest.raises(EngineError, match="one piece"):
        work_out(labelled(large), {"kind": "split", "segment": 1})


@pytest.mark.parametrize("mm", [-6.0, -3.0, 3.0, 6.0])
def test_margins_are_millimetres_on_anisotropic_voxels(mm: float) -> None:
    piece = labelled(ball((40, 45, 45), 20))
    got = after(piece, {"kind": "margin", "segment": 1, "mm": mm}) == 1
    assert dice(got, ball((40, 45, 45), 20 + mm)) > 0.97
    for axis, step in enumerate(SPACING):
        line = got.any(axis=tuple(n for n in range(3) if n != axis))
        assert line.sum() * step == pytest.approx(2 * (20 + mm), abs=2.1 * step)


def test_a_margin_keeps_to_values_and_to_empty_voxels() -> None:
    labels = ball((40, 45, 45), 10).astype(np.uint8)
    labels[:, 60:] = 2
    values = np.zeros(SHAPE, np.float32)
    values[:, :, 45:] = 100
    piece = Piece(volume_of(labels), volume_of(values))
    got = after(piece, {"kind": "margin", "segment": 1, "mm": 10.0, "range": [50.0, 150.0]})
    assert ((got == 1) & (labels == 0))[:, :, 45:].any()
    assert not ((got == 1) & (labels == 0))[:, :, :45].any()
    assert ((got == 2) == (labels == 2)).all()


def test_smoothing_keeps_the_volume_and_heals_a_rough_border() -> None:
    truth = ball((40, 45, 45), 20)
    chance = np.random.default_rng(1)
    shell = ball((40, 45, 45), 23) & ~ball((40, 45, 45), 17)
    rough = np.where(shell, chance.random(SHAPE) < 0.5, truth)
    piece = labelled(rough)
    got = after(piece, {"kind": "smooth", "segment": 1, "mm": 2.5}) == 1
    assert abs(int(got.sum()) - int(rough.sum())) <= 0.005 * rough.sum()
    assert dice(got, truth) > max(dice(rough, truth), 0.94)


def test_smoothing_all_lets_neighbours_share_a_border() -> None:
    labels = np.ones(SHAPE, np.uint8)
    labels[:, :, 45:] = 2
    labels[20, 45, 50] = 1
    labels[20, 45, 40] = 2
    got = after(Piece(volume_of(labels)), {"kind": "smooth", "segment": None, "mm": 2.0})
    assert (got[:, :, :45] == 1).all()
    assert (got[:, :, 45:] == 2).all()


def test_holes_and_threshold() -> None:
    hollow = ball((40, 45, 45), 20) & ~ball((40, 45, 45), 8)
    filled = after(labelled(hollow), {"kind": "fill-holes", "segment": 1})
    assert ((filled == 1) == ball((40, 45, 45), 20)).all()
    values = np.where(ball((40, 45, 45), 8), 300.0, 0.0).astype(np.float32)
    piece = Piece(volume_of(np.zeros(SHAPE, np.uint8)), volume_of(values))
    found = after(piece, {"kind": "threshold", "segment": 3, "range": [200.0, 400.0]})
    assert ((found == 3) == ball((40, 45, 45), 8)).all()


def test_the_verb_reads_a_piece_and_writes_layers(tmp_path: Path) -> None:
    mask = ball((40, 45, 45), 10)
    volume = volume_of(mask.astype(np.uint8))
    folder = tmp_path / "piece"
    folder.mkdir()
    record = {"shape": list(SHAPE), "affine": volume.affine.tolist(), "image": None}
    (folder / "piece.json").write_text(json.dumps(record))
    (folder / "labelmap.u8").write_bytes(volume.voxels.tobytes())
    prompt = {"kind": "margin", "segment": 1, "mm": 3.0}
    result = recon_engine.refine(RefineRequest(labelmap=str(folder), prompt=prompt, out=str(tmp_path / "out")))
    box = result.box
    size = tuple(box[n + 3] - box[n] for n in range(3))
    layer = np.fromfile(tmp_path / "out" / "layers.u8", np.uint8).reshape(size).astype(bool)
    grown = mask.copy()
    grown[box[0] : box[3], box[1] : box[4], box[2] : box[5]] |= layer
    assert dice(grown, ball((40, 45, 45), 13)) > 0.96
    assert result.changed == int(grown.sum() - mask.sum())
    assert [(one.label, one.over) for one in result.layers] == [(1, (0,))]
    with pytest.raises(EngineError, match="no prompt of kind 'melt'"):
        recon_engine.refine(RefineRequest(labelmap=str(folder), prompt={"kind": "melt"}, out=str(tmp_path / "second")))
    assert not (tmp_path / "second").exists()


def test_the_shell_has_both_verbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from recon_engine import cli
    from recon_engine.results import labelmap_files

    file = tmp_path / "labelmap.nii.gz"
    two = ball((40, 30, 30), 15) | ball((40, 70, 70), 8)
    file.write_bytes(labelmap_files(volume_of(two.astype(np.uint8)))[0])
    words = ["refine", str(file), "--prompt", '{"kind": "split", "segment": 1}', "-o", str(tmp_path / "split")]
    assert cli.main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == ball((40, 70, 70), 8).sum()
    made = str(tmp_path / "split" / "labelmap.nii.gz")
    words = ["surfaces", made, "--segment", "1=Large", "--segment", "2=Small", "-o", str(tmp_path / "surfaces")]
    assert cli.main([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["segments"]
    assert [row["label"] for row in rows] == ["Large", "Small"]
    voxels = [int(ball((40, 30, 30), 15).sum()), int(ball((40, 70, 70), 8).sum())]
    assert [row["voxels"] for row in rows] == voxels
    assert [row["volume_ml"] for row in rows] == pytest.approx([n * 0.002 for n in voxels])
    assert (tmp_path / "surfaces" / "surfaces.glb").read_bytes()[:4] == b"glTF"
    assert cli.main(["refine", made, "--prompt", "grow", "-o", str(tmp_path / "x"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad_request"


def test_warming_up_loads_what_the_interactive_verbs_need() -> None:
    """In a process of its own: what it has loaded then is there when somebody asks."""
    code = (
        "import sys, recon_engine\nneeded = {'SimpleITK', 'scipy.ndimage', 'recon_engine.surface.nets'}\n"
        "print(len(needed & set(sys.modules)))\nrecon_engine.warm_up()\n"
        "print(len(needed & set(sys.modules)), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "3", "False"]
