from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "server.realtime"
    label = "realtime"

    def ready(self) -> None:
        from server.realtime import sessions

        sessions.watch_sign_outs()
