"""No weights file is trusted: each kind of damage has its code, and nothing in a file can run."""

import json
import pickle
import struct

import pytest

torch = pytest.importorskip("torch")

from recon_engine.contract import EngineError  # noqa: E402
from recon_engine.networks import build  # noqa: E402
from recon_engine.recipes.configuration import NetworkConfiguration, Recipe  # noqa: E402
from recon_engine.training.run import package  # noqa: E402
from recon_engine.weights import loading, sha256_of  # noqa: E402

SMALL = Recipe(
    name="tiny", version="1", data="none", segments=("thing",), network=NetworkConfiguration(channels=(4, 8))
)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    package(SMALL, [build(SMALL.network).state_dict()], tmp_path / "tiny-1")
    return tmp_path / "tiny-1"


def refused(folder, **how) -> str:
    with pytest.raises(EngineError) as caught:
        loading.load(folder, **how)
    return caught.value.code


def test_what_was_packed_comes_back(folder):
    loaded = loading.load(folder)
    assert loaded.recipe == SMALL
    assert loaded.sha256 == sha256_of(folder / "weights.safetensors")
    torch.manual_seed(0)
    for ours, theirs in zip(loaded.networks[0].parameters(), build(SMALL.network).parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_packing_twice_gives_the_same_bytes(folder, tmp_path):
    torch.manual_seed(0)
    again = package(SMALL, [build(SMALL.network).state_dict()], tmp_path / "again")
    assert again == sha256_of(folder / "weights.safetensors")


def test_a_flipped_byte_is_a_hash_mismatch(folder):
    file = folder / "weights.safetensors"
    held = bytearray(file.read_bytes())
    held[-100] ^= 1
    file.write_bytes(held)
    assert refused(folder) == "weights_hash_mismatch"


def test_another_versions_file_is_a_hash_mismatch(folder):
    package(SMALL, [build(SMALL.network).state_dict()], folder.parent / "other")
    (folder / "weights.safetensors").write_bytes((folder.parent / "other" / "weights.safetensors").read_bytes())
    assert refused(folder) == "weights_hash_mismatch"


def test_a_missing_file_is_named(folder):
    (folder / "weights.safetensors").unlink()
    assert refused(folder) == "not_found"


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize("make", [pickle.dumps, lambda bomb: b"PK\x03\x04" + pickle.dumps(bomb)])
def test_a_pickle_is_never_opened(folder, make):
    (folder / "weights.safetensors").write_bytes(make(Bomb()))
    assert refused(folder) == "weights_unsafe"


def test_a_torch_file_is_never_opened(folder):
    torch.save({"a": torch.zeros(3)}, folder / "weights.safetensors")
    assert refused(folder) == "weights_unsafe"


def test_a_header_of_640_bytes_is_not_taken_for_a_pickle(folder):
    text = json.dumps({"__metadata__": {"recipe": "x"}}).encode().ljust(640)
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", 640) + text)
    assert refused(folder, sha256="") == "weights_incompatible"


@pytest.mark.parametrize("length", [2**60, 0, 10**9])
def test_a_header_that_lies_about_its_length_is_corrupt(folder, length):
    file = folder / "weights.safetensors"
    file.write_bytes(struct.pack("<Q", length) + file.read_bytes()[8:])
    assert refused(folder, sha256="") == "weights_corrupt"


def test_a_cut_file_is_corrupt(folder):
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-50])
    assert refused(folder, sha256="") == "weights_corrupt"


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.update(data_offsets=[0, 4]),
        lambda entry: entry.update(shape=[-1]),
        lambda entry: entry.update(dtype="F8_SECRET"),
        lambda entry: entry.pop("shape"),
    ],
)
def test_a_tensor_that_does_not_fit_its_place_is_corrupt(folder, change):
    file = folder / "weights.safetensors"
    held = file.read_bytes()
    length = struct.unpack("<Q", held[:8])[0]
    header = json.loads(held[8 : 8 + length])
    change(header["0.head.weight"])
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + held[8 + length :])
    assert refused(folder, sha256="") == "weights_corrupt"


def test_tensors_of_another_shape_are_incompatible(folder):
    other = NetworkConfiguration(channels=(6, 8))
    package(SMALL, [build(other).state_dict()], folder)
    assert refused(folder) == "weights_incompatible"


def test_a_recipe_nobody_knows_is_incompatible(folder):
    from safetensors.torch import load_file, save_file

    file = folder / "weights.safetensors"
    save_file(load_file(file), folder / "new.safetensors", metadata={"recipe": json.dumps({"from": "the future"})})
    (folder / "new.safetensors").replace(file)
    assert refused(folder, sha256="") == "weights_incompatible"
