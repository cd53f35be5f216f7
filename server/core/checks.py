"""What `serve` refuses to start with. The demo and the tests are not deployments and skip these."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import connection


@register(Tags.security, deploy=True)
def refuse_unsafe_settings(app_configs: Any, **kwargs: Any) -> list[Error]:
    errors = []
    if settings.DEBUG:
        errors.append(Error("LAMINA_DEBUG is on; pages would show settings and data. Unset it.", id="lamina.E001"))
    for name in ("LAMINA_SECRET_KEY", "LAMINA_ROOT_KEY"):
        if not os.environ.get(name):
            errors.append(Error(f"{name} is not set. Make one and keep it outside the database.", id="lamina.E002"))
    if len(settings.SECRET_KEY) < 50:
        errors.append(Error("LAMINA_SECRET_KEY is shorter than 50 characters.", id="lamina.E003"))
    if "*" in settings.ALLOWED_HOSTS:
        errors.append(Error("LAMINA_ALLOWED_HOSTS holds *. Name the hosts people use.", id="lamina.E004"))
    if settings.LAMINA_DEMO:
        errors.append(Error("LAMINA_DEMO is on. Demo people have printed passwords. Unset it.", id="lamina.E005"))
    if os.environ.get("LAMINA_TESTING"):
        errors.append(Error("LAMINA_TESTING is set: passwords would be hashed weakly. Unset it.", id="lamina.E007"))
    if not settings.LAMINA_TLS:
        errors.append(Error("LAMINA_TLS is not set. Serve behind TLS and set it to 1.", id="lamina.E006"))
    return errors


@register(Tags.database, deploy=True)
def refuse_unsafe_database(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    errors = []
    with connection.cursor() as cursor:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute("SELECT current_setting(%s)", [setting])
            if cursor.fetchone()[0] == "off":
                message = f"PostgreSQL runs with {setting} off: acknowledged work could be lost. Turn it on."
                errors.append(Error(message, id="lamina.E010"))
        cursor.execute("SELECT to_regclass('accounts_user')")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT count(*) FROM accounts_user WHERE is_demo AND is_active")
            if cursor.fetchone()[0]:
                message = "A demo account is active in this database. Deactivate it before serving people."
                errors.append(Error(message, id="lamina.E011"))
    return errors
