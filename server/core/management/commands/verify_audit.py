"""`manage.py verify_audit FILE`: is an exported audit chain whole? Asks no database and no server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from server.core import audit

NEEDED = frozenset({"chain", "entries", "head", "public_key"})


class Command(BaseCommand):
    help = _("Verify an exported audit chain: every hash, the order, and the signature of its head.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=_("the exported chain (JSON)"))
        parser.add_argument(
            "--key",
            type=Path,
            help=_(
                "a file with the public key (hexadecimal) you were given before; without it the export's own is used"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        export = self._export(options["file"])
        problems = audit.verify_export(export)
        if options["key"] is not None and self._key(options["key"]) != export["public_key"]:
            problems = [*problems, _("it was signed with another key than the one you gave")]
        if problems:
            raise CommandError(_("The chain is not whole: %s.") % "; ".join(problems))
        head = export["head"] or {"position": 0, "hash": audit.GENESIS}
        words = _("The chain is whole: %(count)d entries, head %(hash)s, signed with key %(key)s.")
        self.stdout.write(words % {"count": head["position"], "hash": head["hash"], "key": export["public_key"]})
        if options["key"] is None:
            # Whoever forges a whole chain can sign it with a key of their own.
            self.stdout.write(_("The key came with the file. Compare it with one you were given before, or use --key."))

    def _export(self, path: Path) -> dict[str, Any]:
        try:
            export = json.loads(path.read_text())
        except OSError as error:
            raise CommandError(_("Cannot read %(file)s: %(why)s.") % {"file": path, "why": error.strerror}) from None
        except ValueError:
            raise CommandError(_("%s is no exported chain: it is not JSON.") % path) from None
        if not isinstance(export, dict) or not export.keys() >= NEEDED or not isinstance(export["entries"], list):
            raise CommandError(_("%s is no exported chain: download it again from the project's page.") % path)
        return export

    def _key(self, path: Path) -> str:
        try:
            return path.read_text().strip().lower()
        except (OSError, UnicodeDecodeError):
            raise CommandError(_("Cannot read the key file %s.") % path) from None
