from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """Patients by pseudonym, studies, series, instances; how files come in and how studies go away."""

    name = "server.studies"
    label = "studies"

    def ready(self) -> None:
        from server.studies import events, jobs  # noqa: F401  register event types, streams, job kinds, cleaning
