"""The records that cross the engine's door.

Everything here is frozen, holds plain values and names folders on disk; it imports nothing heavy, so the web
process may load it. Shapes and spacings are in array order (k, j, i); points and affines are LPS millimetres
(DICOM PS3.3 C.7.6.2.1.1: x to the patient's left, y to the back, z to the head).
"""

from recon_engine.contract.algorithms import (
    AlgorithmDescription,
    Code,
    Parameter,
    SegmentDescription,
)
from recon_engine.contract.comparing import (
    CombineRequest,
    CombineResult,
    CompareRequest,
    CompareResult,
    PlaceOfDifference,
    ReaderPerformance,
    SegmentAgreement,
    SegmentPair,
)
from recon_engine.contract.editing import (
    RefineLayer,
    RefineRequest,
    RefineResult,
    SegmentWanted,
    SurfacesRequest,
    SurfacesResult,
)
from recon_engine.contract.intake import (
    InspectResult,
    IntakeFinding,
    PhaseFiles,
    PreparedInstance,
    PreparedSeries,
    PrepareRequest,
    PrepareResult,
    TagChange,
    VolumeFiles,
)
from recon_engine.contract.reconstruction import (
    ReconstructionRequest,
    ReconstructionResult,
    SegmentResult,
)
from recon_engine.contract.record import (
    ENGINE_VERSION,
    EngineError,
    OnProgress,
    Progress,
    Record,
    no_progress,
)
from recon_engine.contract.registering import RegisterRequest, RegisterResult

__all__ = [
    "ENGINE_VERSION",
    "AlgorithmDescription",
    "Code",
    "CombineRequest",
    "CombineResult",
    "CompareRequest",
    "CompareResult",
    "EngineError",
    "InspectResult",
    "IntakeFinding",
    "OnProgress",
    "Parameter",
    "PhaseFiles",
    "PlaceOfDifference",
    "PrepareRequest",
    "PrepareResult",
    "PreparedInstance",
    "PreparedSeries",
    "Progress",
    "ReaderPerformance",
    "ReconstructionRequest",
    "ReconstructionResult",
    "Record",
    "RefineLayer",
    "RefineRequest",
    "RefineResult",
    "RegisterRequest",
    "RegisterResult",
    "SegmentAgreement",
    "SegmentDescription",
    "SegmentPair",
    "SegmentResult",
    "SegmentWanted",
    "SurfacesRequest",
    "SurfacesResult",
    "TagChange",
    "VolumeFiles",
    "no_progress",
]
