"""The DICOM tags that decide what a file may become, as (group << 16 | element), and their values as plain Python.

Only these are kept by the header scanner; everything else is stepped over. Conversions are cached by their raw
bytes: the 400 slices of a series repeat the same study UID, spacing and orientation 400 times.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache

MEDIA_SOP_CLASS = 0x00020002
TRANSFER_SYNTAX = 0x00020010
DIRECTORY_RECORDS = 0x00041220
CHARACTER_SET = 0x00080005
IMAGE_TYPE = 0x00080008
SOP_CLASS = 0x00080016
SOP_INSTANCE = 0x00080018
STUDY_DATE = 0x00080020
SERIES_DATE = 0x00080021
ACQUISITION_DATE = 0x00080022
SERIES_TIME = 0x00080031
ACQUISITION_TIME = 0x00080032
CONTENT_TIME = 0x00080033
MODALITY = 0x00080060
STUDY_DESCRIPTION = 0x00081030
SERIES_DESCRIPTION = 0x0008103E
MODEL_NAME = 0x00081090
PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020
ISSUER_OF_PATIENT_ID = 0x00100021
PATIENT_BIRTH_DATE = 0x00100030
PATIENT_SEX = 0x00100040
PATIENT_AGE = 0x00101010
PATIENT_WEIGHT = 0x00101030
BODY_PART = 0x00180015
ECHO_TIME = 0x00180081
ECHO_NUMBER = 0x00180086
TRIGGER_TIME = 0x00181060
GANTRY_TILT = 0x00181120
IMAGER_PIXEL_SPACING = 0x00181164
B_VALUE = 0x00189087
STUDY_UID = 0x0020000D
SERIES_UID = 0x0020000E
SERIES_NUMBER = 0x00200011
ACQUISITION_NUMBER = 0x00200012
INSTANCE_NUMBER = 0x00200013
POSITION = 0x00200032
ORIENTATION = 0x00200037
FRAME_OF_REFERENCE = 0x00200052
TEMPORAL_POSITION = 0x00200100
SAMPLES_PER_PIXEL = 0x00280002
PHOTOMETRIC = 0x00280004
PLANAR = 0x00280006
NUMBER_OF_FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
PIXEL_SPACING = 0x00280030
BITS_ALLOCATED = 0x00280100
BITS_STORED = 0x00280101
HIGH_BIT = 0x00280102
PIXEL_REPRESENTATION = 0x00280103
PADDING = 0x00280120
PADDING_LIMIT = 0x00280121
QUALITY_CONTROL_IMAGE = 0x00280300
BURNED_IN = 0x00280301
WINDOW_CENTRE = 0x00281050
WINDOW_WIDTH = 0x00281051
RESCALE_INTERCEPT = 0x00281052
RESCALE_SLOPE = 0x00281053
RESCALE_TYPE = 0x00281054
LOSSY = 0x00282110
MODALITY_LUT = 0x00283000
PET_UNITS = 0x00541001
FRAME_TIME = 0x00541300
PIXEL_DATA = 0x7FE00010
FLOAT_PIXEL_DATA = 0x7FE00008
DOUBLE_PIXEL_DATA = 0x7FE00009

WANTED = frozenset(
    value for name, value in list(globals().items()) if name.isupper() and isinstance(value, int) and value < 0x7FE00000
)


@lru_cache(maxsize=8192)
def text(raw: bytes) -> str:
    """A code string, UID or ASCII text without its padding."""
    return raw.decode("latin-1").strip(" \0\t\r\n")


@lru_cache(maxsize=8192)
def decimals(raw: bytes) -> tuple[float, ...] | None:
    """DS or IS values; None where one of them is no number. NaN and infinity are kept: a rule names them."""
    try:
        return tuple(float(part) for part in raw.decode("ascii").strip(" \0").split("\\"))
    except (ValueError, UnicodeDecodeError):
        return None


@lru_cache(maxsize=8192)
def integer(raw: bytes) -> int | None:
    """An IS value; None where it is no whole number."""
    numbers = decimals(raw)
    if not numbers or not math.isfinite(numbers[0]) or numbers[0] != int(numbers[0]):
        return None
    return int(numbers[0])


def short(raw: bytes, little: bool, signed: bool = False) -> int | None:
    """The first US or SS value; None where the bytes are too few."""
    if len(raw) < 2:
        return None
    return struct.unpack_from(("<" if little else ">") + ("h" if signed else "H"), raw)[0]
