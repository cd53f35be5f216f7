"""Importing from a path on this machine: the same engine, rules and rows as an upload, without a browser.

The files stay where they are. The engine reads them in a limited child process and writes de-identified series into
a workspace; from there on everything is as in an upload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from server.accounts.models import Project
from server.core import storage
from server.core.errors import LaminaError
from server.jobs.process import EngineFailed, EngineStopped, run_engine
from server.studies import identity, importing, intakes
from server.studies.jobs import PARSER_LIMITS, prepare_request
from server.studies.models import Series

Say = Callable[[str], None]


@dataclass
class LocalImport:
    """What came of it: `series` that are now in the project, `new` of them just written, and what was refused."""

    series: list[Series] = field(default_factory=list)
    new: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Where it comes from and what the person says of it."""

    path: Path
    project: Project
    by: Any
    description: str = ""  # for studies whose files have none
    modality: str = ""  # of NIfTI files, of a stack
    as_stack: bool = False
    spacing_mm: tuple[float, float, float] | None = None  # of a stack, (k, j, i)
    is_demo: bool = False
    notice: str = ""
    say: Say = lambda text: None


def import_path(path: Path, *, project: Project, by: Any, **options: Any) -> LocalImport:
    """Import a file, folder or zip. The same files again change nothing.

    Options: `description` for a study whose files have none, `modality` of NIfTI files or of a stack, `as_stack` and
    `spacing_mm` (k, j, i) for PNG or JPEG pictures, `is_demo`, `notice`, `say(text)` for each line of news.
    Raises LaminaError when the path is not there or nothing could be imported.
    """
    source = _Source(path=Path(path).resolve(), project=project, by=by, **options)
    if not source.path.exists():
        raise LaminaError("not_found", _("%(path)s is not there.") % {"path": path}, 404)
    done = LocalImport()
    with storage.workspace("import") as folder:
        groups = _whole_stack(source) if source.as_stack else _chosen(source, done)
        for number, (origin, chosen) in enumerate(groups.items()):
            _import_group(source, origin, chosen, folder / f"prepared-{number}", done)
    if not done.series:
        message = " ".join(done.refused) or _("There is nothing to import at %(path)s.") % {"path": path}
        raise LaminaError("nothing_imported", message, 422)
    return done


def _whole_stack(source: _Source) -> dict[str, list[dict[str, Any]]]:
    hashes = ":".join(sorted(intakes.hashes_below(source.path).values()))
    return {f"stack:{source.modality}:{source.spacing_mm}:{hashes}": []}


def _chosen(source: _Source, done: LocalImport) -> dict[str, list[dict[str, Any]]]:
    """Findings worth importing, by origin."""
    result = _engine("inspect", {"path": str(source.path)})
    hashes = intakes.hashes_below(source.path)
    groups: dict[str, list[dict[str, Any]]] = {}
    for finding in result["findings"]:
        source.say(f"{finding['verdict']}: {finding['message']}")
        modality = finding["modality"] or source.modality
        if not intakes.may_be_kept(finding) or finding["facts"].get("withheld"):
            done.refused.append(finding["message"])
        elif not modality:
            message = _("%(key)s does not say what made it. Add --modality CT, MR or PT.") % {"key": finding["key"]}
            done.refused.append(message)
        else:
            choice = {"key": finding["key"], "modality": modality, "patient_key": finding["facts"].get("patient_key")}
            groups.setdefault(identity.origin_of(finding, hashes), []).append(choice)
    return groups


def _import_group(
    source: _Source, origin: str, chosen: Sequence[Mapping[str, Any]], out: Path, done: LocalImport
) -> None:
    """One study: prepare, store, write."""
    out.mkdir(mode=0o700)
    patient_key = next((choice["patient_key"] for choice in chosen if choice.get("patient_key")), None)
    patient = identity.patient_for(source.project, origin, patient_key)
    request = prepare_request(source.path, out, patient, chosen)
    if source.as_stack:
        spacing = list(source.spacing_mm) if source.spacing_mm else None
        request |= {"as_stack": True, "stack_modality": source.modality, "stack_spacing_mm": spacing}
    result = _engine("prepare", request)
    target = importing.Target(
        project=source.project,
        patient=patient,
        study_id=identity.study_id_for(source.project.pk, origin),
        by=source.by,
        description=source.description,
        is_demo=source.is_demo,
        notice=source.notice,
    )
    imported = importing.write_prepared(target, importing.store_prepared(target, out, result["series"]))
    found = Series.objects.filter(pk__in=[*imported.series_ids, *imported.already]).select_related("study__project")
    done.series.extend(found.order_by("number", "created_at"))
    done.new += len(imported.series_ids)
    for series in found:
        state = _("imported") if series.pk in imported.series_ids else _("already there")
        source.say(f"{series.study.pseudonym} {series.modality} {series.description or '-'}: {state}")


def _engine(verb: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """One verb in a limited child; its refusals keep code and sentence."""
    try:
        return run_engine(verb, request, limits=PARSER_LIMITS.for_engine())
    except EngineFailed as error:
        raise LaminaError(error.code, error.message, 422, **error.facts) from None
    except EngineStopped as error:
        message = _("Reading the files stopped the engine (%(reason)s). Nothing was imported.")
        raise LaminaError("engine_stopped", message % {"reason": error.reason}, 500) from None
