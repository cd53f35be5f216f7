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


@dataclass(frozen=True)
class Stack:
    """PNG or JPEG pictures as one series, with what a person states of them. Spacing is (k, j, i) mm."""

    modality: str
    spacing_mm: tuple[float, float, float] | None = None


@dataclass
class LocalImport:
    """What came of it: `series` that are now in the project, `new` of them just written, and what was refused."""

    series: list[Series] = field(default_factory=list)
    new: int = 0
    refused: list[str] = field(default_factory=list)


def import_path(
    *,
    project: Project,
    path: Path,
    by: Any,
    modality: str = "",
    stack: Stack | None = None,
    is_demo: bool = False,
    notice: str = "",
    say: Say = lambda text: None,
) -> LocalImport:
    """Import a file, folder or zip. The same files again change nothing.

    `modality` says what a NIfTI file is. Raises LaminaError when the path is not there or nothing could be imported.
    """
    if not path.exists():
        raise LaminaError("not_found", _("%(path)s is not there.") % {"path": path}, 404)
    done = LocalImport()
    with storage.workspace("import") as folder:
        groups = {"stack": []} if stack else _chosen(path, modality, done, say)
        for number, (origin, chosen) in enumerate(groups.items()):
            out = folder / f"prepared-{number}"
            out.mkdir(mode=0o700)
            _import_group(project, path, by, origin, chosen, out, stack, is_demo, notice, done, say)
    if not done.series:
        message = " ".join(done.refused) or _("There is nothing to import at %(path)s.") % {"path": path}
        raise LaminaError("nothing_imported", message, 422)
    return done


def _chosen(path: Path, modality: str, done: LocalImport, say: Say) -> dict[str, list[dict[str, Any]]]:
    """Findings worth importing, by origin."""
    result = _engine("inspect", {"path": str(path)})
    hashes = intakes.hashes_below(path)
    groups: dict[str, list[dict[str, Any]]] = {}
    for finding in result["findings"]:
        say(f"{finding['verdict']}: {finding['message']}")
        kind = finding["modality"] or modality
        if not intakes.may_be_kept(finding) or finding["facts"].get("withheld"):
            done.refused.append(finding["message"])
        elif not kind:
            message = _("%(key)s does not say what made it. Add --modality CT, MR or PT.") % {"key": finding["key"]}
            done.refused.append(message)
        else:
            choice = {"key": finding["key"], "modality": kind, "patient_key": finding["facts"].get("patient_key")}
            groups.setdefault(identity.origin_of(finding, hashes), []).append(choice)
    return groups


def _import_group(
    project: Project,
    path: Path,
    by: Any,
    origin: str,
    chosen: Sequence[Mapping[str, Any]],
    out: Path,
    stack: Stack | None,
    is_demo: bool,
    notice: str,
    done: LocalImport,
    say: Say,
) -> None:
    """One study: prepare, store, write."""
    if stack is not None:
        hashes = intakes.hashes_below(path)
        origin = f"stack:{stack.modality}:{stack.spacing_mm}:{':'.join(sorted(hashes.values()))}"
    patient_key = next((choice["patient_key"] for choice in chosen if choice.get("patient_key")), None)
    patient = identity.patient_for(project, origin, patient_key)
    request = prepare_request(path.resolve(), out, patient, chosen)
    if stack is not None:
        request |= {"as_stack": True, "stack_modality": stack.modality, "stack_spacing_mm": stack.spacing_mm}
    result = _engine("prepare", request)
    study_id = identity.study_id_for(project.pk, origin)
    target = importing.Target(project, patient, study_id, by, is_demo=is_demo, notice=notice)
    stored = importing.store_prepared(target, out, result["series"])
    imported = importing.write_prepared(target, stored)
    found = Series.objects.filter(pk__in=[*imported.series_ids, *imported.already]).select_related("study__project")
    done.series.extend(found.order_by("number", "created_at"))
    done.new += len(imported.series_ids)
    for series in found:
        state = _("imported") if series.pk in imported.series_ids else _("already there")
        say(f"{series.study.pseudonym} {series.modality} {series.description or '-'}: {state}")


def _engine(verb: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """One verb in a limited child; its refusals keep code and sentence."""
    try:
        return run_engine(verb, request, limits=PARSER_LIMITS.for_engine())
    except EngineFailed as error:
        raise LaminaError(error.code, error.message, 422, **error.facts) from None
    except EngineStopped as error:
        message = _("Reading the files stopped the engine (%(reason)s). Nothing was imported.")
        raise LaminaError("engine_stopped", message % {"reason": error.reason}, 500) from None
