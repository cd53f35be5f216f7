"""Which DICOM attributes stay when identifiers go. What is not named here is removed.

A list of what to keep, not of what to remove: an attribute nobody thought of (retired, private, nested, new) cannot
slip through. Within the image groups numbers and code strings stay, since the volume is made from them; text stays only
where it is named. Compare DICOM PS3.15 table E.1-1, whose basic profile removes a list instead.
"""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword


def _tags(keywords: str) -> frozenset[int]:
    return frozenset(tag for keyword in keywords.split() if (tag := tag_for_keyword(keyword)) is not None)


PSEUDONYM = _tags("PatientName PatientID")

EMPTIED = _tags("AccessionNumber ReferringPhysicianName PatientBirthDate StudyID")
"""Type 2: they must be there, so they stay empty."""

DESCRIPTIONS = _tags("""
StudyDescription SeriesDescription ProtocolName SequenceName ContrastBolusAgent Radiopharmaceutical ConvolutionKernel
FilterType PositionReferenceIndicator AttenuationCorrectionMethod ReconstructionMethod ScatterCorrectionMethod
RescaleType CodeMeaning BodyPartExamined
""")
"""Text cut down to known words (descriptors.py)."""

DEVICE_TEXT = _tags("Manufacturer ManufacturerModelName")
"""Kept unless they hold a piece of this patient's identifiers."""

CODE_TEXT = _tags("CodeValue CodingSchemeDesignator CodingSchemeVersion StackID")
"""Short codes."""

_ONE_BY_ONE = _tags("""
SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID InstanceCreationDate InstanceCreationTime
StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime StudyTime SeriesTime AcquisitionTime ContentTime
Modality ConversionType TimezoneOffsetFromUTC ReferencedImageSequence ReferencedSOPClassUID ReferencedSOPInstanceUID
ReferencedFrameNumber SourceImageSequence StartTrim StopTrim MappingResource ContextUID ContextIdentifier
FrameType PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique ComplexImageComponent
AcquisitionContrast DerivationCodeSequence ContextGroupExtensionFlag
PatientSex PatientAge PatientSize PatientWeight
RealWorldValueMappingSequence MeasurementUnitsCodeSequence RealWorldValueLastValueMapped
RealWorldValueFirstValueMapped RealWorldValueIntercept RealWorldValueSlope ConceptNameCodeSequence
AcquisitionContextSequence PresentationLUTShape
""")

_GROUPS = frozenset((0x0018, 0x0020, 0x0028, 0x0054, 0x5200))
_NEVER = _tags("""
DeviceSerialNumber DeviceUID DeviceID PlateID GeneratorID CassetteID GantryID DetectorID
DateOfLastCalibration TimeOfLastCalibration DateTimeOfLastCalibration DateOfLastDetectorCalibration
TimeOfLastDetectorCalibration SecondaryCaptureDeviceID DateOfSecondaryCapture TimeOfSecondaryCapture
DateOfManufacture DateOfInstallation
""")

NUMERIC = frozenset(("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV", "AT", "US or SS"))

BULK_KEPT = _tags("""
LUTData RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
SegmentedBluePaletteColorLookupTableData
""")
"""Lookup tables: they are numbers in an OW."""

_NAMED = _ONE_BY_ONE | DESCRIPTIONS | DEVICE_TEXT | CODE_TEXT


def is_kept(tag: int) -> bool:
    """True where the attribute may stay if its value is of a harmless kind."""
    group = tag >> 16
    return tag not in _NEVER and group % 2 == 0 and (tag in _NAMED or group in _GROUPS)
