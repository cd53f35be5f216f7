from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The HTTP root: gathers each app's api.py and the pages."""

    name = "server.api"
    label = "api"
