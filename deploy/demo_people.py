"""The people of the demo and their passwords, kept in a 0600 file of LAMINA_HOME."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.home import Home, write_private

FILE = "demo-people.txt"
# No vowels and nothing that looks like a digit: easy to read out, and no word by accident. 4 groups hold 69 bits.
LETTERS = "bcdfghjkmnpqrstvwxz"
HEAD = "# Demo people of this Lamina: address, password. Random, made on this machine, readable by you only."


@dataclass(frozen=True)
class Person:
    email: str
    purpose: str
    password: str


PURPOSES = {
    "admin@lamina.example": "Admin: people, projects, operations",
    "reader.a@lamina.example": "Reader A",
    "reader.b@lamina.example": "Reader B",
    "adjudicator@lamina.example": "Adjudicator: a reader who decides where two differ",
}


def people(home: Home) -> list[Person]:
    """The demo people; passwords are made on the first call and kept."""
    path = home.folder / FILE
    kept = _read(path)
    if not kept.keys() >= PURPOSES.keys():
        kept = {email: kept.get(email) or _password() for email in PURPOSES}
        write_private(path, "\n".join([HEAD, *(f"{email}\t{password}" for email, password in kept.items())]))
    return [Person(email, purpose, kept[email]) for email, purpose in PURPOSES.items()]


def _read(path: Path) -> dict[str, str]:
    try:
        rows = [text.split("\t") for text in path.read_text().splitlines() if "\t" in text]
    except OSError:
        return {}
    return {row[0]: row[1] for row in rows}


def _password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
