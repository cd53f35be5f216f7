from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from server.algorithms.selectors import versions
from server.algorithms.services import sync_algorithms


class Command(BaseCommand):
    """Run after replacing the engine or its weights without a migration."""

    help = "Make the list of algorithms equal to what the engine describes."

    def handle(self, *args: Any, **options: Any) -> None:
        sync_algorithms()
        for row in versions():
            state = "in service" if row.in_service else f"out of service ({row.disabled_reason})"
            self.stdout.write(f"{row.algorithm.name} {row.version}: {state}")
