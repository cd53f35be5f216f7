from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """The admin's pages: queue, workers, storage, health, and the commands that run the site."""

    name = "server.operations"
    label = "operations"
