"""A tiny recipe learns a known thing, twice to the same bytes, also when it was stopped on the way."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")

from recon_engine import weights  # noqa: E402
from recon_engine.contract import EngineError  # noqa: E402
from recon_engine.inference import Runner, segment  # noqa: E402
from recon_engine.metrics import dice  # noqa: E402
from recon_engine.networks import build  # noqa: E402
from recon_engine.networks.unet3d import depth_to_space, space_to_depth  # noqa: E402
from recon_engine.recipes.configuration import Augmentation, NetworkConfiguration, Recipe  # noqa: E402
from recon_engine.training.augmentation import augment  # noqa: E402
from recon_engine.training.loop import SETTLING_STEPS, learning_rate, train_network  # noqa: E402
from recon_engine.training.run import bring, package  # noqa: E402
from recon_engine.training.sources import from_memory, phantom_seeds, shuffled  # noqa: E402

TINY = Recipe(
    name="tiny",
    version="1",
    data="balls",
    segments=("ball",),
    box=(16, 16, 16),
    network=NetworkConfiguration(channels=(8, 16), refine=4),
    augmentation=Augmentation(rotate_degrees=20, mirror_axes=(0, 2), noise=0.1, gamma=0.2, bias=0.1, elastic_voxels=1),
    steps=60,
    batch=2,
    learning_rate=1e-2,
    average=0.9,
    seed=5,
)


def balls(count: int, seed: int = 0):
    """Bright balls in noise, with their truth."""
    dice_ = np.random.default_rng(seed)
    grid = np.indices((16, 16, 16)).reshape(3, -1).T
    images, labels = [], []
    for _ in range(count):
        away = np.linalg.norm(grid - dice_.uniform(6, 10, 3), axis=1).reshape(16, 16, 16)
        label = (away < dice_.uniform(3, 5)).astype(np.uint8)
        images.append(label * 2.0 + dice_.normal(0, 0.3, label.shape))
        labels.append(label)
    return np.array(images, np.float32), np.array(labels)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(out, recipe=TINY, **how):
    return train_network(recipe, from_memory(recipe, *balls(8)), out, **how)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    torch.set_num_threads(1)
    return trained(tmp_path_factory.mktemp("once"))


def test_it_learns_what_a_ball_is(once):
    net = build(TINY.network)
    net.load_state_dict(once)
    runner = Runner(TINY, [net.eval()], device="cpu", threads=1, backend="torch")
    images, labels = balls(4, seed=99)
    scores = [dice(segment(runner, i[None])[0] == 1, t == 1) for i, t in zip(images, labels, strict=True)]
    assert min(scores) > 0.9


def test_twice_gives_identical_bytes(once, tmp_path):
    again = trained(tmp_path)
    assert package(TINY, [once], tmp_path / "a") == package(TINY, [again], tmp_path / "b")


def test_a_training_cut_short_goes_on_to_the_same_bytes(once, tmp_path):
    trained(tmp_path, save_every=10, stop_after=20)
    resumed = trained(tmp_path)
    assert all(torch.equal(once[name], resumed[name]) for name in once)


def test_another_seed_gives_other_weights(once, tmp_path):
    other = trained(tmp_path, dataclasses.replace(TINY, seed=6))
    assert not torch.equal(once["head.weight"], other["head.weight"])


def test_a_folder_of_another_recipe_is_refused(tmp_path):
    trained(tmp_path, stop_after=1)
    with pytest.raises(EngineError) as caught:
        trained(tmp_path, dataclasses.replace(TINY, learning_rate=1.0))
    assert caught.value.code == "bad_request"


def test_a_damaged_checkpoint_is_named(tmp_path):
    trained(tmp_path, stop_after=1)
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(EngineError) as caught:
        trained(tmp_path)
    assert caught.value.code == "weights_corrupt"


def test_cancelling_stops_between_steps(tmp_path):
    seen = []

    def stop(progress):
        seen.append(progress)
        if len(seen) == 3:
            raise EngineError("cancelled", "stopped")

    with pytest.raises(EngineError):
        trained(tmp_path, on_progress=stop)
    assert len(seen) == 3
    assert "step 3 of 60" in seen[-1].detail


def test_every_sample_comes_once_an_epoch():
    seen = [n for step in range(4) for n in shuffled(8, 2, step, seed=1)]
    assert sorted(seen) == list(range(8))
    assert seen != [n for step in range(4, 8) for n in shuffled(8, 2, step, seed=1)]


def test_the_learning_rate_rises_falls_and_cools_down():
    recipe = dataclasses.replace(TINY, steps=100, horizon=200, cooldown=20, warm_up=0.05)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert max(rates) == pytest.approx(recipe.learning_rate, rel=0.01)
    assert rates[0] < rates[5]
    assert rates[79] > 0.5 * recipe.learning_rate
    assert rates[99] < 0.1 * rates[80]


def test_a_restart_begins_the_schedule_anew():
    recipe = dataclasses.replace(TINY, steps=100, restart=40)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[:40] == [learning_rate(dataclasses.replace(TINY, steps=40), step) for step in range(40)]
    assert rates[39] < 0.05 * recipe.learning_rate
    assert max(rates[40:50]) == pytest.approx(recipe.learning_rate, rel=0.02)


def test_bending_moves_image_and_label_alike():
    image = torch.zeros(1, 1, 16, 16, 16)
    image[0, 0, 4:9, 6:10, 5:12] = 1
    label = (image[:, 0] > 0.5).to(torch.uint8)
    recipe = Augmentation(rotate_degrees=25, scale=0.1, shift_voxels=2, elastic_voxels=1, mirror_axes=(0, 1, 2))
    bent, moved = augment(image, label, recipe, torch.Generator().manual_seed(4))
    assert not torch.equal(bent, image)
    assert dice((bent[0, 0] > 0.5).numpy(), (moved[0] == 1).numpy()) > 0.85


def test_nothing_changes_without_augmentation():
    image, label = torch.randn(2, 1, 8, 8, 8), torch.randint(0, 3, (2, 8, 8, 8), dtype=torch.uint8)
    same, kept = augment(image, label, Augmentation(), torch.Generator().manual_seed(0))
    assert torch.allclose(same, image, atol=1e-5)
    assert torch.equal(kept, label.long())


def test_space_to_depth_is_undone_by_depth_to_space():
    x = torch.randn(2, 3, 4, 6, 8)
    for folds, shape in (((2, 2, 2), (2, 24, 2, 3, 4)), ((1, 2, 4), (2, 24, 4, 3, 2)), ((1, 1, 1), (2, 3, 4, 6, 8))):
        folded = space_to_depth(x, folds)
        assert folded.shape == shape
        assert torch.equal(depth_to_space(folded, folds), x)


FLAT = NetworkConfiguration(outputs=2, channels=(8, 16), flat=True, refine=4)


def test_a_flat_sample_is_bent_in_its_plane_only():
    image, label = balls(3)
    middle = slice(image.shape[1] // 2, image.shape[1] // 2 + 1)
    flat, disc = torch.from_numpy(image[:, middle])[:, None], torch.from_numpy(label[:, middle])
    bending = Augmentation(
        rotate_degrees=30, scale=0.2, shift_voxels=2, elastic_voxels=1, mirror_axes=(0, 1, 2), coarse_probability=1.0
    )
    bent, moved = augment(flat, disc, bending, torch.Generator().manual_seed(5))
    assert bent.shape == flat.shape
    for number in range(3):  # a tilt or a step along k would read outside, where everything is 0
        kept = int(moved[number].sum()) / int(disc[number].sum())
        assert 0.6 < kept < 1.6


def test_a_flat_network_learns_discs_slice_by_slice(tmp_path):
    image, label = balls(12)
    middle = slice(image.shape[1] // 2, image.shape[1] // 2 + 1)
    recipe = dataclasses.replace(TINY, box=(1, *TINY.box[1:]), network=FLAT, steps=60)
    net = build(FLAT)
    assert FLAT.multiple == net.multiple == 4
    net.load_state_dict(train_network(recipe, from_memory(recipe, image[:, middle], label[:, middle]), tmp_path))
    net.eval()
    with torch.no_grad():
        found = net(torch.from_numpy(image[:, middle])[:, None]).argmax(1).numpy()
        alone = net(torch.from_numpy(image[3:4, middle])[:, None]).argmax(1).numpy()
    assert np.array_equal(found[3:4], alone), "a slice's answer hangs on the slices beside it"
    assert np.mean([dice(f == 1, t == 1) for f, t in zip(found, label[:, middle], strict=True)]) > 0.9


def test_phantoms_are_named_by_seeds():
    assert phantom_seeds("phantoms:1-3,9") == [1, 2, 3, 9]
    for wrong in ("phantoms:", "phantoms", "seeds:1", "phantoms:1-x"):
        with pytest.raises(EngineError):
            phantom_seeds(wrong)


def test_a_guided_network_begins_with_its_guides_answer():
    shape = NetworkConfiguration(inputs=4, guides=3, outputs=3, channels=(8, 16), norm="batch", refine=4)
    odds = torch.softmax(torch.randn(1, 3, 16, 16, 16, generator=torch.Generator().manual_seed(1)), dim=1)
    image = torch.cat([torch.randn(1, 1, 16, 16, 16), odds], dim=1)
    for network in (shape, dataclasses.replace(shape, refine=0)):
        logits = build(network).eval()(image)
        assert torch.allclose(torch.softmax(logits, dim=1), odds, atol=2e-3)


def test_averaged_weights_get_batch_statistics_of_their_own(tmp_path):
    recipe = dataclasses.replace(TINY, steps=6, network=dataclasses.replace(TINY.network, norm="batch"))
    shipped = trained(tmp_path, recipe)
    net = build(recipe.network)
    net.load_state_dict(shipped)
    norm = next(module for module in net.modules() if isinstance(module, torch.nn.BatchNorm3d))
    seen = []
    norm.register_forward_pre_hook(lambda _, given: seen.append(given[0].mean((0, 2, 3, 4))))
    source = from_memory(recipe, *balls(8))
    net.train()
    with torch.no_grad():
        for step in range(recipe.steps, recipe.steps + SETTLING_STEPS):
            net(source(step, torch.Generator().manual_seed(recipe.seed * 1_000_003 + step))[0])
    assert torch.allclose(shipped["encoder.0.1.running_mean"], torch.stack(seen).mean(0), atol=1e-4)


def test_a_training_takes_the_shipped_guide_unless_it_has_its_own(tmp_path):
    shipped, out = tmp_path / "shipped", tmp_path / "out"
    sha256 = package(TINY, [build(TINY.network).state_dict()], shipped, "guide.safetensors")
    bring("guide.safetensors", shipped, out)
    assert weights.recorded_sha256(out, "guide.safetensors") == sha256
    assert weights.sha256_of(out / "guide.safetensors") == sha256
    own = package(TINY, [build(TINY.network).state_dict()], out, "guide.safetensors")
    assert own != sha256
    bring("guide.safetensors", shipped, out)
    assert weights.sha256_of(out / "guide.safetensors") == own
