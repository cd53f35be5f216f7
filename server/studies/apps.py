from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """Patients by pseudonym, studies, series, instances; how files come in and how studies go away."""

    name = "server.studies"
    label = "studies"

    def ready(self) -> None:
        # Register events, streams, rooms, job kinds.
        from server.studies import events, jobs, presence, registration_jobs  # noqa: F401
