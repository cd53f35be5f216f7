"""Both GLB files are valid glTF 2.0, lie in the right place and say what they are."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from recon_engine.phantoms import sphere_phantom
from recon_engine.surface import Part, Wanted, browser_glb, make_surfaces, plain_glb
from recon_engine.surface.glb import linear_colour
from recon_engine.surface.meshes import Mesh

ROOT = Path(__file__).parents[3]
DECODER = ROOT / "frontend/node_modules/three/examples/jsm/libs/meshopt_decoder.module.js"
EXTRAS = {"unit": "mm", "frame": "LPS", "frame_of_reference_uid": "2.25.7"}


@pytest.fixture(scope="module")
def parts():
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 0.8], [0, 0.8, 0], [2.0, 0, 0]]
    affine[:3, 3] = (100.0, -50.0, 900.0)
    surface = make_surfaces(sphere_phantom(12.0, (2.0, 0.8, 0.8), affine=affine).labels, [Wanted(1)], 1)[0]
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32))
    other = Mesh(surface.mesh.vertices + np.float32(30), surface.mesh.triangles)
    return [
        Part(1, "Läsion", "#FB9202", surface.mesh),
        Part(2, "Nothing", "#90A6FF", empty),
        Part(5, "Skin", "#CB9BBC", other, 0.3),
    ]


def opened(data):
    """(document, binary chunk) of a GLB whose frame is right (glTF 2.0, section 4)."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert size % 4 == 0
    document = json.loads(data[20 : 20 + size])
    if len(data) == 20 + size:
        return document, b""
    rest, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0"
    assert rest % 4 == 0
    return document, data[28 + size :]


def check(document, binary):
    """The rules of glTF 2.0 that matter to a loader: references, ranges, alignment, bounds."""
    width = {5121: 1, 5123: 2, 5125: 4, 5126: 4}
    lanes = {"SCALAR": 1, "VEC3": 3}
    assert document["asset"]["version"] == "2.0"
    assert document["buffers"][0]["byteLength"] <= len(binary) <= document["buffers"][0]["byteLength"] + 3
    for view in document.get("bufferViews", []):
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= document["buffers"][view["buffer"]]["byteLength"]
    for accessor in document.get("accessors", []):
        view = document["bufferViews"][accessor["bufferView"]]
        element = width[accessor["componentType"]] * lanes[accessor["type"]]
        stride = view.get("byteStride", element)
        assert stride * (accessor["count"] - 1) + element <= view["byteLength"]
    for mesh in document.get("meshes", []):
        for primitive in mesh["primitives"]:
            position = document["accessors"][primitive["attributes"]["POSITION"]]
            assert position["type"] == "VEC3"
            assert len(position["min"]) == len(position["max"]) == 3
            assert primitive["material"] < len(document["materials"])
    seen = [child for node in document["nodes"] for child in node.get("children", [])]
    assert len(seen) == len(set(seen))
    assert all(0 <= child < len(document["nodes"]) for child in seen)


@pytest.mark.parametrize("write", [plain_glb, browser_glb])
def test_the_file_is_valid_and_names_its_segments(parts, write):
    document, binary = opened(write(parts, EXTRAS, "CC BY 4.0. Somebody"))
    check(document, binary)
    root, *nodes = document["nodes"]
    assert document["scenes"][document["scene"]]["nodes"] == [0]
    assert root["scale"] == [0.001] * 3
    assert [node["name"] for node in nodes] == ["Läsion", "Skin"]
    assert [node["extras"]["SegmentNumber"] for node in nodes] == [1, 5]
    assert document["asset"]["extras"] == EXTRAS
    assert document["asset"]["copyright"] == "CC BY 4.0. Somebody"
    assert document["materials"][1]["alphaMode"] == "BLEND"


def world(parts, index):
    """Where the LPS vertices of a part belong in glTF's metres: X = x, Y = z, Z = -y."""
    x, y, z = parts[index].mesh.vertices.T.astype(np.float64) / 1000
    return np.column_stack([x, z, -y])


def test_trimesh_reads_the_plain_file_upright(parts):
    trimesh = pytest.importorskip("trimesh")
    import io

    scene = trimesh.load(io.BytesIO(plain_glb(parts, EXTRAS)), file_type="glb")
    for name, index in (("Läsion", 0), ("Skin", 2)):
        matrix, geometry = scene.graph[name]
        mesh = scene.geometry[geometry].copy()
        mesh.apply_transform(matrix)
        assert np.allclose(np.sort(mesh.bounds, 0), np.array([world(parts, index).min(0), world(parts, index).max(0)]))
        assert mesh.is_watertight
        assert mesh.volume * 1e9 == pytest.approx(parts[index].mesh.measure()[0], rel=1e-4)
        assert mesh.is_winding_consistent


