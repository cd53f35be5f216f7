"""The coded lists a reader chooses from, with their meaning.

Small on purpose: what a list cannot say stands in the name. Codes and meanings as in the context groups of DICOM
PS3.16: findings from CID 7159 and 6104 with a few DCM and RadLex ones, laterality from CID 244, the concepts of the
measured values from TID 1410 and CID 218.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

_FINDINGS = [
    ("52988006", "SCT", gettext_noop("Lesion")),
    ("4147007", "SCT", gettext_noop("Mass")),
    ("27925004", "SCT", gettext_noop("Nodule")),
    ("367643001", "SCT", gettext_noop("Cyst")),
    ("108369006", "SCT", gettext_noop("Neoplasm")),
    ("372087000", "SCT", gettext_noop("Neoplasm, Primary")),
    ("14799000", "SCT", gettext_noop("Neoplasm, Secondary")),
    ("30746006", "SCT", gettext_noop("Lymphadenopathy")),
    ("44132006", "SCT", gettext_noop("Abscess")),
    ("50960005", "SCT", gettext_noop("Hemorrhage")),
    ("79654002", "SCT", gettext_noop("Edema")),
    ("409774005", "SCT", gettext_noop("Inflammation")),
    ("6574001", "SCT", gettext_noop("Necrosis")),
    ("41699000", "SCT", gettext_noop("Effusion")),
    ("36118008", "SCT", gettext_noop("Pneumothorax")),
    ("396339007", "SCT", gettext_noop("Thrombus")),
    ("55584005", "SCT", gettext_noop("Embolus")),
    ("85659009", "SCT", gettext_noop("Aneurysm")),
    ("415582006", "SCT", gettext_noop("Stenosis")),
    ("237897009", "SCT", gettext_noop("Calcified")),
    ("112120", "DCM", gettext_noop("Ground glass opacity")),
    ("RID43349", "RADLEX", gettext_noop("Restricted diffusion")),
    ("RID39467", "RADLEX", gettext_noop("T2 Hyperintensity")),
    ("17621005", "SCT", gettext_noop("Normal")),
]

_SITES = [
    ("12738006", gettext_noop("Brain")),
    ("5366008", gettext_noop("Hippocampus")),
    ("89546000", gettext_noop("Skull")),
    ("45048000", gettext_noop("Neck")),
    ("69748006", gettext_noop("Thyroid")),
    ("76752008", gettext_noop("Breast")),
    ("39607008", gettext_noop("Lung")),
    ("72410000", gettext_noop("Mediastinum")),
    ("44567001", gettext_noop("Trachea")),
    ("32849002", gettext_noop("Esophagus")),
    ("80891009", gettext_noop("Heart")),
    ("15825003", gettext_noop("Aorta")),
    ("64131007", gettext_noop("Inferior vena cava")),
    ("113197003", gettext_noop("Rib")),
    ("421060004", gettext_noop("Spine")),
    ("51282000", gettext_noop("Vertebra")),
    ("818981001", gettext_noop("Abdomen")),
    ("10200004", gettext_noop("Liver")),
    ("28231008", gettext_noop("Gallbladder")),
    ("15776009", gettext_noop("Pancreas")),
    ("78961009", gettext_noop("Spleen")),
    ("64033007", gettext_noop("Kidney")),
    ("23451007", gettext_noop("Adrenal gland")),
    ("69695003", gettext_noop("Stomach")),
    ("30315005", gettext_noop("Small intestine")),
    ("71854001", gettext_noop("Colon")),
    ("816092008", gettext_noop("Pelvis")),
    ("89837001", gettext_noop("Bladder")),
    ("41216001", gettext_noop("Prostate")),
    ("35039007", gettext_noop("Uterus")),
    ("15497006", gettext_noop("Ovary")),
    ("71341001", gettext_noop("Femur")),
    ("59441001", gettext_noop("Lymph Node")),
    ("272673000", gettext_noop("Bone")),
]

_LATERALITIES = [
    ("24028007", gettext_noop("Right")),
    ("7771000", gettext_noop("Left")),
    ("51440002", gettext_noop("Right and left")),
    ("66459002", gettext_noop("Unilateral")),
]


def _code(value: str, scheme: str, meaning: str) -> dict[str, str]:
    return {"value": value, "scheme": scheme, "meaning": meaning}


LISTS: dict[str, list[dict[str, str]]] = {
    "finding": [_code(*row) for row in _FINDINGS],
    "finding_site": [_code(value, "SCT", meaning) for value, meaning in _SITES],
    "laterality": [_code(value, "SCT", meaning) for value, meaning in _LATERALITIES],
}

# What each kind measures, for reports and exports (TID 1410, CID 218).
CONCEPTS = {
    "length": _code("410668003", "SCT", "Length"),
    "surface_distance": _code("410668003", "SCT", "Length"),
    "angle": _code("1483009", "SCT", "Angle"),
    "cobb": _code("285285000", "SCT", "Cobb angle"),
    "ellipse": _code("42798000", "SCT", "Area"),
    "rectangle": _code("42798000", "SCT", "Area"),
    "polygon": _code("42798000", "SCT", "Area"),
    "freehand": _code("42798000", "SCT", "Area"),
}


def code_in(name: str, value: str, scheme: str) -> dict[str, str] | None:
    """The entry of the list `name`, with the meaning as the standard has it; None when it is not in the list."""
    for entry in LISTS[name]:
        if (entry["value"], entry["scheme"]) == (value, scheme):
            return entry
    return None


def lists_json() -> dict[str, Any]:
    """Every list with `label`, the meaning in the reader's language."""
    return {name: [{**entry, "label": _(entry["meaning"])} for entry in entries] for name, entries in LISTS.items()}
