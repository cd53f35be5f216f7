from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, projects, roles, invitations, sessions."""

    name = "server.accounts"
    label = "accounts"

    def ready(self) -> None:
        from server.accounts import streams  # noqa: F401  says who may hear user:<id>
