"""Surfaces to binary glTF 2.0, plain for downloads and compressed for the browser.

Vertices are LPS mm. One root node, "LPS", scales by 0.001 (glTF counts metres) and turns LPS into glTF's axes. glTF has
Y up, Z forward and X to the model's own left (its right is -X); a person upright and facing forward therefore needs
    X = x (left),  Y = z (head),  Z = -y (front),
a turn of -90 degrees about x with determinant +1, so nothing is mirrored. Below the root there is one node per segment,
named by its label, with its SegmentNumber in `extras`.

The browser's file holds 16-bit positions on each segment's own grid (its node puts them back into LPS mm) under
KHR_mesh_quantization, packed by EXT_meshopt_compression, without normals: the browser makes them sooner than they load.
Nothing in either file depends on time, machine or number of threads.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import ENGINE_VERSION
from recon_engine.surface import meshopt
from recon_engine.surface.meshes import Mesh

_ARRAY, _INDICES = 34962, 34963  # WebGL's ARRAY_BUFFER and ELEMENT_ARRAY_BUFFER
_U16, _U32, _F32 = 5123, 5125, 5126
ROOT = {
    "name": "LPS",
    "rotation": [-math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)],
    "scale": [0.001, 0.001, 0.001],
}


@dataclass(frozen=True)
class Part:
    """One segment as it goes into a file. `mesh` in LPS mm; `colour` "#RRGGBB"; `opacity` 0 to 1."""

    number: int
    label: str
    colour: str
    mesh: Mesh
    opacity: float = 1.0


def linear_colour(colour: str) -> list[float]:
    """ "#RRGGBB" (sRGB) -> the linear values glTF's materials take."""
    values = [int(colour[p : p + 2], 16) / 255 for p in (1, 3, 5)]
    return [round(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4, 6) for v in values]


def node_names(parts: list[Part]) -> list[str]:
    """The label, with the number behind it where two segments share a label."""
    labels = [part.label for part in parts]
    return [f"{p.label} {p.number}" if labels.count(p.label) > 1 else p.label for p in parts]


class _Writer:
    def __init__(self, parts: list[Part], extras: dict[str, Any], copyright_: str) -> None:
        asset: dict[str, Any] = {"version": "2.0", "generator": f"Lamina {ENGINE_VERSION}", "extras": extras}
        if copyright_:
            asset["copyright"] = copyright_
        self.chunks: list[bytes] = []
        self.length = 0
        self.document: dict[str, Any] = {
            "asset": asset,
            "scene": 0,
            "scenes": [{"name": "Surfaces", "nodes": [0]}],
            "nodes": [dict(ROOT)],
        }
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.names = node_names(parts)

    def append(self, data: bytes) -> int:
        """-> where `data` begins; the next begins at a multiple of 4."""
        start = self.length
        padded = data + b"\0" * (-len(data) % 4)
        self.chunks.append(padded)
        self.length += len(padded)
        return start

    def accessor(self, view: int, component: int, count: int, kind: str, **more: Any) -> int:
        self.accessors.append({"bufferView": view, "componentType": component, "count": count, "type": kind, **more})
        return len(self.accessors) - 1

    def node(self, part: Part, name: str, attributes: dict[str, int], indices: int, **more: Any) -> None:
        material: dict[str, Any] = {
            "name": name,
            "pbrMetallicRoughness": {
                "baseColorFactor": [*linear_colour(part.colour), part.opacity],
                "metallicFactor": 0.0,
                "roughnessFactor": 0.6,
            },
        }
        if part.opacity < 1:
            material["alphaMode"] = "BLEND"
        self.materials.append(material)
        primitive = {"attributes": attributes, "indices": indices, "material": len(self.materials) - 1, "mode": 4}
        self.meshes.append({"name": name, "primitives": [primitive]})
        self.document["nodes"].append(
            {"name": name, "mesh": len(self.meshes) - 1, "extras": {"SegmentNumber": part.number}, **more}
        )

    def finish(self, buffers: list[dict[str, Any]]) -> bytes:
        document = self.document
        if len(document["nodes"]) > 1:
            document["nodes"][0]["children"] = list(range(1, len(document["nodes"])))
            document |= {"meshes": self.meshes, "materials": self.materials, "accessors": self.accessors}
            document |= {"bufferViews": self.views, "buffers": buffers}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        body = b"".join(self.chunks)
        binary = struct.pack("<I4s", len(body), b"BIN\0") + body if body else b""
        head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(binary))
        return head + struct.pack("<I4s", len(text), b"JSON") + text + binary


