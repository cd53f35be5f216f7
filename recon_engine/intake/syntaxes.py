"""Transfer syntaxes (DICOM PS3.5 annex A): how the pixel data is coded, which are lossy, which are retired.

Only syntaxes that were compared voxel by voxel with pydicom are read by our own reader; the rest goes to pydicom,
and what pydicom cannot read is `transfer_syntax_unsupported`.
"""

from __future__ import annotations

from recon_engine.intake.header import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE

NATIVE = frozenset((IMPLICIT_LITTLE, EXPLICIT_LITTLE))
"""Uncompressed, little endian: one read per slice."""

UNCOMPRESSED = NATIVE | {DEFLATED, EXPLICIT_BIG}

CODECS = {
    "1.2.840.10008.1.2.5": "rle",
    "1.2.840.10008.1.2.4.50": "jpeg",
    "1.2.840.10008.1.2.4.51": "jpeg",
    "1.2.840.10008.1.2.4.57": "jpeg_lossless",
    "1.2.840.10008.1.2.4.70": "jpeg_lossless",
    "1.2.840.10008.1.2.4.80": "jpeg_ls",
    "1.2.840.10008.1.2.4.81": "jpeg_ls",
    "1.2.840.10008.1.2.4.90": "jpeg_2000",
    "1.2.840.10008.1.2.4.91": "jpeg_2000",
    "1.2.840.10008.1.2.4.201": "htj2k",
    "1.2.840.10008.1.2.4.202": "htj2k",
    "1.2.840.10008.1.2.4.203": "htj2k",
}

LOSSY = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 81, 91, 203))
RETIRED = frozenset((EXPLICIT_BIG, *(f"1.2.840.10008.1.2.4.{n}" for n in (*range(52, 57), *range(58, 67)))))


def is_readable(syntax: str) -> bool:
    return syntax in UNCOMPRESSED or syntax in CODECS
