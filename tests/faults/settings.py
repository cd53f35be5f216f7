"""The product's settings with a private Redis, shorter leases and the test kinds of tests/faults/app.py."""

import os

from server.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.app.FaultsConfig"]  # noqa: F405
LAMINA_ENGINE_MODULE = "tests.faults.engine_door"

for _name in ("BEAT", "CANCEL_GRACE", "WATCHDOG", "WATCH", "SLOW"):
    if _value := os.environ.get(f"LAMINA_TEST_{_name}_SECONDS"):
        globals()[f"LAMINA_{_name}_SECONDS"] = float(_value)
