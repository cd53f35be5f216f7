"""lv-cine-mr: the left ventricle's endocardium in short-axis cine MR, slice by slice.

So far the training and its measurement; it is not offered as an algorithm until a whole cine goes through it.
"""

from __future__ import annotations

from recon_engine.recipes.configuration import Augmentation, NetworkConfiguration, Recipe

NAME, VERSION = "lv-cine-mr", "1"
BOX = (1, 256, 256)  # pixels; the set's slices as they are


def recipe() -> Recipe:
    """The whole training: single slices, at half resolution with a refining stage."""
    return Recipe(
        name=NAME,
        version=VERSION,
        data="cine",
        segments=("endocardium",),
        box=BOX,
        network=NetworkConfiguration(outputs=2, channels=(16, 32, 64, 128), flat=True, refine=4),
        augmentation=Augmentation(
            rotate_degrees=30,
            scale=0.2,
            shift_voxels=16,
            elastic_voxels=6,
            mirror_axes=(1, 2),
            gamma=0.4,
            contrast=0.2,
            brightness=0.2,
            bias=0.3,
            noise=0.15,
            blur_probability=0.2,
        ),
        steps=900,
        horizon=1100,
        cooldown=150,
        batch=8,
        learning_rate=3e-3,
        average=0.995,
        precision="bfloat16",
        seed=0,
        test_time_mirror=(2,),
    )
