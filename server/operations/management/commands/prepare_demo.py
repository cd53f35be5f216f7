"""`manage.py prepare_demo`: the demo's people, its project, its cases and what is to be made of them.

Called by `manage.py demo` at every start. Whatever is there already stays as it is; the answer, one line of JSON,
names every case with the job that reconstructs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from server.accounts.models import Project, Role, User
from server.accounts.services import add_member, create_project, create_user
from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.states import JobState
from server.reconstructions.services import request_reconstruction
from server.studies.local import import_path
from server.studies.models import Series, Study

PROJECT = "Demo"
# address -> (name shown, role in the project, decides where readers differ, runs the site)
PEOPLE = {
    "admin@lamina.example": ("Admin", Role.ADMIN, False, True),
    "reader.a@lamina.example": ("Reader A", Role.READER, False, False),
    "reader.b@lamina.example": ("Reader B", Role.READER, False, False),
    "adjudicator@lamina.example": ("Adjudicator", Role.READER, True, False),
}


class Command(BaseCommand):
    help = _("Make the demo's people, project and cases. manage.py demo calls this.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=Path, required=True, help=_("file with one address and password per line"))
        parser.add_argument("--cases", type=Path, required=True, help=_("JSON file naming the cases"))

    def handle(self, *args: Any, **options: Any) -> None:
        passwords = dict(text.split("\t")[:2] for text in options["people"].read_text().splitlines() if "\t" in text)
        try:
            admin = self._people(passwords)
            project = self._project(admin)
            cases = [
                answer
                for case in json.loads(options["cases"].read_text())
                for answer in self._case(project, admin, case)
            ]
        except LaminaError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps({"project": str(project.pk), "cases": cases}))

    def _people(self, passwords: dict[str, str]) -> User:
        """The admin; everybody who is missing is made. A password a person changed stays changed."""
        for email, (name, _role, _decides, runs_site) in PEOPLE.items():
            if not User.objects.filter(email=email).exists():
                create_user(
                    email=email, display_name=name, password=passwords[email], is_site_admin=runs_site, is_demo=True
                )
        return User.objects.get(email="admin@lamina.example")

    def _project(self, admin: User) -> Project:
        project = Project.objects.filter(name=PROJECT).first()
        if project is None:
            project = create_project(name=PROJECT, by=admin)
            for email, (_name, role, decides, _runs_site) in PEOPLE.items():
                person = User.objects.get(email=email)
                if person != admin:
                    add_member(project=project, user=person, role=role, is_adjudicator=decides, by=admin)
        return project

    def _case(self, project: Project, admin: User, case: dict[str, Any]) -> list[dict[str, str]]:
        """Import a case unless it is there, and ask for what is missing. Nothing for one that a person binned."""
        study = Study.objects.filter(project=project, is_demo=True, notice=case["notice"]).first()
        if study is None:
            import_path(
                Path(case["path"]), project=project, by=admin, description=case["name"], modality=case["modality"],
                is_demo=True, notice=case["notice"],
            )  # fmt: skip
            study = Study.objects.get(project=project, is_demo=True, notice=case["notice"])
        if study.state != "active":
            return []
        series = Series.objects.filter(study=study, is_volume=True).order_by("created_at").first()
        if series is None:
            raise CommandError(_("The demo case “%s” was not taken as a volume.") % case["name"])
        answers = []
        for algorithm in case["algorithms"]:
            answer = {"name": case["name"], "algorithm": algorithm, "study": str(study.pk), "job": "", "error": ""}
            try:
                answer["job"] = str(self._job(series, admin, algorithm).pk)
            except LaminaError as error:
                # One algorithm out of service must not keep people from the rest.
                answer["error"] = str(error)
            answers.append(answer)
        return answers

    def _job(self, series: Series, admin: User, algorithm: str) -> Job:
        """The job that made, makes or will make this reconstruction; a new one where the last ended badly."""
        jobs = Job.objects.filter(
            kind="reconstruction", parameters__series_id=str(series.pk), parameters__algorithm=algorithm
        ).order_by("-created_at")
        good = jobs.exclude(state__in=[JobState.FAILED, JobState.CANCELLED]).first()
        if good is not None:
            return good
        key = f"demo:{series.pk}:{algorithm}:{jobs.count()}"
        return request_reconstruction(series=series, by=admin, algorithm=algorithm, idempotency_key=key)
