"""Every installed distribution has a licence that Lamina may be shipped with."""

from __future__ import annotations

import importlib.metadata
import re
import warnings

import pytest

from deploy.environment import LOCK

FREE = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|HPND|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|BSL-1\.0|Boost|ZPL"
    r"|Unlicense|TCL|MPL|Mozilla Public License|LLVM)",
    re.IGNORECASE,
)
LESSER = re.compile(r"\bLGPL|Lesser General Public", re.IGNORECASE)
BINDING = re.compile(r"\bA?GPL|(?:Affero|GNU) General Public", re.IGNORECASE)
# LGPL, used unchanged as a library of its own: fine, and named.
LESSER_ALLOWED = {"psycopg", "psycopg-binary", "psycopg-pool"}
# Their metadata holds a classifier or text that a rule cannot read; each was looked up in the package's own files.
READ_BY_HAND = {
    "qrcode": "BSD",  # a second classifier says "Other/Proprietary" for a part under MIT
}


def _name(distribution: importlib.metadata.Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()


def _declared(distribution: importlib.metadata.Distribution) -> str:
    """What a distribution says of its licence: the expression, else classifiers, else the first words of the text."""
    meta = distribution.metadata
    if expression := meta.get("License-Expression"):
        return str(expression)
    classifiers = [text for text in meta.get_all("Classifier") or [] if text.startswith("License ::")]
    named = [text.rsplit("::", 1)[1].strip() for text in classifiers if text != "License :: OSI Approved"]
    return "; ".join(named) or " ".join((meta.get("License") or "").split())[:300]


def _verdict(name: str, declared: str) -> str:
    """ "free", "lesser", "binding" or "unknown"."""
    if name in READ_BY_HAND:
        return "free"
    if BINDING.search(LESSER.sub("", declared)):
        # A choice between a free and a binding licence is free: "Apache-2.0 OR GPL-2.0".
        return "free" if " OR " in declared and FREE.search(declared) else "binding"
    if LESSER.search(declared):
        return "lesser"
    return "free" if FREE.search(declared) else "unknown"


def _installed() -> dict[str, str]:
    found = {_name(d): _declared(d) for d in importlib.metadata.distributions() if d.metadata["Name"]}
    return {name: text for name, text in found.items() if name != "lamina"}


def test_every_installed_licence_may_be_shipped() -> None:
    verdicts = {name: _verdict(name, text) for name, text in _installed().items()}
    bad = {name: _installed()[name] for name, verdict in verdicts.items() if verdict in ("binding", "unknown")}
    assert bad == {}
    lesser = {name for name, verdict in verdicts.items() if verdict == "lesser"}
    if lesser:
        warnings.warn(f"LGPL, used as separate libraries: {', '.join(sorted(lesser))}", stacklevel=1)
    assert lesser <= LESSER_ALLOWED


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        ("MIT", "free"),
        ("GPL-3.0-or-later", "binding"),
        ("AGPL-3.0-only", "binding"),
        ("GNU General Public License v2 (GPLv2)", "binding"),
        ("LGPL-3.0-only", "lesser"),
        ("Apache-2.0 OR GPL-2.0-only", "free"),
        ("MIT AND GPL-2.0-only", "binding"),
        ("", "unknown"),
        ("Proprietary", "unknown"),
    ],
)
def test_the_rule_tells_licences_apart(declared: str, verdict: str) -> None:
    assert _verdict("some-package", declared) == verdict


def test_everything_installed_is_locked() -> None:
    """Nothing slips in beside the lock files. (They may hold more: other platforms, other Pythons.)"""
    locked = {
        re.sub(r"[-_.]+", "-", name).lower()
        for path in LOCK.glob("*.txt")
        for name in re.findall(r"^([A-Za-z0-9_.-]+)==", path.read_text(), flags=re.M)
    }
    tools = {"pip", "setuptools", "wheel"}
    cuda = {name for name in _installed() if name.startswith(("nvidia-", "cuda-")) or name == "triton"}
    assert set(_installed()) - locked - tools - cuda == set()
