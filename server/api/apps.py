from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The HTTP root: gathers each app's api.py and the pages."""

    name = "server.api"
    label = "api"

    def ready(self) -> None:
        from server.api import schema  # noqa: F401  teaches the OpenAPI document how people sign in