def plain_glb(parts: list[Part], extras: dict[str, Any], copyright_: str = "") -> bytes:
    """Float positions and normals, 32-bit indices, no extension: every reader takes it. Empty parts have no node."""
    parts = [part for part in parts if not part.mesh.empty]
    writer = _Writer(parts, extras, copyright_)
    for part, name in zip(parts, writer.names, strict=True):
        mesh = part.mesh
        places = {}
        for attribute, rows in (("POSITION", mesh.vertices), ("NORMAL", mesh.normals())):
            rows = np.ascontiguousarray(rows, "<f4")
            start = writer.append(rows.tobytes())
            writer.views.append({"buffer": 0, "byteOffset": start, "byteLength": rows.nbytes, "target": _ARRAY})
            bounds = {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()} if attribute == "POSITION" else {}
            places[attribute] = writer.accessor(len(writer.views) - 1, _F32, len(rows), "VEC3", **bounds)
        indices = np.ascontiguousarray(mesh.triangles, "<u4")
        start = writer.append(indices.tobytes())
        writer.views.append({"buffer": 0, "byteOffset": start, "byteLength": indices.nbytes, "target": _INDICES})
        writer.node(part, name, places, writer.accessor(len(writer.views) - 1, _U32, indices.size, "SCALAR"))
    return writer.finish([{"byteLength": writer.length}])


@dataclass(frozen=True)
class Packed:
    """A mesh as the browser's file holds it."""

    count: int  # vertices
    triangles: int
    lowest: tuple[float, float, float]  # LPS mm of grid point 0
    step: float  # mm
    largest: tuple[int, int, int]
    positions: bytes
    indices: bytes
    distances: bytes = b""  # float32 mm per vertex, encoded


def pack(mesh: Mesh, distances: NDArray | None = None) -> Packed:
    """Put a mesh on its 16-bit grid and encode it. Safe in threads.

    `distances` (n,) mm, one per vertex, go into the file to a hundredth of a millimetre.
    """
    rows_in = mesh.vertices
    if distances is not None:
        rows_in = np.column_stack([mesh.vertices, distances]).astype(np.float32)
    sorted_rows, triangles = meshopt.reorder(rows_in, mesh.triangles)
    vertices = sorted_rows[:, :3]
    low = vertices.min(0).astype(np.float64)
    step = float((vertices.max(0) - low).max()) / 65535 or 1.0
    rows = np.zeros((len(vertices), 4), "<u2")  # the fourth is padding: rows are multiples of 4 bytes
    rows[:, :3] = np.rint((vertices - low) / step)
    return Packed(
        len(rows),
        len(triangles),
        tuple(float(v) for v in low),  # type: ignore[arg-type]
        step,
        tuple(int(v) for v in rows[:, :3].max(0)),  # type: ignore[arg-type]
        meshopt.encode_vertices(rows),
        meshopt.encode_triangles(triangles, len(rows)),
        b"" if distances is None else meshopt.encode_vertices(np.round(sorted_rows[:, 3:], 2).astype("<f4")),
    )


def browser_glb(
    parts: list[Part], extras: dict[str, Any], copyright_: str = "", packed: list[Packed] | None = None
) -> bytes:
    """The compressed file. `packed` may bring the parts' meshes ready (empty ones left out)."""
    parts = [part for part in parts if not part.mesh.empty]
    packed = [pack(part.mesh) for part in parts] if packed is None else packed
    writer = _Writer(parts, extras, copyright_)
    unpacked = 0

    def view(data: bytes, stride: int, count: int, mode: str, target: int) -> int:
        nonlocal unpacked
        how = {"buffer": 0, "byteOffset": writer.append(data), "byteLength": len(data), "byteStride": stride}
        size = stride * count
        entry: dict[str, Any] = {"buffer": 1, "byteOffset": unpacked, "byteLength": size, "target": target}
        if mode == "ATTRIBUTES":
            entry["byteStride"] = stride
        entry["extensions"] = {"EXT_meshopt_compression": {**how, "count": count, "mode": mode}}
        writer.views.append(entry)
        unpacked += size + -size % 4
        return len(writer.views) - 1

    for part, name, mesh in zip(parts, writer.names, packed, strict=True):
        positions = writer.accessor(
            view(mesh.positions, 8, mesh.count, "ATTRIBUTES", _ARRAY),
            _U16,
            mesh.count,
            "VEC3",
            min=[0, 0, 0],
            max=list(mesh.largest),
        )
        # The largest 16-bit index is kept free by glTF for restarting strips.
        short = mesh.count <= 65535
        indices = writer.accessor(
            view(mesh.indices, 2 if short else 4, mesh.triangles * 3, "TRIANGLES", _INDICES),
            _U16 if short else _U32,
            mesh.triangles * 3,
            "SCALAR",
        )
        attributes = {"POSITION": positions}
        if mesh.distances:
            values = view(mesh.distances, 4, mesh.count, "ATTRIBUTES", _ARRAY)
            attributes["_DISTANCE_MM"] = writer.accessor(values, _F32, mesh.count, "SCALAR")
        place = {"translation": list(mesh.lowest), "scale": [mesh.step] * 3}
        writer.node(part, name, attributes, indices, **place)
    if parts:
        names = ["EXT_meshopt_compression", "KHR_mesh_quantization"]
        writer.document |= {"extensionsUsed": names, "extensionsRequired": names}
    empty = {"byteLength": unpacked, "extensions": {"EXT_meshopt_compression": {"fallback": True}}}
    return writer.finish([{"byteLength": writer.length}, empty])