NODE_SCRIPT = """
import { readFileSync } from "node:fs";
import { MeshoptDecoder } from %DECODER%;
await MeshoptDecoder.ready;
const data = readFileSync(process.argv[2]);
const size = data.readUInt32LE(12);
const gltf = JSON.parse(data.subarray(20, 20 + size));
const bin = data.subarray(28 + size);
const out = [];
for (const node of gltf.nodes.slice(1)) {
  const { attributes, indices } = gltf.meshes[node.mesh].primitives[0];
  const read = (number) => {
    const accessor = gltf.accessors[number];
    const view = gltf.bufferViews[accessor.bufferView];
    const how = view.extensions.EXT_meshopt_compression;
    const target = new Uint8Array(how.count * how.byteStride);
    const source = bin.subarray(how.byteOffset, how.byteOffset + how.byteLength);
    MeshoptDecoder.decodeGltfBuffer(target, how.count, how.byteStride, source, how.mode, how.filter);
    return [target, accessor, how];
  };
  const [positions, place] = read(attributes.POSITION);
  const [faces, order] = read(indices);
  const p = new Uint16Array(positions.buffer);
  const f = order.componentType === 5123 ? new Uint16Array(faces.buffer) : new Uint32Array(faces.buffer);
  const points = [];
  for (let n = 0; n < place.count; n += 1)
    for (let c = 0; c < 3; c += 1) points.push(p[4 * n + c] * node.scale[c] + node.translation[c]);
  out.push({ name: node.name, points, triangles: Array.from(f.subarray(0, order.count)) });
}
process.stdout.write(JSON.stringify(out));
"""


@pytest.mark.skipif(shutil.which("node") is None or not DECODER.exists(), reason="node or three.js is not here")
def test_threes_decoder_reads_the_browser_file(parts, tmp_path):
    glb, script = tmp_path / "surfaces.browser.glb", tmp_path / "decode.mjs"
    glb.write_bytes(browser_glb(parts, EXTRAS))
    script.write_text(NODE_SCRIPT.replace("%DECODER%", json.dumps(DECODER.as_uri())))
    done = subprocess.run(["node", str(script), str(glb)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    decoded = json.loads(done.stdout)
    assert [d["name"] for d in decoded] == ["Läsion", "Skin"]
    for entry, part in zip(decoded, (parts[0], parts[2]), strict=True):
        mesh = Mesh(
            np.array(entry["points"], np.float32).reshape(-1, 3), np.array(entry["triangles"], np.uint32).reshape(-1, 3)
        )
        grid = np.ptp(part.mesh.vertices, axis=0).max() / 65535
        assert mesh.is_closed()
        assert len(mesh.triangles) == len(part.mesh.triangles)
        assert mesh.measure()[0] == pytest.approx(part.mesh.measure()[0], rel=1e-4)
        # The same points, in the order the encoder likes.
        assert np.abs(np.sort(mesh.vertices, 0) - np.sort(part.mesh.vertices, 0)).max() <= grid
        assert len(mesh.vertices) == len(part.mesh.vertices)


def test_the_browser_file_is_a_fraction_of_the_plain_one(parts):
    assert len(browser_glb(parts, EXTRAS)) < len(plain_glb(parts, EXTRAS)) / 3


@pytest.mark.parametrize("write", [plain_glb, browser_glb])
def test_a_result_without_surfaces_is_a_valid_file(write):
    document, binary = opened(write([], EXTRAS))
    assert binary == b""
    assert document["nodes"][0]["name"] == "LPS"
    assert "meshes" not in document
    assert "extensionsRequired" not in document


def test_equal_labels_get_names_of_their_own(parts):
    twice = [Part(1, "Lesion", "#FB9202", parts[0].mesh), Part(2, "Lesion", "#FB9202", parts[2].mesh)]
    document, _ = opened(plain_glb(twice, EXTRAS))
    assert [node["name"] for node in document["nodes"][1:]] == ["Lesion 1", "Lesion 2"]


def test_colours_are_linear():
    assert linear_colour("#000000") == [0, 0, 0]
    assert linear_colour("#FFFFFF") == [1, 1, 1]
    assert linear_colour("#808080")[0] == pytest.approx(0.215861, abs=1e-5)
