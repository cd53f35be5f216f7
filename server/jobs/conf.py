"""Periods of the job system, from the settings. Fault tests shorten them; STACK says what is safe otherwise."""

from __future__ import annotations

from django.conf import settings


def seconds(name: str, default: float) -> float:
    return float(getattr(settings, name, default))


def lease() -> float:
    """A beat counter that stands still this long means the worker is gone."""
    return seconds("LAMINA_LEASE_SECONDS", 10.0)


def beat() -> float:
    return seconds("LAMINA_BEAT_SECONDS", 1.0)


def sweep() -> float:
    return seconds("LAMINA_SWEEP_SECONDS", 3.0)


def hint() -> float:
    """A queue with waiting work gets a hint from the sweeper at most this often."""
    return seconds("LAMINA_HINT_SECONDS", 5.0)


def cancel_grace() -> float:
    """How long the engine has to stop by itself before its process group is killed."""
    return seconds("LAMINA_CANCEL_GRACE_SECONDS", 2.0)


def watchdog() -> float:
    """A worker that claims nothing for this long while work waits restarts."""
    return seconds("LAMINA_WATCHDOG_SECONDS", 30.0)


def progress_period() -> float:
    """At most two progress messages a second and job reach the browsers."""
    return seconds("LAMINA_PROGRESS_SECONDS", 0.5)


def engine_module() -> str:
    """The module whose process door the guard starts."""
    return str(getattr(settings, "LAMINA_ENGINE_MODULE", "server.engine"))
