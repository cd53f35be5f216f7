"""Labelmap to raw surfaces: SurfaceNets, one pass over all labels.

vtkSurfaceNets3D meets every border between two labels once and smooths it within a voxel, so neighbours fit without a
gap. It shrinks what is small; `meshes.restore_volume` gives that back.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.surface import kernels

_vtk_threads = threading.Lock()
ITERATIONS = 16


@dataclass(frozen=True)
class Nets:
    """All borders of a labelmap. `points` (n, 3) float32 in fractional indices (k, j, i) of the whole labelmap;
    `triangles` (m, 3) turn outward from `sides[:, 0]` where (i, j, k) are taken as a right-handed frame; `sides` (m, 2)
    are the labels behind and in front of each triangle, 0 outside all of them."""

    points: NDArray
    triangles: NDArray
    sides: NDArray


def find_borders(
    labelmap: NDArray, spacing_mm: tuple[float, float, float], labels: list[int], threads: int, smooth: bool = True
) -> Nets:
    """labelmap (k, j, i) uint8 -> Nets of `labels`; other values count as outside."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkSMPTools
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D

    low, high = kernels.occupied_box(labelmap)
    if not labels or low[0] > high[0]:
        return Nets(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32), np.zeros((0, 2), np.uint8))
    # A rim of zeros closes what touches the volume's edge.
    block = np.zeros(tuple(h - lo + 3 for lo, h in zip(low, high, strict=True)), np.uint8)
    block[1:-1, 1:-1, 1:-1] = labelmap[tuple(slice(lo, h + 1) for lo, h in zip(low, high, strict=True))]
    image = vtkImageData()
    image.SetDimensions(*block.shape[::-1])
    image.SetSpacing(*spacing_mm[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(block.ravel(), deep=False))
    nets = vtkSurfaceNets3D()
    nets.SetInputData(image)
    nets.SetNumberOfLabels(len(labels))
    for place, label in enumerate(labels):
        nets.SetLabel(place, int(label))
    nets.SetBackgroundLabel(0)
    nets.SetOutputMeshTypeToTriangles()
    nets.SetOutputStyleToDefault()
    nets.SetSmoothing(smooth)
    if smooth:
        nets.SetNumberOfIterations(ITERATIONS)
        nets.SetRelaxationFactor(0.5)
    with _vtk_threads:  # the number of threads is a setting of the whole process
        vtkSMPTools.SetBackend("STDThread")
        vtkSMPTools.Initialize(threads or os.cpu_count() or 1)
        nets.Update()
    out = nets.GetOutput()
    if not out.GetNumberOfPolys():
        return Nets(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32), np.zeros((0, 2), np.uint8))
    xyz = vtk_to_numpy(out.GetPoints().GetData())
    step = np.array(spacing_mm, np.float32)
    points = xyz[:, ::-1] / step + np.array([v - 1 for v in low], np.float32)
    triangles = vtk_to_numpy(out.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.uint32)
    sides = vtk_to_numpy(out.GetCellData().GetArray("BoundaryLabels")).astype(np.uint8)
    return Nets(points, triangles, sides)
