from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from server.accounts.models import Project, User
from server.accounts.services import create_project
from server.algorithms.selectors import version_named
from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.states import JobState
from server.jobs.worker import work
from server.reconstructions.models import Segmentation
from server.reconstructions.selectors import why_not
from server.reconstructions.services import request_reconstruction
from server.studies.local import LocalImport, import_path
from server.studies.models import Series

MODALITIES = ("CT", "MR", "PT", "CR", "DX")


def spacing(text: str) -> tuple[float, float, float]:
    """Three numbers above zero, in mm, in array order k, j, i."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 3 or not all(0 < value < 1000 for value in values):
        raise argparse.ArgumentTypeError("give three numbers in mm, slices first: 3.0,0.5,0.5")
    return values  # type: ignore[return-value]


class Command(BaseCommand):
    """Safe to repeat: the same files again make no second study, a result that is there is not made again."""

    help = "Import a file, folder or zip of DICOM or NIfTI (or pictures as a stack) into a project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--project", required=True, metavar="NAME")
        parser.add_argument("--create-project", action="store_true", help="make the project when it is not there")
        parser.add_argument("--by", metavar="EMAIL", default="", help="the person it is done for")
        parser.add_argument("--as-stack", action="store_true", help="PNG or JPEG pictures are one series")
        parser.add_argument("--modality", choices=MODALITIES, default="", help="of a NIfTI file or a stack")
        parser.add_argument("--spacing", type=spacing, default=None, metavar="K,J,I", help="of a stack, in mm")
        parser.add_argument("--reconstruct", metavar="ALGORITHM", default="")
        parser.add_argument("--wait", action="store_true", help="until the reconstruction has ended")
        parser.add_argument("--description", default="", help="of the study, where the files have none")
        parser.add_argument("--demo", action="store_true", help="mark the study as a demo case")
        parser.add_argument("--notice", default="", help="what the makers of the data ask to be shown")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["as_stack"] and not options["modality"]:
            raise CommandError("--as-stack needs --modality: pictures do not say what made them.")
        if options["spacing"] and not options["as_stack"]:
            raise CommandError("--spacing belongs to --as-stack: other files carry their own spacing.")
        try:
            by = self._person(options["by"])
            project = self._project(options["project"], options["create_project"], by)
            if options["reconstruct"]:
                version_named(options["reconstruct"])  # an unknown algorithm stops before anything is written
            done = import_path(
                options["path"],
                project=project,
                by=by,
                description=options["description"],
                modality=options["modality"],
                as_stack=options["as_stack"],
                spacing_mm=options["spacing"],
                is_demo=options["demo"],
                notice=options["notice"],
                say=self.stdout.write,
            )
            if options["reconstruct"]:
                self._reconstruct(done, options["reconstruct"], by, options["wait"])
        except LaminaError as error:
            raise CommandError(error.message) from None

    def _person(self, email: str) -> User | None:
        if not email:
            return User.objects.filter(is_site_admin=True, is_active=True).order_by("created_at").first()
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"There is nobody with the address {email}.")
        return user

    def _project(self, name: str, create: bool, by: User | None) -> Project:
        project = Project.objects.filter(Q(name__iexact=name) | Q(slug=name)).first()
        if project is not None:
            return project
        if not create:
            known = ", ".join(Project.objects.order_by("name").values_list("name", flat=True)) or "none yet"
            raise CommandError(f'There is no project "{name}". Projects: {known}. Add --create-project to make it.')
        if by is None:
            raise CommandError("A project needs a first admin. Make one with: python3 manage.py create_admin")
        return create_project(name=name, by=by)

    def _reconstruct(self, done: LocalImport, algorithm: str, by: User | None, wait: bool) -> None:
        version = version_named(algorithm)
        reasons = {series.pk: why_not(version, series) for series in done.series}
        fitting = [series for series in done.series if not reasons[series.pk]]
        if not fitting:
            raise CommandError(" ".join(dict.fromkeys(sentence for why in reasons.values() for sentence in why)))
        for series in fitting:
            self._reconstruct_one(series, algorithm, version.pk, by, wait)

    def _reconstruct_one(self, series: Series, algorithm: str, version_id: Any, by: User | None, wait: bool) -> None:
        name = f"{series.study.pseudonym} {algorithm}"
        if Segmentation.objects.filter(series=series, algorithm_version_id=version_id).exists():
            self.stdout.write(f"{name}: already there")
            return
        open_jobs = Job.objects.filter(
            kind="reconstruction",
            state__in=[JobState.QUEUED, JobState.RUNNING],
            parameters__series_id=str(series.pk),
            parameters__version_id=str(version_id),
        )
        job = open_jobs.first() or request_reconstruction(series=series, by=by, algorithm=algorithm)
        if not wait:
            self.stdout.write(f"{name}: job {job.pk} is in line")
            return
        self.stdout.write(f"{name}: job {job.pk} runs")
        job = work("recon", until_job=job.pk)
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"{name}: {job.state}. {job.error_message}")
        for segment in job.segmentation.segments.order_by("number"):
            volume = "volume unknown" if segment.volume_ml is None else f"{segment.volume_ml:.1f} mL"
            self.stdout.write(f"{name}: {segment.label}, {volume}")
