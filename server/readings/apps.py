from django.apps import AppConfig


class ReadingsConfig(AppConfig):
    """What readers say of a study: marks and numbers on its images, and the cases they read it in."""

    name = "server.readings"
    label = "readings"

    def ready(self) -> None:
        from server.accounts.leaving import on_leaving
        from server.readings import events  # noqa: F401  registers the event types
        from server.readings.agreement import consensus, relying  # noqa: F401  register kinds of jobs
        from server.readings.agreement.settling import note_comparison, reads_complete
        from server.readings.cases.holding import on_reads_complete
        from server.readings.cases.sealing import CaseRule, may_see_reading
        from server.readings.cases.services import withdraw_readings
        from server.realtime.registry import register_stream
        from server.reconstructions.comparing.services import on_ready
        from server.studies.sealing import register_rule

        register_rule(CaseRule())
        on_leaving(withdraw_readings)
        register_stream("reading", may_see=may_see_reading)
        on_reads_complete(reads_complete)
        on_ready(note_comparison)
