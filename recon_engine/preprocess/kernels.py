"""Resampling loops compiled by numba: separable weights per axis, one pass over the output. Each works on the
output's planes `begin` to `end`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon_engine.compiled import loop


@loop(fastmath={"reassoc", "contract", "nsz", "arcp"})
def linear(
    begin: int,
    end: int,
    v: NDArray,
    iz: NDArray,
    wz: NDArray,
    iy: NDArray,
    wy: NDArray,
    ix: NDArray,
    wx: NDArray,
    scale: float,
    shift: float,
    low: float,
    high: float,
    out: NDArray,
) -> None:
    """out = clip(trilinear(v) * scale + shift, low, high); i*: lower neighbour, w*: share of the upper one."""
    nx = v.shape[2]
    lo, hi = np.float32(low), np.float32(high)
    s = np.float32(shift)
    row = np.empty(nx, np.float32)
    for z in range(begin, end):
        a, c = v[iz[z]], v[min(iz[z] + 1, v.shape[0] - 1)]
        f = wz[z]
        for y in range(out.shape[1]):
            j, g = iy[y], wy[y]
            j1 = min(j + 1, v.shape[1] - 1)
            w00 = np.float32((1 - f) * (1 - g) * scale)
            w01 = np.float32((1 - f) * g * scale)
            w10 = np.float32(f * (1 - g) * scale)
            w11 = np.float32(f * g * scale)
            p0, p1, q0, q1 = a[j], a[j1], c[j], c[j1]
            for x in range(nx):
                row[x] = w00 * p0[x] + w01 * p1[x] + w10 * q0[x] + w11 * q1[x] + s
            o = out[z, y]
            for x in range(out.shape[2]):
                i = ix[x]
                i1 = min(i + 1, nx - 1)
                t = row[i] + wx[x] * (row[i1] - row[i])
                o[x] = min(max(t, lo), hi)


@loop(fastmath={"reassoc", "contract", "nsz", "arcp"})
def taps(
    begin: int,
    end: int,
    v: NDArray,
    iz: NDArray,
    wz: NDArray,
    iy: NDArray,
    wy: NDArray,
    ix: NDArray,
    wx: NDArray,
    scale: float,
    shift: float,
    low: float,
    high: float,
    out: NDArray,
) -> None:
    """As `linear` with any number of taps: i* first neighbour per output index, w* (n, taps) weights that sum to 1."""
    nz, ny, nx = v.shape
    lo, hi = np.float32(low), np.float32(high)
    k, s = np.float32(scale), np.float32(shift)
    row = np.empty(nx, np.float32)
    for z in range(begin, end):
        for y in range(out.shape[1]):
            row[:] = 0
            for a in range(wz.shape[1]):
                plane = v[min(iz[z] + a, nz - 1)]
                for b in range(wy.shape[1]):
                    w = wz[z, a] * wy[y, b]
                    if w == 0:
                        continue
                    line = plane[min(iy[y] + b, ny - 1)]
                    for x in range(nx):
                        row[x] += w * line[x]
            o = out[z, y]
            for x in range(out.shape[2]):
                t = np.float32(0)
                for c in range(wx.shape[1]):
                    t += wx[x, c] * row[min(ix[x] + c, nx - 1)]
                o[x] = min(max(t * k + s, lo), hi)


@loop()
def nearest(begin: int, end: int, v: NDArray, iz: NDArray, iy: NDArray, ix: NDArray, out: NDArray) -> None:
    """out[z, y, x] = v[iz[z], iy[y], ix[x]]."""
    for z in range(begin, end):
        for y in range(out.shape[1]):
            row = v[iz[z], iy[y]]
            o = out[z, y]
            for x in range(out.shape[2]):
                o[x] = row[ix[x]]
