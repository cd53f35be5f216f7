"""Sentences for the codes that intake answers with. The engine's catalogue knows the rules; the server adds its own."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from server import engine

OWN = {
    "storage_full": _("Storage is full. Free space, then try again."),
    "integrity_error": _("A received file is damaged. Send the files again."),
    "checksum_mismatch": _("A file is not what was sent: its SHA-256 differs. Send the files again."),
    "out_of_memory": _("Reading the files needed more memory than it may use. Send fewer series at a time."),
    "worker_lost": _("The files stopped the worker three times. Send fewer series at a time."),
    "cancelled": _("Cancelled."),
    "time_limit": _("Reading the files took too long. Send fewer series at a time."),
    "conflicting_study": _("This study is already in the project with other files. Erase that study first."),
    "conflicting_series": _(
        "The study already holds this series with other images. Erase it first, then import again."
    ),
    "study_in_bin": _("This study lies in the bin. Restore or erase it, then import again."),
    "upload_gone": _("This upload is over: it was imported, given up or older than 24 hours. Send the files again."),
}


def reason_text(code: str) -> str:
    """Rule and cure of a code, without anything from a file."""
    if code in OWN:
        return str(OWN[code])
    text = engine.reason_texts().get(code)
    return gettext(text) if text else gettext("The files could not be read. Send them again, or fewer at a time.")
