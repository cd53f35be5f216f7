from django.apps import AppConfig


class ReconstructionsConfig(AppConfig):
    """Jobs that turn a series into segments and surfaces, and what they made."""

    name = "server.reconstructions"
    label = "reconstructions"

    def ready(self) -> None:
        from server.reconstructions import events, jobs  # noqa: F401  register event types and the job kinds
        from server.reconstructions.comparing import jobs as comparing_jobs  # noqa: F401
        from server.reconstructions.editing import working  # noqa: F401
