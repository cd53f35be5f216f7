"""What people say of a study: marks on its images, and the cases, readings and their agreement."""

from server.readings.models.annotations import Act, Annotation, AnnotationOperation, Kind
from server.readings.models.cases import (
    Case,
    CaseStage,
    CaseState,
    Protocol,
    Reading,
    ReadingKind,
    ReadingState,
)

__all__ = [
    "Act", "Annotation", "AnnotationOperation", "Case", "CaseStage", "CaseState", "Kind", "Protocol", "Reading",
    "ReadingKind", "ReadingState",
]  # fmt: skip
