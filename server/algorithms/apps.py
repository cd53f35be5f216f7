from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AlgorithmsConfig(AppConfig):
    """What the engine can do, version by version, and which of it is in service."""

    name = "server.algorithms"
    label = "algorithms"

    def ready(self) -> None:
        post_migrate.connect(_sync_after_migrate, sender=self)


def _sync_after_migrate(**kwargs: object) -> None:
    """A new release may bring new algorithms; the rows follow the engine at every migration."""
    from server.algorithms.services import sync_algorithms

    sync_algorithms()
