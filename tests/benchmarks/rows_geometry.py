"""Rows 1, 4, 6, 7 and 8: the chain from files to surfaces, resampling, true surfaces, equal bytes, small files.

Every side runs in its own process (sides.py); the sides' answers are compared before a ratio counts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.inputs import LABELS, Case, ct_case, is_small
from tests.benchmarks.sides import Measured, measure

Row = dict[str, Any]
HERE = "tests.benchmarks.rows_geometry"
RESAMPLED_MM = 1.5
WINDOW = (-1000.0, 1000.0)


def row(
    name: str,
    what: str,
    ours: Measured,
    peer: str,
    version: str,
    theirs: Measured,
    goal: str,
    ratio: float,
    within: bool,
    why_wrong: str,
    inputs: str,
    reason: str = "",
) -> Row:
    """One row; `why_wrong` says where the outputs differ, and then the row does not count."""
    if why_wrong:
        within, reason = False, f"the row does not count: {why_wrong}"
    elif not within and not reason:
        reason = "missed the goal in this run"
    if is_small():
        reason = f"small inputs, goals are for large ones. {reason}".strip()
    return {
        "name": name,
        "what": what,
        "ours_cpu_s": round(ours.cpu_s, 4),
        "ours_wall_s": round(ours.wall_s, 4),
        "ours_peak_mib": round(ours.peak_mib, 1),
        "peer": peer,
        "peer_version": version,
        "peer_cpu_s": round(theirs.cpu_s, 4),
        "repeats": ours.repeats,
        "spread": ours.spread,
        "ratio": round(ratio, 3),
        "goal": goal,
        "within_goal": bool(within),
        "reason": reason,
        "inputs_sha256": inputs,
    }


# --- row 1: series and labels to surfaces ----------------------------------------------------------------------------


def _chain(threads: int) -> Callable[[], tuple[dict[str, float], list[Any], bytes]]:
    """Ours: the series by the fast reader, 40 labels to the browser's file -> (facts of the volume, surfaces, file).

    As in `reconstruct`, the volume is let go before surfaces are made: they need the labels alone.
    """
    from dataclasses import replace

    import nibabel

    from recon_engine.dicom import read_series
    from recon_engine.phantoms import sphere_phantom
    from recon_engine.surface import Part, Wanted, browser_glb, make_surfaces

    case = ct_case()
    files = case.series
    read_series(files)
    make_surfaces(sphere_phantom(8.0).labels, [Wanted(1)], threads)  # loads what is compiled

    def work() -> tuple[dict[str, float], list[Any], bytes]:
        volume = read_series(files)
        facts = {"hu_mean": float(volume.voxels[::40].mean()), "raw_bytes": volume.voxels.size * 2}
        labels = np.asarray(nibabel.load(case.labels_nifti).dataobj).transpose(2, 1, 0)
        labelmap = replace(volume, voxels=labels)
        del volume
        made = make_surfaces(labelmap, [Wanted(n) for n in range(1, LABELS + 1)], threads)
        parts = [Part(s.number, f"Label {s.number}", "#FB9202", s.mesh) for s in made]
        return facts, made, browser_glb(parts, {"unit": "mm"}, "", [s.packed for s in made if s.packed])

    return work


def side_chain(threads: int = 2) -> Callable[[], dict[str, Any]]:
    chain_once = _chain(threads)

    def work() -> dict[str, Any]:
        facts, made, glb = chain_once()
        triangles = sum(len(s.mesh.triangles) for s in made)
        return {
            "glb_bytes": len(glb),
            "glb_sha256": hashlib.sha256(glb).hexdigest(),
            "stl_bytes": sum(84 + 50 * len(s.mesh.triangles) for s in made),
            "triangles": triangles,
            **facts,
        }

    return work


def side_chain_truth(threads: int = 2) -> Callable[[], dict[str, Any]]:
    """What row 1 checks and does not time: closedness and volume of every surface."""
    chain_once = _chain(threads)

    def work() -> dict[str, Any]:
        _, made, _ = chain_once()
        return {
            "open": [s.number for s in made if not s.mesh.is_closed()],
            "mesh_mm3": {str(s.number): s.mesh.measure()[0] for s in made},
            "voxel_mm3": {str(s.number): s.volume_mm3 for s in made},
        }

    return work


def side_chain_peer() -> Callable[[], dict[str, Any]]:
    """The script most people write: pydicom loop, get_fdata, marching cubes per label on the whole mask, trimesh."""
    import nibabel
    import pydicom
    import trimesh
    from skimage.measure import marching_cubes

    case = ct_case()

    def work() -> dict[str, Any]:
        slices = [pydicom.dcmread(path) for path in case.series]
        slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
        volume = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
        labels = nibabel.load(case.labels_nifti).get_fdata()
        scene = trimesh.Scene()
        volumes = {}
        for label in range(1, LABELS + 1):
            vertices, faces, _, _ = marching_cubes(labels == label, 0.5, spacing=case.spacing_mm[::-1])
            mesh = trimesh.Trimesh(vertices, faces)
            trimesh.smoothing.filter_taubin(mesh, iterations=20)
            mesh = mesh.simplify_quadric_decimation(percent=0.9)
            volumes[str(label)] = float(abs(mesh.volume))
            scene.add_geometry(mesh, node_name=str(label))
        data = scene.export(file_type="glb")
        return {"glb_bytes": len(data), "mesh_mm3": volumes, "hu_mean": float(volume[::40].mean())}

    return work


def side_parts(threads: int = 2) -> Callable[[], dict[str, Any]]:
    """The two library parts alone: the fast read, and vtkSurfaceNets3D over all labels."""
    import nibabel
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkSMPTools
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D

    from recon_engine.dicom import read_series

    case = ct_case()
    files = case.series
    read_series(files)
    vtkSMPTools.SetBackend("STDThread")
    vtkSMPTools.Initialize(threads)

    def work() -> dict[str, Any]:
        volume = read_series(files)
        labels = np.ascontiguousarray(np.asarray(nibabel.load(case.labels_nifti).dataobj).transpose(2, 1, 0))
        image = vtkImageData()
        image.SetDimensions(*labels.shape[::-1])
        image.SetSpacing(*case.spacing_mm[::-1])
        image.GetPointData().SetScalars(numpy_to_vtk(labels.ravel(), deep=False))
        nets = vtkSurfaceNets3D()
        nets.SetInputData(image)
        nets.SetNumberOfLabels(LABELS)
        for n in range(LABELS):
            nets.SetLabel(n, n + 1)
        nets.SetBackgroundLabel(0)
        nets.SetOutputMeshTypeToTriangles()
        nets.SetSmoothing(True)
        nets.SetNumberOfIterations(16)
        nets.SetRelaxationFactor(0.5)
        nets.Update()
        return {"triangles": nets.GetOutput().GetNumberOfPolys(), "hu_mean": float(volume.voxels[::40].mean())}

    return work


def chain() -> list[Row]:
    """Goal 1."""
    import skimage
    import trimesh
    import vtk

    case = ct_case()
    ours = measure(f"{HERE}:side_chain", 5)
    truth = measure(f"{HERE}:side_chain_truth", 1).values
    parts = measure(f"{HERE}:side_parts", 5)
    peer = measure(f"{HERE}:side_chain_peer", 1)
    wrong = ""
    if truth["open"]:
        wrong = f"open surfaces: {truth['open']}"
    if abs(ours.values["hu_mean"] - peer.values["hu_mean"]) > 1e-6:
        wrong = "the volumes differ"
    off = {n: abs(truth["mesh_mm3"][n] / v - 1) for n, v in truth["voxel_mm3"].items()}
    if max(off.values()) > 0.005:
        wrong = f"label {max(off, key=off.__getitem__)} is {max(off.values()):.1%} off its voxels' volume"
    apart = {n: abs(peer.values["mesh_mm3"][n] / v - 1) for n, v in truth["mesh_mm3"].items()}
    # The peer's surfaces shrink by what smoothing and thinning take; on coarse voxels that is more.
    if np.median(list(apart.values())) > (0.1 if is_small() else 0.03):
        wrong = f"volumes are {np.median(list(apart.values())):.1%} from the peer's in the middle"
    what = f"{case.shape[0]} slices and {LABELS} labels to closed, thinned, volume-true, packed surfaces"
    name = "pydicom, nibabel, scikit-image, trimesh"
    version = f"scikit-image {skimage.__version__}, trimesh {trimesh.__version__}"
    ratio, memory = peer.cpu_s / ours.cpu_s, peer.peak_mib / ours.peak_mib
    over = ours.cpu_s / parts.cpu_s
    return [
        row("chain", what, ours, name, version, peer, ">= 40x less CPU", ratio, ratio >= 40, wrong, case.sha256),
        row("chain_memory", f"{what}: peak memory {ours.peak_mib:.0f} against {peer.peak_mib:.0f} MiB", ours, name,
            version, peer, ">= 5x less memory", memory, memory >= 5, wrong, case.sha256),
        row("chain_parts", what, ours, "fast read + vtkSurfaceNets3D alone", f"vtk {vtk.VTK_VERSION}", parts,
            "<= 3.4x", over, over <= 3.4, wrong, case.sha256),
    ]  # fmt: skip


# --- row 4: resample and scale ----------------------------------------------------------------------------------------


def _resample_case() -> tuple[Case, np.ndarray, tuple[int, int, int]]:
    case = ct_case()
    voxels = np.load(case.voxels)
    shape = tuple(round(n * s / RESAMPLED_MM) for n, s in zip(voxels.shape, case.spacing_mm, strict=True))
    return case, voxels, shape  # type: ignore[return-value]


def _probe(values: np.ndarray) -> list[float]:
    """Numbers spread over an array, to compare it across processes."""
    return [float(v) for v in values.ravel()[:: max(values.size // 20_000, 1)]]


def side_resample() -> Callable[[], dict[str, Any]]:
    from recon_engine.preprocess.resample import resample
    from recon_engine.volume import Volume

    _, voxels, shape = _resample_case()
    volume = Volume(voxels, np.eye(4))
    resample(Volume(voxels[:4, :8, :8], np.eye(4)), (4, 4, 4), WINDOW, prefilter=False, threads=2)

    def work() -> dict[str, Any]:
        return {"probe": _probe(resample(volume, shape, WINDOW, prefilter=False, threads=2).voxels)}

    return work


def side_resample_peer() -> Callable[[], dict[str, Any]]:
    import torch
    from torch.nn import functional

    torch.set_num_threads(2)
    _, voxels, shape = _resample_case()

    def work() -> dict[str, Any]:
        tensor = torch.from_numpy(voxels).float()[None, None]
        tensor = functional.interpolate(tensor, size=shape, mode="trilinear", align_corners=False)
        tensor = tensor.add_(-WINDOW[0]).div_(WINDOW[1] - WINDOW[0]).clamp_(0, 1)
        return {"probe": _probe(tensor[0, 0].numpy())}

    return work


def side_copy() -> Callable[[], dict[str, Any]]:
    """A copy of the input into fresh memory, as the resampled volume lies in fresh memory too."""
    _, voxels, _ = _resample_case()

    def work() -> dict[str, Any]:
        return {"last": int(voxels.copy()[-1, -1, -1])}

    return work


def resampling() -> list[Row]:
    """Goal 4."""
    import torch

    case = ct_case()
    ours = measure(f"{HERE}:side_resample", 7)
    peer = measure(f"{HERE}:side_resample_peer", 3)
    copy = measure(f"{HERE}:side_copy", 9)
    difference = float(np.abs(np.subtract(ours.values["probe"], peer.values["probe"])).max())
    wrong = "" if difference < 1e-5 else f"values differ by {difference:.2g}"
    what = f"int16 volume to {RESAMPLED_MM} mm, clipped and scaled; largest difference {difference:.1e}"
    less, over = peer.cpu_s / ours.cpu_s, ours.cpu_s / copy.cpu_s
    return [
        row("resample", what, ours, "torch F.interpolate", torch.__version__, peer, ">= 5x less", less, less >= 5,
            wrong, case.sha256),
        row("resample_copy", what, ours, "memcpy of the input", np.__version__, copy, "<= 3x", over, over <= 3, wrong,
            case.sha256),
    ]  # fmt: skip


# --- row 6: balls ------------------------------------------------------------

_OFFSETS = ((0.31, 0.17, 0.43), (0.05, 0.48, 0.22), (0.5, 0.5, 0.5))
_FINE = (1.0, 0.78125, 0.78125)


def _errors(vertices: np.ndarray, faces: np.ndarray, centre: np.ndarray, radius: float) -> dict[str, float]:
    """Mean distance in mm (vertices, triangle and edge middles), normals in degrees, volume error as a share."""
    points = np.asarray(vertices, np.float64) - centre
    corners = points[faces]
    probes = np.concatenate([points, corners.mean(1), (corners[:, 0] + corners[:, 1]) / 2])
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    out = corners.mean(1) / np.linalg.norm(corners.mean(1), axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", cross / np.maximum(area, 1e-12)[:, None], out), -1, 1)))
    volume = abs(np.einsum("ij,ij->", corners[:, 0], cross)) / 6
    return {
        "distance_mm": float(np.abs(np.linalg.norm(probes, axis=1) - radius).mean()),
        "normal_degrees": float((angle * area).sum() / area.sum()),
        "volume_error": float(volume / (4 / 3 * np.pi * radius**3) - 1),
        "triangles": float(len(faces)),
    }


def side_balls(radius: float) -> Callable[[], dict[str, Any]]:
    from recon_engine.phantoms import sphere_phantom
    from recon_engine.surface import Wanted, make_surfaces

    made = [sphere_phantom(radius, _FINE, offset) for offset in _OFFSETS]
    whole = float(np.mean([len(make_surfaces(m.labels, [Wanted(1)], 1, keep=1.0)[0].mesh.triangles) for m in made]))

    def work() -> dict[str, Any]:
        found = [make_surfaces(m.labels, [Wanted(1)], 1)[0] for m in made]
        errors = [
            _errors(s.mesh.vertices, s.mesh.triangles, np.array(m.points_mm["centre"]), radius)
            for s, m in zip(found, made, strict=True)
        ]
        counting = [abs(s.volume_mm3 / (4 / 3 * np.pi * radius**3) - 1) for s in found]
        return {**_middle(errors), "counting_error": float(np.mean(counting)), "whole": whole}

    return work


def side_balls_peer(radius: float) -> Callable[[], dict[str, Any]]:
    import fast_simplification
    import trimesh
    from skimage.measure import marching_cubes

    from recon_engine.phantoms import sphere_phantom

    made = [sphere_phantom(radius, _FINE, offset) for offset in _OFFSETS]

    def work() -> dict[str, Any]:
        errors = []
        for m in made:
            vertices, faces, _, _ = marching_cubes(m.labels.voxels.astype(np.float32), 0.5, spacing=_FINE)
            mesh = trimesh.Trimesh(vertices, faces, process=False)
            trimesh.smoothing.filter_taubin(mesh, iterations=20)
            points, faces = fast_simplification.simplify(
                np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), target_reduction=0.9
            )
            lps = points[:, ::-1] + m.labels.affine[:3, 3]
            errors.append(_errors(lps, faces, np.array(m.points_mm["centre"]), radius))
        return _middle(errors)

    return work


def _middle(errors: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([abs(e[name]) for e in errors])) for name in errors[0]}


def balls() -> list[Row]:
    """Goal 6."""
    import skimage

    rows = []
    for radius in (6.0, 10.0, 15.0, 25.0, 40.0):
        ours = measure(f"{HERE}:side_balls", 1, radius=radius)
        peer = measure(f"{HERE}:side_balls_peer", 1, radius=radius)
        v, p = ours.values, peer.values
        share = v["triangles"] / v["whole"]
        fits = v["distance_mm"] <= 0.05 and v["normal_degrees"] <= 3.5
        fits = fits and v["volume_error"] <= v["counting_error"] + 0.005 and share <= 0.101
        reason = ""
        if not fits:
            reason = f"{v['triangles']:.0f} triangles are {share:.0%} of the whole"
            if share > 0.101:
                reason += ": fewer than 500 are never kept, a tenth of so small a ball cannot come within 0.05 mm"
        what = (
            f"ball of {radius:g} mm: distance {v['distance_mm']:.3f} mm (peer {p['distance_mm']:.3f}), normals "
            f"{v['normal_degrees']:.1f} (peer {p['normal_degrees']:.1f}) degrees, volume {v['volume_error']:.2%} off "
            f"(peer {p['volume_error']:.2%}, counting voxels {v['counting_error']:.2%}), {share:.0%} of the triangles"
        )
        apart = abs(v["volume_error"] - p["volume_error"])
        wrong = "" if apart < 0.3 else "not the same ball as the peer's"
        digest = hashlib.sha256(f"{radius}{_FINE}{_OFFSETS}".encode()).hexdigest()
        rows.append(
            row(f"ball_{radius:g}", what, ours, "marching cubes + Taubin + fast-simplification",
                f"scikit-image {skimage.__version__}", peer, "<= 0.05 mm, <= 3.5 degrees, <= 10 % of the triangles",
                v["distance_mm"] / max(p["distance_mm"], 1e-9), fits, wrong, digest, reason)
        )  # fmt: skip
    return rows


# --- rows 7 and 8: equal bytes, small files ------------------------------------------------------------


def same_bytes() -> Row:
    """Goal 7: a process each with 1, 2 and all threads, and a second run."""
    case = ct_case()
    many = max(os.cpu_count() or 1, 4)
    runs = [measure(f"{HERE}:side_chain", 1, threads=n) for n in (1, 2, many, 2)]
    hashes = {run.values["glb_sha256"] for run in runs}
    what = f"the browser's file from 1, 2 and {many} threads and a second run: {len(hashes)} version of its bytes"
    return row("same_bytes", what, runs[1], "itself on one thread", "", runs[0], "1 version", float(len(hashes)),
               len(hashes) == 1, "", case.sha256)  # fmt: skip


def sizes() -> list[Row]:
    """Goal 8."""
    case = ct_case()
    ours = measure(f"{HERE}:side_chain", 1)
    v = ours.values
    of_ct, of_stl = v["glb_bytes"] / v["raw_bytes"], v["glb_bytes"] / v["stl_bytes"]
    what = f"{LABELS} surfaces, {v['triangles']} triangles: {v['glb_bytes'] / 2**20:.2f} MiB"
    return [
        row("size_of_ct", what, ours, f"raw CT, {v['raw_bytes'] / 2**20:.0f} MiB", "", ours, "<= 1 %", of_ct,
            of_ct <= 0.01, "", case.sha256),
        row("size_of_stl", what, ours, f"binary STL, {v['stl_bytes'] / 2**20:.1f} MiB", "", ours, "<= 1/10", of_stl,
            of_stl <= 0.1, "", case.sha256),
    ]  # fmt: skip


ROWS: dict[str, Callable[[], Row | list[Row]]] = {
    "chain": chain,
    "resample": resampling,
    "ball": balls,
    "same_bytes": same_bytes,
    "size": sizes,
}
