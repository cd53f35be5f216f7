"""Phantoms: volumes whose truth is known because formulae drew them. No person is in them.

python -m recon_engine.phantoms OUT --seed N --kind torso     writes a DICOM CT series
"""

from recon_engine.phantoms.torso import TORSO_NAMES, Lesion, Phantom, make_torso, torso_phantom

__all__ = ["TORSO_NAMES", "Lesion", "Phantom", "make_torso", "torso_phantom"]
