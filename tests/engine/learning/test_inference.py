"""Windows cover a volume exactly, give what one window gives, and survive a lack of memory."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recon_engine import inference  # noqa: E402
from recon_engine.contract import EngineError  # noqa: E402
from recon_engine.inference import Answer, Runner, bytes_per_voxel, choose_device, plan_tiles, segment  # noqa: E402
from recon_engine.metrics import dice  # noqa: E402
from recon_engine.networks import build  # noqa: E402
from recon_engine.recipes.configuration import NetworkConfiguration, Recipe  # noqa: E402

RECIPE = Recipe(
    name="tiny",
    version="1",
    data="none",
    segments=("a", "b"),
    network=NetworkConfiguration(outputs=3, channels=(4, 8), norm="batch", refine=4),
    halo=16,
)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(1)
    return build(RECIPE.network).eval()


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).normal(size=(1, 40, 52, 44)).astype(np.float32)


def runner(net, **how):
    return Runner(RECIPE, [net], **{"device": "cpu", "threads": 1, "backend": "torch"} | how)


@pytest.mark.parametrize("shape", [(40, 52, 44), (7, 100, 33), (1, 1, 1), (64, 64, 64)])
@pytest.mark.parametrize("voxels", [8**3, 40**3, 10**9])
def test_tiles_keep_every_voxel_once(shape, voxels):
    window, tiles = plan_tiles(shape, 4, 6, voxels)
    kept = np.zeros(shape, int)
    for tile in tiles:
        kept[tuple(slice(a, b) for a, b in tile.keeps)] += 1
        for (low, high), (start, stop), edge in zip(tile.reads, tile.keeps, window, strict=True):
            assert low <= start < stop <= high
            assert high - low == edge
            assert edge % 4 == 0
    assert (kept == 1).all()


def test_a_volume_that_fits_is_one_window():
    window, tiles = plan_tiles((40, 52, 44), 4, 24, 10**9)
    assert (window, len(tiles)) == ((40, 52, 44), 1)


def test_tiles_give_what_one_window_gives(net, image):
    whole, _ = segment(runner(net), image)
    pieces, took = segment(runner(net), image, budget=44**3 * bytes_per_voxel(RECIPE.network))
    assert took["tiles"] > 1
    # Away from the volume's border nothing may differ: the halo is wider than the network sees.
    inner = (slice(14, -14),) * 3
    assert (whole[inner] == pieces[inner]).mean() > 0.9999


def test_openvino_and_torch_agree(net, image):
    pytest.importorskip("openvino")
    one, _ = segment(runner(net), image)
    two, took = segment(runner(net, backend="openvino"), image)
    assert took["backend"] == "openvino"
    for label in (0, 1, 2):
        assert dice(one == label, two == label) >= 0.999


def test_mirrored_answers_are_averaged(net, image):
    mirrored = dataclasses.replace(RECIPE, test_time_mirror=(2,))
    answer = Answer([net], mirrored.test_time_mirror)
    with torch.no_grad():
        one = answer(torch.from_numpy(image[None]))
        two = answer(torch.from_numpy(image[None]).flip(4)).flip(3)
    assert torch.equal(one, two)


def test_labels_are_one_byte_and_no_float_volume_leaves_the_graph(net, image):
    given = runner(net).window(image)
    assert given.dtype == np.uint8
    assert given.shape == image.shape[1:]


def test_progress_counts_tiles_and_a_cancel_waits_for_one_at_most(net, image):
    seen = []

    def stop(fraction, detail):
        seen.append(detail)
        if len(seen) == 2:
            raise EngineError("cancelled", "stopped")

    with pytest.raises(EngineError) as caught:
        segment(runner(net), image, budget=44**3 * bytes_per_voxel(RECIPE.network), on_tile=stop)
    assert caught.value.code == "cancelled"
    assert seen[1].startswith("tile 2 of ")


class Cramped(Runner):
    """A machine where only small windows fit."""

    most = 0

    def window(self, image_CDHW):
        if image_CDHW[0].size > self.most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().window(image_CDHW)


def test_a_window_that_does_not_fit_is_halved(net, image):
    small = Cramped(RECIPE, [net], device="cpu", threads=1, backend="torch")
    small.most = image[0].size - 1
    labels, took = segment(small, image)
    whole, _ = segment(runner(net), image)
    assert took["retries"]
    assert (labels == whole)[14:-14, 14:-14, 14:-14].mean() > 0.9999


def test_a_volume_that_never_fits_is_a_named_failure(net, image):
    small = Cramped(RECIPE, [net], device="cpu", threads=1, backend="torch")
    with pytest.raises(EngineError) as caught:
        segment(small, image)
    assert caught.value.code == "out_of_memory"


def test_a_lost_gpu_hands_over_to_the_cpu(net, image, monkeypatch):
    lost = runner(net)
    lost.device = "cuda:0"
    own = Runner._torch
    monkeypatch.setattr(inference, "openvino_available", lambda: False)

    def fail_on_gpu(self, image_BCDHW):
        if self.device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return own(self, image_BCDHW)

    monkeypatch.setattr(Runner, "_torch", fail_on_gpu)
    labels, took = segment(lost, image)
    assert took["device"] == "cpu"
    monkeypatch.undo()
    assert np.array_equal(labels, segment(runner(net), image)[0])


def test_other_errors_are_not_taken_for_a_lack_of_memory(net):
    with pytest.raises(RuntimeError, match="channels"):
        segment(runner(net), np.zeros((2, 8, 8, 8), np.float32))


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(EngineError) as caught:
        choose_device("cuda:99")
    assert caught.value.code == "bad_request"
    assert choose_device("cpu") == "cpu"
