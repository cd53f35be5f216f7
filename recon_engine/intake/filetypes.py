"""What a file is, told by its first bytes; its name decides nothing."""

from __future__ import annotations

import struct
import zlib

from recon_engine.intake.header import looks_like_bare_dataset

HEAD_BYTES = 4096

_NIFTI_1 = (b"n+1\0", b"ni1\0")
_NIFTI_2 = (b"n+2\0", b"ni2\0")
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"NRRD000", "format"),
    (b"ObjectType", "format"),
    (b"II*\0", "format"),
    (b"MM\0*", "format"),
    (b"GIF8", "format"),
    (b"BM", "format"),
    (b"\x89HDF", "format"),
    (b"\xff\x4f\xff\x51", "format"),
    (b"\0\0\0\x0cjP  ", "format"),
    (b"\0\0\1\xbb", "format"),
)


def kind_of(head: bytes) -> str:
    """One of: empty, dicom, nifti, nifti_pair, nifti_gz, zip, gzip, archive, png, jpeg, format, other.

    `head` is the first 4 KiB. `format` is an image format that is not read here. DICOM is looked for first: its 128
    byte preamble may hold another format's signature (PS3.10 section 7.1).
    """
    if not head:
        return "empty"
    if head[128:132] == b"DICM":
        return "dicom"
    nifti = nifti_kind(head)
    if nifti:
        return nifti
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            if kind == "gzip":
                return "nifti_gz" if nifti_kind(_first_inflated(head)) == "nifti" else "gzip"
            return kind
    if head[257:262] == b"ustar":
        return "archive"
    return "dicom" if looks_like_bare_dataset(head) else "other"


def nifti_kind(head: bytes) -> str:
    """nifti for one file, nifti_pair for a header whose voxels lie in another file, "" for neither."""
    if len(head) >= 348:
        size = struct.unpack_from("<i", head)[0], struct.unpack_from(">i", head)[0]
        if 348 in size and head[344:348] in _NIFTI_1:
            return "nifti" if head[344:347] == b"n+1" else "nifti_pair"
        if 540 in size and head[4:8] in _NIFTI_2:
            return "nifti" if head[4:7] == b"n+2" else "nifti_pair"
        if 348 in size:
            return "nifti_pair" if head[38:39] == b"r" else ""
    return ""


def _first_inflated(head: bytes) -> bytes:
    """The first bytes inside a gzip; b"" where it is damaged."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 1024)
    except zlib.error:
        return b""
