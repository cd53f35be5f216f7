"""Slices made smaller for a slow line: row differences, folded to small numbers, low bytes before high, deflated.

On a CT of 512 x 512 this is 37 % of the raw bytes where HTJ2K is 33 % and plain deflate 48 %; the browser inflates it
natively at about 290 MB/s. The browser's half is frontend/static/lamina/geometry/packing.js.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

LEVEL = 1  # level 6 saves 3 % of the bytes and takes 40 % longer


def packed(stored: NDArray[np.int16]) -> bytes:
    """Raw deflate of int16 slices (k, j, i)."""
    steps = stored.copy()
    np.subtract(stored[..., 1:], stored[..., :-1], out=steps[..., 1:])  # wraps round at 16 bits, as reading does
    folded = ((steps << 1) ^ (steps >> 15)).view(np.uint16)
    planes = np.concatenate([(folded & 255).astype(np.uint8).ravel(), (folded >> 8).astype(np.uint8).ravel()])
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return packer.compress(planes) + packer.flush()
