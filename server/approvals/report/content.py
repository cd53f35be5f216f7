"""What a report says, as plain data: the page and the PDF are made of the same.

Everything is read as the person who asked may see it. Nobody's name of a patient is in the database; the pseudonym is
all there is.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from server.approvals.models.reports import Report
from server.approvals.models.signatures import Meaning
from server.approvals.report import words
from server.approvals.report.responding import response_part
from server.approvals.report.selectors import key_images_visible_to
from server.approvals.signing.selectors import signatures_of
from server.readings.agreement.selectors import agreement_json, is_party
from server.readings.cases.selectors import case_of
from server.readings.models.cases import Case
from server.readings.selectors import annotations_of, names_of
from server.reconstructions.models import Segmentation, SegmentationKind
from server.reconstructions.selectors import segmentations_visible_to

Table = dict[str, Any]  # {title, note, columns: [str], rows: [[str]], numbers: columns that hold numbers}


def content_of(report: Report) -> dict[str, Any]:
    """The report in its language: heading, facts, images, tables, foot."""
    with translation.override(report.language):
        return _content(report)


def _content(report: Report) -> dict[str, Any]:
    study, by = report.study, report.author
    case = case_of(study)
    segmentation = _segmentation(report, case)
    tables = [
        _volumes(segmentation), _measurements(report), response_part(report.study, by), _agreement(case, by),
        _signatures(case),
    ]  # fmt: skip
    return {
        "language": report.language,
        "title": _("Report"),
        "warning": _("Not for clinical use"),
        "pseudonym": study.pseudonym,
        "facts": _facts(report, case, segmentation),
        "images_title": _("Key images"),
        "images": [
            {
                "id": str(image.pk),
                "ref": image.picture_ref,
                "width": image.width,
                "height": image.height,
                "caption": f"{number}. {words.viewport_word(image.viewport)}",
            }
            for number, image in enumerate(key_images_visible_to(by).filter(study=study), start=1)
        ],
        "tables": [table for table in tables if table is not None],
        "notes": _notes(segmentation),
        "page_of": _("Page {page} of {pages}"),
    }


def _facts(report: Report, case: Case | None, segmentation: Segmentation | None) -> list[tuple[str, str]]:
    study = report.study
    dated = study.study_date.isoformat() if study.study_date else words.DASH
    facts = [
        (_("Pseudonym"), study.pseudonym),
        (_("Study"), study.description or words.DASH),
        (_("Study date, shifted"), dated),
        (_("Modalities"), ", ".join(study.modalities) or words.DASH),
        (_("Project"), study.project.name),
    ]
    if case is not None:
        facts.append(
            (_("Case"), _("%(number)d, version %(version)d") % {"number": case.number, "version": case.version})
        )
    if segmentation is not None:
        facts.append((_("Segmentation"), _title(segmentation)))
    facts.append((_("Made"), f"{words.utc(timezone.now())}, {report.author.display_name}"))
    return facts


def _segmentation(report: Report, case: Case | None) -> Segmentation | None:
    """What was settled on; before that the newest shared working copy that was worked on, else the newest result."""
    rows = segmentations_visible_to(report.author).filter(study=report.study)
    if case is not None and case.final_id:
        return rows.filter(pk=case.final_id).first()
    shared = rows.filter(audience=None).order_by("-created_at", "-id")
    return (
        shared.filter(kind=SegmentationKind.EDITED, edit__head__gt=0).first()
        or shared.filter(kind=SegmentationKind.ALGORITHM).first()
    )


def _title(segmentation: Segmentation) -> str:
    version = segmentation.algorithm_version or (segmentation.based_on and segmentation.based_on.algorithm_version)
    name = f"{words.known(version.description['title'])} {version.version}" if version else _("Drawn by hand")
    edit = getattr(segmentation, "edit", None)
    if segmentation.kind == SegmentationKind.EDITED and edit is not None:
        return _("%(name)s, edited, operation %(seq)d") % {"name": name, "seq": edit.head}
    return name


def _volumes(segmentation: Segmentation | None) -> Table | None:
    if segmentation is None:
        return None
    segments = sorted(segmentation.segments.all(), key=lambda one: (one.place, one.number))
    return {
        "title": _("Volumes"),
        "note": _("Counted from voxels."),
        "columns": [_("Segment"), _("Volume")],
        "numbers": [1],
        "rows": [[words.known(one.label), words.with_unit(one.volume_ml, 1, "mL")] for one in segments if one.voxels],
    }


def _measurements(report: Report) -> Table | None:
    marks = list(annotations_of(report.study, report.author))
    names = names_of(marks, report.study_id)
    rows = []
    for mark, name in zip(marks, names, strict=True):
        said = [code["meaning"] for code in (mark.laterality, mark.finding_site, mark.finding) if code]
        rows.append(
            [
                name or f"{words.kind_word(mark.kind)} {mark.number}",
                words.size_text(mark),
                words.statistics_text(mark.statistics),
                ", ".join(_(meaning) for meaning in said),
                mark.author.display_name if mark.author else "",
            ]
        )
    columns = [_("Measurement"), _("Size"), _("Values"), _("Finding"), _("Reader")]
    return (
        {"title": _("Measurements"), "note": "", "columns": columns, "numbers": [1, 2], "rows": rows} if rows else None
    )


def _agreement(case: Case | None, by: Any) -> Table | None:
    """Numbers of each pair of readers, beside the limits that judged them."""
    if case is None or not is_party(case, by):
        return None
    found = agreement_json(case, by)
    limits = found["limits"]
    labels = {row["number"]: row["label"] for row in _protocol_segments(case)}
    rows = []
    for pair in found["pairs"]:
        over = {(one.get("number"), one.get("metric")) for one in pair["excesses"] or []}
        for row in pair["segments"] or []:
            name = words.known(labels.get(row["number"], "")) or str(row["number"])
            judged = _("over the limit") if any(number == row["number"] for number, _metric in over) else _("within")
            rows.append(
                [
                    f"{pair['left']} {words.DASH} {pair['right']}",
                    name,
                    words.number(row["dice"], 2),
                    words.with_unit(row["hd95_mm"], 1, "mm"),
                    words.with_unit(row.get("assd_mm"), 1, "mm"),
                    judged,
                ]
            )
    if not rows:
        return None
    note = _("Limits: Dice %(dice)s, HD95 %(hd95)s, volume %(volume)s.") % {
        "dice": words.DASH if limits["dice"] is None else words.number(limits["dice"], 2),
        "hd95": words.with_unit(limits["hd95_mm"], 1, "mm"),
        "volume": words.with_unit(limits["volume_percent"], 0, "%"),
    }
    columns = [_("Readers"), _("Segment"), "Dice", "HD95", "ASSD", _("Judged")]
    return {"title": _("Agreement"), "note": note, "columns": columns, "numbers": [2, 3, 4], "rows": rows}


def _protocol_segments(case: Case) -> list[dict[str, Any]]:
    protocol = getattr(case.project, "protocol", None)
    return list(protocol.segments) if protocol else []


def _signatures(case: Case | None) -> Table | None:
    """The seals of the case's present version."""
    meanings = {Meaning.AUTHORED: _("Authored"), Meaning.REVIEWED: _("Reviewed"), Meaning.APPROVED: _("Approved")}
    rows = [
        [one.name, meanings[Meaning(one.meaning)], words.utc(one.signed_at), one.digest]
        for one in (signatures_of(case) if case is not None else [])
    ]
    columns = [_("Name"), _("Meaning"), _("Time"), "SHA-256"]
    return {"title": _("Signatures"), "note": "", "columns": columns, "numbers": [], "rows": rows} if rows else None


def _notes(segmentation: Segmentation | None) -> list[str]:
    """Where the algorithm's card stands, and what the result was made with."""
    notes = []
    version = segmentation and (
        segmentation.algorithm_version or (segmentation.based_on and segmentation.based_on.algorithm_version)
    )
    if version:
        card = {"title": words.known(version.description["title"]), "version": version.version,
                "name": version.algorithm.name, "licence": version.description.get("licence", "")}  # fmt: skip
        notes.append(_("Algorithm card: %(title)s %(version)s (%(name)s), licence of the weights %(licence)s.") % card)
        manifest = (segmentation.based_on or segmentation).manifest if segmentation else {}
        if weights := manifest.get("weights_sha256"):
            notes.append(_("Weights SHA-256 %(hash)s") % {"hash": weights})
    notes.append(_("Distances and volumes are as good as the voxels they were counted from."))
    return notes
