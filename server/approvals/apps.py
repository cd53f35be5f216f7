from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """What is said of a case in the end: its report."""

    name = "server.approvals"
    label = "approvals"

    def ready(self) -> None:
        from server.approvals.report import events, jobs  # noqa: F401  register event types and the kind of job
