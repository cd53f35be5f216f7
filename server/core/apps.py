from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What every other app stands on: base model, errors, storage, audit, time."""

    name = "server.core"
    label = "core"

    def ready(self) -> None:
        from server.core import checks  # noqa: F401  registers the system checks
