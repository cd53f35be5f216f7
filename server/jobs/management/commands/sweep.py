"""manage.py sweep: run the sweeper until it is told to stop."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from server.jobs.sweeper import Sweeper


class Command(BaseCommand):
    help = "Free jobs of lost workers, repeat hints and clean up, until stopped."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        Sweeper().run(stop)
