"""SOP classes (DICOM PS3.4 annex B.5) that are not plain slices, and modalities that make a volume."""

from __future__ import annotations

_STORAGE = "1.2.840.10008.5.1.4.1.1."

DICOMDIR = "1.2.840.10008.1.3.10"

ENHANCED = frozenset(_STORAGE + end for end in ("2.1", "4.1", "128.1", "2.2", "4.4", "130"))
"""Enhanced and legacy converted CT, MR and PET: many frames in one file, each with its own geometry."""

SECONDARY_CAPTURE = frozenset(_STORAGE + end for end in ("7", "7.1", "7.2", "7.3", "7.4"))
ULTRASOUND = frozenset(_STORAGE + end for end in ("3", "3.1", "6", "6.1", "6.2"))

_DERIVED_PREFIXES = tuple(
    _STORAGE + end
    for end in ("66.", "88.", "11.", "9.", "104.", "481.", "67", "30", "200.", "78.", "79.1", "80.1", "81.1", "68.")
)

VOLUME_MODALITIES = ("CT", "MR", "PT")


def is_derived(sop_class: str, modality: str) -> bool:
    """Objects made from images (segmentations, structure sets, reports, presentations, waveforms, RT)."""
    if sop_class.startswith(_DERIVED_PREFIXES) or sop_class == _STORAGE + "66":
        return not sop_class.startswith(_STORAGE + "481.1.") and sop_class != _STORAGE + "481.1"
    return modality in ("SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "RTRECORD", "SR", "PR", "KO", "REG", "FID", "DOC", "ECG")


def is_withheld(sop_class: str, modality: str) -> bool:
    """Kinds that often carry a name in their pixels: kept out until a person has looked at them."""
    return sop_class in SECONDARY_CAPTURE or sop_class in ULTRASOUND or modality in ("US", "SC", "OT", "IVUS")
