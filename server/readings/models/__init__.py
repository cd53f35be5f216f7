"""What people say of a study: marks on its images, and the cases, readings and their agreement."""

from server.readings.models.agreement import Agreement, Consensus, Pick, Reliance, Ruling
from server.readings.models.annotations import Act, Annotation, AnnotationOperation, Kind, LesionRole
from server.readings.models.cases import (
    Case,
    CaseStage,
    CaseState,
    Protocol,
    Reading,
    ReadingKind,
    ReadingState,
)
from server.readings.models.verdicts import Verdict, VerdictAct

__all__ = [
    "Act", "Agreement", "Annotation", "AnnotationOperation", "Case", "CaseStage", "CaseState", "Consensus", "Kind",
    "LesionRole", "Pick", "Protocol", "Reading", "ReadingKind", "ReadingState", "Reliance", "Ruling", "Verdict",
    "VerdictAct",
]  # fmt: skip
