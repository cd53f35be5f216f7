from django.apps import AppConfig


class DiscussionsConfig(AppConfig):
    """What people ask each other about a study: threads pinned to a place, comments, mentions, notices."""

    name = "server.discussions"
    label = "discussions"

    def ready(self) -> None:
        from server.discussions import events, jobs  # noqa: F401  register event types and the kind of job
