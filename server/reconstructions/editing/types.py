"""What a segment can be, as coded concepts of DICOM PS3.16: categories of CID 7150, types of CID 7151 and its parts.

Meanings are the standard's; colours are those of the page (design, "Colours on images"), by kind of thing.
"""

from __future__ import annotations

from typing import Any

_CATEGORIES = {
    "anatomy": ("91723000", "Anatomical Structure"),
    "tissue": ("85756007", "Tissue"),
    "abnormal": ("49755003", "Morphologically Abnormal Structure"),
    "object": ("260787004", "Physical object"),
}
# category, SNOMED CT code, meaning, colour
_TYPES = (
    ("abnormal", "52988006", "Lesion", "#E14B09"),
    ("abnormal", "4147007", "Mass", "#E14B09"),
    ("abnormal", "27925004", "Nodule", "#FB9202"),
    ("abnormal", "108369006", "Neoplasm", "#E14B09"),
    ("abnormal", "367643001", "Cyst", "#90A6FF"),
    ("abnormal", "79654002", "Edema", "#78FFE2"),
    ("abnormal", "6574001", "Necrosis", "#9A7859"),
    ("abnormal", "50960005", "Hemorrhage", "#E14B09"),
    ("abnormal", "44132006", "Abscess", "#FEEE3E"),
    ("abnormal", "396339007", "Thrombus", "#8677A4"),
    ("anatomy", "10200004", "Liver", "#FB9202"),
    ("anatomy", "78961009", "Spleen", "#8677A4"),
    ("anatomy", "64033007", "Kidney", "#E14B09"),
    ("anatomy", "23451007", "Adrenal gland", "#FEEE3E"),
    ("anatomy", "15776009", "Pancreas", "#B4E29D"),
    ("anatomy", "28231008", "Gallbladder", "#4E9688"),
    ("anatomy", "69695003", "Stomach", "#CB9BBC"),
    ("anatomy", "38848004", "Duodenum", "#9A7859"),
    ("anatomy", "30315005", "Small intestine", "#CB9BBC"),
    ("anatomy", "71854001", "Colon", "#9A7859"),
    ("anatomy", "34402009", "Rectum", "#9A7859"),
    ("anatomy", "89837001", "Bladder", "#FEEE3E"),
    ("anatomy", "41216001", "Prostate", "#B4E29D"),
    ("anatomy", "35039007", "Uterus", "#CB9BBC"),
    ("anatomy", "39607008", "Lung", "#90A6FF"),
    ("anatomy", "44567001", "Trachea", "#78FFE2"),
    ("anatomy", "32849002", "Esophagus", "#4E9688"),
    ("anatomy", "80891009", "Heart", "#E14B09"),
    ("anatomy", "15825003", "Aorta", "#E14B09"),
    ("anatomy", "64131007", "Inferior vena cava", "#766AFC"),
    ("anatomy", "32764006", "Portal vein", "#766AFC"),
    ("anatomy", "12738006", "Brain", "#D8D1FF"),
    ("anatomy", "5366008", "Hippocampus", "#FB9202"),
    ("anatomy", "35764002", "Brain ventricle", "#90A6FF"),
    ("anatomy", "2748008", "Spinal cord", "#FEEE3E"),
    ("anatomy", "59441001", "Lymph Node", "#B4E29D"),
    ("anatomy", "76752008", "Breast", "#CB9BBC"),
    ("anatomy", "89546000", "Skull", "#E9E4D6"),
    ("anatomy", "91609006", "Mandible", "#E9E4D6"),
    ("anatomy", "38199008", "Tooth", "#E9E4D6"),
    ("anatomy", "51282000", "Vertebra", "#E9E4D6"),
    ("anatomy", "54735007", "Sacrum", "#E9E4D6"),
    ("anatomy", "113197003", "Rib", "#E9E4D6"),
    ("anatomy", "56873002", "Sternum", "#E9E4D6"),
    ("anatomy", "85050009", "Humerus", "#E9E4D6"),
    ("anatomy", "71341001", "Femur", "#E9E4D6"),
    ("tissue", "85756007", "Tissue", "#78FFE2"),
    ("tissue", "272673000", "Bone", "#E9E4D6"),
    ("tissue", "309312004", "Cartilage", "#78FFE2"),
    ("tissue", "55603005", "Fat", "#FEEE3E"),
    ("tissue", "71616004", "Muscle", "#9A7859"),
    ("tissue", "39937001", "Skin", "#CB9BBC"),
    ("tissue", "51114001", "Artery", "#E14B09"),
    ("tissue", "29092000", "Vein", "#766AFC"),
    ("tissue", "59820001", "Blood Vessel", "#E14B09"),
    ("object", "40388003", "Implant", "#D8D1FF"),
    ("object", "65818007", "Stent", "#D8D1FF"),
)


def matching(words: str = "") -> list[dict[str, Any]]:
    """Types whose meaning or category holds the words, in the list's order."""
    asked = words.strip().lower()
    found = []
    for kind, value, meaning, colour in _TYPES:
        code, category = _CATEGORIES[kind]
        if asked in meaning.lower() or asked in category.lower():
            found.append(
                {
                    "category": {"value": code, "scheme": "SCT", "meaning": category},
                    "type": {"value": value, "scheme": "SCT", "meaning": meaning},
                    "colour": colour,
                }
            )
    return found
