"""`manage.py create_admin`: the first person of a new site, who can then invite the others."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from server.accounts.services import create_user
from server.core.errors import LaminaError


class Command(BaseCommand):
    help = _("Make a site admin. The password is asked for, or read from LAMINA_ADMIN_PASSWORD.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", help=_("the admin's e-mail address; asked for when left out"))
        parser.add_argument("--name", default="", help=_("the name others see"))

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"] or self._ask(_("E-mail address: "), _("Name the e-mail address as first argument."))
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(_("“%s” is no e-mail address.") % email) from None
        password = os.environ.get("LAMINA_ADMIN_PASSWORD") or self._new_password()
        try:
            create_user(email=email, display_name=options["name"], password=password, is_site_admin=True)
        except LaminaError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(_("%s is a site admin now. Sign in and make a project.") % email)

    def _ask(self, question: str, cure: str) -> str:
        if not sys.stdin.isatty():
            raise CommandError(cure)
        return input(question).strip()

    def _new_password(self) -> str:
        if not sys.stdin.isatty():
            raise CommandError(_("There is no terminal to ask on; set LAMINA_ADMIN_PASSWORD."))
        password = getpass.getpass(_("Password (12 characters or more): "))
        if getpass.getpass(_("The same again: ")) != password:
            raise CommandError(_("The two passwords differ; nothing was made."))
        return password
