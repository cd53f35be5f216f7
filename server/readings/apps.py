from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    """What readers say of a study: marks and numbers on its images."""

    name = "server.readings"
    label = "readings"

    def ready(self) -> None:
        from server.readings import events  # noqa: F401  registers the event types
