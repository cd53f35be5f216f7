"""meshoptimizer, called by ctypes in the library that the imagecodecs wheel carries.

Building meshoptimizer from source needs a C++ compiler, which the machines Lamina runs on may lack; imagecodecs is
installed for DICOM anyway and brings the whole library. It is looked for by pattern and its exports are checked, so
a wheel without it is noticed at start and `simplify` falls back to fast-simplification, which is not safe in threads
and therefore runs in one process at a time. Calls release the GIL.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_EXPORTS = (
    "meshopt_simplifyWithUpdate",
    "meshopt_optimizeVertexCache",
    "meshopt_optimizeVertexFetchRemap",
    "meshopt_encodeVertexBufferLevel",
    "meshopt_encodeVertexBufferBound",
    "meshopt_encodeIndexBuffer",
    "meshopt_encodeIndexBufferBound",
)
_one_at_a_time = threading.Lock()


@cache
def library() -> ctypes.CDLL | None:
    """The shared library with every function this module calls, or None."""
    spec = importlib.util.find_spec("imagecodecs")  # its folder is enough; importing it would load every codec
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for folder in (package.parent / "imagecodecs.libs", package / ".libs", package):
        for path in sorted(folder.glob("*meshoptimizer*")):
            try:
                found = ctypes.CDLL(str(path))
            except OSError:
                continue
            if all(hasattr(found, name) for name in _EXPORTS):
                return _typed(found)
    return None


def _typed(found: ctypes.CDLL) -> ctypes.CDLL:
    size, pointer, real, integer = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_float, ctypes.c_int
    shapes = {
        "meshopt_simplifyWithUpdate": (
            size,
            # indices, positions, attributes with their weights, locks, target, error, options, reached error
            [
                pointer,
                size,
                pointer,
                size,
                size,
                pointer,
                size,
                pointer,
                size,
                pointer,
                size,
                real,
                ctypes.c_uint,
                pointer,
            ],
        ),
        "meshopt_optimizeVertexCache": (None, [pointer, pointer, size, size]),
        "meshopt_optimizeVertexFetchRemap": (size, [pointer, pointer, size, size]),
        "meshopt_encodeVertexBufferLevel": (size, [pointer, size, pointer, size, size, integer, integer]),
        "meshopt_encodeVertexBufferBound": (size, [size, size]),
        "meshopt_encodeIndexBuffer": (size, [pointer, size, pointer, size]),
        "meshopt_encodeIndexBufferBound": (size, [size, size]),
    }
    for name, (answer, arguments) in shapes.items():
        function = getattr(found, name)
        function.restype, function.argtypes = answer, arguments
    return found


def simplify(vertices: NDArray, triangles: NDArray, target: int, error: float = 1.0) -> tuple[NDArray, NDArray]:
    """A surface of about `target` triangles whose vertices lie where its error is smallest.

    vertices (n, 3) float32, triangles (m, 3) uint32 -> the same kinds. `error` is the largest one allowed, as a
    share of the surface's extent. Closed surfaces stay closed. Equal input gives equal bytes, from any thread.
    """
    found = library()
    if found is None:
        return _simplify_elsewhere(vertices, triangles, target)
    # Both are changed in place. Moving the vertices takes a third off the error of keeping some of the old ones.
    vertices = np.array(vertices, np.float32, order="C")
    indices = np.array(triangles, np.uint32, order="C")
    kept = found.meshopt_simplifyWithUpdate(
        indices.ctypes.data,
        indices.size,
        vertices.ctypes.data,
        len(vertices),
        12,
        None,
        0,
        None,
        0,
        None,
        target * 3,
        error,
        0,
        None,
    )
    return compact(vertices, indices.ravel()[:kept].reshape(-1, 3))


def compact(vertices: NDArray, triangles: NDArray) -> tuple[NDArray, NDArray]:
    """Drop the vertices that no triangle uses; order is kept."""
    used = np.zeros(len(vertices), bool)
    used[triangles.ravel()] = True
    place = np.cumsum(used, dtype=np.uint32) - 1
    return vertices[used], place[triangles]


_ELSEWHERE = """
import json, sys
import numpy as np
import fast_simplification
v, f, target = (int(a) for a in sys.argv[1:])
data = sys.stdin.buffer.read()
points = np.frombuffer(data, np.float32, v * 3).reshape(-1, 3).copy()
faces = np.frombuffer(data, np.int32, f * 3, v * 12).reshape(-1, 3).copy()
points, faces = fast_simplification.simplify(points, faces, target_reduction=max(0.0, 1 - target / max(f, 1)))
head = json.dumps([len(points), len(faces)]).encode() + b"\\n"
sys.stdout.buffer.write(head + points.astype(np.float32).tobytes() + faces.astype(np.uint32).tobytes())
"""


def _simplify_elsewhere(vertices: NDArray, triangles: NDArray, target: int) -> tuple[NDArray, NDArray]:
    """fast-simplification gives wrong surfaces from two threads: its own process, one at a time."""
    points, faces = np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32)
    command = [sys.executable, "-c", _ELSEWHERE, str(len(points)), str(len(faces)), str(target)]
    with _one_at_a_time:
        answer = subprocess.run(command, input=points.tobytes() + faces.tobytes(), capture_output=True, check=True)
    head, body = answer.stdout.split(b"\n", 1)
    n, m = json.loads(head)
    return np.frombuffer(body, np.float32, n * 3).reshape(-1, 3), np.frombuffer(body, np.uint32, m * 3, n * 12).reshape(
        -1, 3
    )


def reorder(vertices: NDArray, triangles: NDArray) -> tuple[NDArray, NDArray]:
    """The same surface in the order the encoders shrink best and graphics cards like best."""
    found = library()
    if found is None or not len(triangles):
        return vertices, triangles
    indices = np.ascontiguousarray(triangles, np.uint32)
    ordered = np.empty_like(indices)
    found.meshopt_optimizeVertexCache(ordered.ctypes.data, indices.ctypes.data, indices.size, len(vertices))
    place = np.empty(len(vertices), np.uint32)
    count = found.meshopt_optimizeVertexFetchRemap(place.ctypes.data, ordered.ctypes.data, ordered.size, len(vertices))
    out = np.empty((count, *vertices.shape[1:]), vertices.dtype)
    kept = place < count
    out[place[kept]] = vertices[kept]
    return out, place[ordered]


def encode_vertices(rows: NDArray) -> bytes:
    """rows (n, ...) contiguous, 4 to 256 bytes each in steps of 4 -> a stream of EXT_meshopt_compression ATTRIBUTES.

    Raises RuntimeError where the library is missing.
    """
    found = _required()
    rows = np.ascontiguousarray(rows)
    size = rows.nbytes // max(len(rows), 1)
    out = np.empty(found.meshopt_encodeVertexBufferBound(len(rows), size), np.uint8)
    # The extension knows version 0 of the vertex codec only; the library's default is newer.
    used = found.meshopt_encodeVertexBufferLevel(out.ctypes.data, out.size, rows.ctypes.data, len(rows), size, 2, 0)
    return out[:used].tobytes()


def encode_triangles(triangles: NDArray, vertices: int) -> bytes:
    """triangles (m, 3) -> a stream of EXT_meshopt_compression TRIANGLES."""
    found = _required()
    indices = np.ascontiguousarray(triangles, np.uint32)
    out = np.empty(found.meshopt_encodeIndexBufferBound(indices.size, vertices), np.uint8)
    used = found.meshopt_encodeIndexBuffer(out.ctypes.data, out.size, indices.ctypes.data, indices.size)
    return out[:used].tobytes()


def _required() -> ctypes.CDLL:
    found = library()
    if found is None:
        raise RuntimeError("no meshoptimizer: install the pinned imagecodecs wheel")
    return found
