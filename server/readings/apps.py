from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    """What readers say of a study: marks and numbers on its images, and the cases they read it in."""

    name = "server.readings"
    label = "readings"

    def ready(self) -> None:
        from server.readings import events  # noqa: F401  registers the event types
        from server.readings.cases.sealing import CaseRule, may_see_reading
        from server.realtime.registry import register_stream
        from server.studies.sealing import register_rule

        register_rule(CaseRule())
        register_stream("reading", may_see=may_see_reading)
