"""Free text that is worth keeping, cut down to words that cannot name a person.

Descriptions of studies and series tell a reader what to expect, and are where names turn up. Only words of a known
list (body parts, planes, sequences, contrast, kernels) and short technical codes are kept; everything else falls out.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_WORDS = """
recumbent supine prone headfirst feetfirst decubitus 18f 11c 13n 15o 68ga 64cu 89zr 99mtc abdomenpelvis chestabdomen
chestabdpelvis headneck skullbase ct mr mri pet pt fdg spect cta ctv mra mrv angio angiography arterial venous
portal delayed native plain phase phases head brain skull neck face facial sinus sinuses orbit orbits orbita
temporal bone bones mastoid ear ears iac pituitary sella dental jaw mandible maxilla cervical thoracic lumbar sacral
spine spinal cspine tspine lspine chest thorax lung lungs heart cardiac coronary aorta aortic abdomen abdominal
pelvis pelvic liver hepatic spleen pancreas kidney kidneys renal adrenal bladder prostate uterus ovary breast mamma
shoulder humerus elbow forearm wrist hand finger fingers hip femur thigh knee tibia leg legs ankle foot feet toe
extremity extremities limb limbs arm arms upper lower left right both bilateral whole body wholebody torso trunk
vessel vessels carotid hippocampus tumour tumor lesion sarcoma soft tissue muscle trauma fracture stroke perfusion
diffusion axial coronal sagittal oblique transverse transversal ax cor sag tra oax osag ocor plane planes three
scout localizer localiser topogram surview survey loc overview pre post with without wo w o c contrast contr km iv
oral enhanced unenhanced nonenhanced gd gado gadolinium dixon thin thick slice slices slab mip mpr minip recon
reconstruction reformat series image images volume vol helical spiral sequential axials standard std sharp smooth
detail edge plus ultra high low res resolution hr hrct kernel filter boneplus spin echo gradient se fse tse gre spgr
fspgr mprage mp rage flair stir tirm haste trufi fiesta space vibe vista cube bravo flash tof swi dwi dti adc epi
bold fmri asl dce dsc pc ssfp bssfp fast turbo fat sat fatsat fs water in out opp opposed cine trigger gated gating
ecg resp breath hold free isotropic iso t t1w t2w pd pdw weighted short long axis sa la attenuation corrected
correction ac nac ctac emission transmission static dynamic suv early late x ray xray radiograph ap pa lat lateral
frontal projection view views dx cr average phantom lamina test demo measured none osem fbp iterative convolution
subtraction sing dlyd wb fluorodeoxyglucose radiopharmaceutical first follow up followup baseline and of the for to
"""
VOCABULARY = frozenset(_WORDS.split())
_CODE = re.compile(
    r"(t[12]|b\d{1,4}|[abdhiju][rvfl]?\d{2}[sfhu]?|fc\d{2}|[234]d|te\d{1,3}|l\d|c\d|th?\d{1,2}|s\d)", re.IGNORECASE
)
_MEASURE = re.compile(r"\d{1,3}(\.\d{1,3})?(mm|cm|kv|kvp|ma|mas|s|ms|min|deg|%)", re.IGNORECASE)
_SMALL_NUMBER = re.compile(r"\d\.\d{1,2}")
_SPLIT = re.compile(r"([^A-Za-z0-9.%]+|(?<=[A-Za-z])(?=[A-Z][a-z]))")


def cleaned(text: str, forbidden: Collection[str] = ()) -> str:
    """The known words of a description in their order; "" where none is left.

    `forbidden` are lower-case pieces of this patient's identifiers: they go even where they are known words.
    """
    kept = []
    for piece in _SPLIT.split(text[:256]):
        word = piece.strip(".")
        if word and is_known(word) and word.lower() not in forbidden:
            kept.append(word)
    return " ".join(kept)[:64]


def is_known(word: str) -> bool:
    return (
        word.lower() in VOCABULARY
        or _CODE.fullmatch(word) is not None
        or _MEASURE.fullmatch(word) is not None
        or _SMALL_NUMBER.fullmatch(word) is not None
    )
