"""Every sentence of the site has its Chinese one, with the same places to fill and the punctuation of the language."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages.pofile import read_po

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
LANGUAGES = sorted(path.name for path in (FRONTEND / "locale").iterdir() if (path / "LC_MESSAGES").is_dir())
FILES = ("django.po", "djangojs.po")
PLACE = re.compile(r"%%|%\(\w+\)[\d.+#-]*[a-zA-Z]|%[sd]\b|\{\w+\}")
HAN = r"[\u4e00-\u9fff]"
TOUCHING = re.compile(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}")
HALF_WIDTH = re.compile(rf"{HAN}\s?[,;:!?]|[,;:!?]{HAN}|{HAN}\.(?:\s|$)|\({HAN}|{HAN}\)")


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lamina_catalogue", FRONTEND / "catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=[(language, name) for language in LANGUAGES for name in FILES], ids=":".join)
def messages(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any], int]:
    """(file, message by its first sentence, plural forms of the language)."""
    language, name = request.param
    with (FRONTEND / "locale" / language / "LC_MESSAGES" / name).open("rb") as source:
        read = read_po(source, locale=language)
    known = {}
    for message in read:
        if message.id:
            known[message.id if isinstance(message.id, str) else message.id[0]] = message
    return name, known, read.num_plurals


def forms(message: Any) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_chinese_is_one_of_them() -> None:
    assert "zh_Hans" in LANGUAGES


def test_no_sentence_is_missing(catalogue: ModuleType, messages: tuple[str, dict[str, Any], int]) -> None:
    name, known, plurals = messages
    keys = catalogue.server_keys() if name == "django.po" else catalogue.browser_keys()
    missing = []
    for key in keys:
        first = key if isinstance(key, str) else key[0]
        message = known.get(first)
        wanted = 1 if isinstance(key, str) else plurals
        if message is None or len(forms(message)) != wanted or not all(forms(message)):
            missing.append(first)
    assert sorted(missing) == [], "translate these, after: python frontend/catalogue.py --extract"


def test_places_to_fill_are_the_same(messages: tuple[str, dict[str, Any], int]) -> None:
    _, known, _ = messages
    wrong = []
    for message in known.values():
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        allowed = [sorted(PLACE.findall(text)) for text in ids]
        wrong += [text for text in forms(message) if sorted(PLACE.findall(text)) not in allowed]
    assert wrong == []


def test_chinese_has_its_own_punctuation_and_space_round_latin(messages: tuple[str, dict[str, Any], int]) -> None:
    _, known, _ = messages
    wrong = []
    for message in known.values():
        for text in forms(message):
            bare = PLACE.sub("", text)
            if TOUCHING.search(bare) or HALF_WIDTH.search(bare):
                wrong.append(text)
    assert wrong == []
