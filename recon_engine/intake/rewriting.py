"""Write a cleaned DICOM file: a new header, and the pixel data element byte for byte as it was.

The preamble is cleared, nothing after the pixel data is carried over (padding, signatures), and the transfer syntax
stays, except that a deflated data set is written explicit little endian.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from recon_engine.contract import EngineError
from recon_engine.intake.frames import fragments, inflated_dataset
from recon_engine.intake.header import DEFLATED, EXPLICIT_LITTLE, UNDEFINED, Header
from recon_engine.intake.identifiers import clean_dataset, mark_as_cleaned
from recon_engine.intake.replacements import Replacements

IMPLEMENTATION_UID = "2.25.190144317281713520416126071904137029281"
IMPLEMENTATION_NAME = "LAMINA"


def read_dataset(header: Header) -> Any:
    """The header as a pydicom Dataset, without pixel data. Raises EngineError parse_error, nesting_too_deep."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
    except RecursionError:
        raise EngineError("nesting_too_deep", "Sequences are nested too deep. Export the file again.") from None
    except Exception as error:
        raise EngineError("parse_error", f"The header is damaged ({type(error).__name__}). Export it again.") from None


def write_cleaned(header: Header, target: Path, replace: Replacements, dataset: Any = None) -> tuple[str, str, str]:
    """Write the cleaned instance. Returns its SOP instance UID, SOP class UID and transfer syntax UID."""
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    source = dataset if dataset is not None else read_dataset(header)
    syntax = EXPLICIT_LITTLE if header.syntax == DEFLATED else header.syntax
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clean = clean_dataset(source, replace)
        mark_as_cleaned(clean, replace)
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(str(clean.get("SOPClassUID", "")))
        meta.MediaStorageSOPInstanceUID = UID(str(clean.get("SOPInstanceUID", "")))
        meta.TransferSyntaxUID = UID(syntax)
        meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
        meta.ImplementationVersionName = IMPLEMENTATION_NAME
        clean.file_meta = meta
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, clean, enforce_file_format=True)
    with open(target, "wb") as out:
        out.write(buffer.getvalue())
        _copy_pixels(header, out)
    return meta.MediaStorageSOPInstanceUID, meta.MediaStorageSOPClassUID, syntax


def _copy_pixels(header: Header, out: Any) -> None:
    if header.pixel_length is None:
        return
    if header.syntax == DEFLATED:
        data = inflated_dataset(header)
        out.write(data[header.pixel_element : header.pixel_offset + header.pixel_length])
        return
    if header.pixel_length == UNDEFINED:
        pieces = fragments(header)
        start, length = pieces[-1] if pieces else (header.pixel_offset, 0)
        end = start + length + 8  # the sequence delimiter
    else:
        end = header.pixel_offset + header.pixel_length
    with open(header.path, "rb") as source:
        source.seek(header.pixel_element)
        left = end - header.pixel_element
        while left > 0 and (chunk := source.read(min(left, 1 << 20))):
            out.write(chunk)
            left -= len(chunk)
