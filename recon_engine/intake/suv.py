"""PET in SUV by body weight, where the header allows it.

SUVbw = activity (Bq/mL) x body weight (g) / injected dose at scan start (Bq), after the vendor-neutral formula of
the QIBA FDG-PET profile (appendix G): the dose decays from injection to the series time when DecayCorrection is
START, and is taken as injected when it is ADMIN.
"""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import Any

from recon_engine.intake import tags
from recon_engine.intake.header import Header

_LONGEST_SECONDS = 24 * 3600.0


def body_weight(header: Header) -> tuple[str, float, str]:
    """(unit, factor from stored real values to that unit, note why not SUV). Never raises."""
    units = header.text(tags.PET_UNITS)
    if units == "GML":
        return "SUV", 1.0, ""
    if units != "BQML":
        return units or "", 1.0, f"units are {units[:16] or 'not stated'}"
    try:
        factor, note = _factor(header)
    except Exception as error:  # a header that pydicom cannot walk only costs the SUV scale
        return "BQML", 1.0, f"header not readable ({type(error).__name__})"
    return ("SUV", factor, "") if factor else ("BQML", 1.0, note)


def _factor(header: Header) -> tuple[float, str]:
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(header.path, stop_before_pixels=True, force=True)
        corrected = [str(c) for c in _values(dataset.get("CorrectedImage"))]
        if "ATTN" not in corrected or "DECY" not in corrected:
            return 0.0, "not corrected for attenuation and decay"
        weight = float(dataset.get("PatientWeight") or 0)
        sequence = dataset.get("RadiopharmaceuticalInformationSequence") or []
        if not weight or not sequence:
            return 0.0, "weight or radiopharmaceutical is missing"
        drug = sequence[0]
        dose = float(drug.get("RadionuclideTotalDose") or 0)
        half_life = float(drug.get("RadionuclideHalfLife") or 0)
        if dose <= 0 or half_life <= 0:
            return 0.0, "dose or half-life is missing"
        correction = str(dataset.get("DecayCorrection", ""))
        if correction == "ADMIN":
            return weight * 1000 / dose, ""
        if correction != "START":
            return 0.0, "decay correction is not to the scan start"
        elapsed = _elapsed(dataset, drug)
    if elapsed is None or not 0 <= elapsed <= _LONGEST_SECONDS:
        return 0.0, "time from injection to scan is not plausible"
    return weight * 1000 / (dose * 2 ** (-elapsed / half_life)), ""


def _values(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if not isinstance(value, str) else [value]


def _elapsed(dataset: Any, drug: Any) -> float | None:
    """Seconds from injection to the start of the series. A series time after the acquisition was set later."""
    series = _moment(dataset.get("SeriesDate"), dataset.get("SeriesTime"))
    acquired = _moment(dataset.get("AcquisitionDate"), dataset.get("AcquisitionTime"))
    scan = series
    if series is None or (acquired is not None and series > acquired):
        scan = acquired
    stamp = str(drug.get("RadiopharmaceuticalStartDateTime") or "")
    injected = _moment(stamp[:8], stamp[8:14]) if len(stamp) >= 14 else None
    if injected is None and scan is not None:
        injected = _moment(scan.strftime("%Y%m%d"), drug.get("RadiopharmaceuticalStartTime"))
    if scan is None or injected is None:
        return None
    return (scan - injected).total_seconds()


def _moment(date: Any, time: Any) -> datetime | None:
    digits = f"{str(date or '')[:8]}{str(time or '').split('.')[0][:6]:0<6}"
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S")
    except ValueError:
        return None
