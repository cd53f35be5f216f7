"""Volume to volume: values, noise, contrast, grid, and simple segmentation.

Every function takes a Volume and leaves it as it was. Functions that can be taken back give a `Change`, whose `undo`
brings a volume, or labels made on it, back to the old values or the old grid; filters cannot be taken back, so their
caller keeps the volume they were given.
"""

from recon_engine.preprocess.bias import bias_field
from recon_engine.preprocess.filters import (
    bilateral,
    clahe,
    gaussian,
    median,
    non_local_means,
    sharpen,
)
from recon_engine.preprocess.grid import Change, crop, crop_to, flip, resampled
from recon_engine.preprocess.onto import onto
from recon_engine.preprocess.regions import grow_region, otsu_threshold, threshold
from recon_engine.preprocess.resample import back_to_grid, grid_for, resample
from recon_engine.preprocess.values import normalise, window, z_score

__all__ = [
    "Change",
    "back_to_grid",
    "bias_field",
    "bilateral",
    "clahe",
    "crop",
    "crop_to",
    "flip",
    "gaussian",
    "grid_for",
    "grow_region",
    "median",
    "non_local_means",
    "normalise",
    "onto",
    "otsu_threshold",
    "resample",
    "resampled",
    "sharpen",
    "threshold",
    "window",
    "z_score",
]
