"""Words and two-character runs: what a row is found by."""

from __future__ import annotations

from typing import Any

import pytest

from server.studies.models import Study
from server.studies.search import matching, words_of


def test_words_are_folded_and_numbers_keep_their_zeros() -> None:
    assert words_of("LAM-0001, T1 Ax") == ["0001", "ax", "lam", "t1"]


def test_chinese_text_becomes_runs_of_two() -> None:
    assert words_of("左侧海马") == ["侧海", "左侧", "海马", "马"]


def test_scripts_are_told_apart() -> None:
    assert {"ct", "海马"} <= set(words_of("CT海马"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("海马", True),  # inside a longer run
        ("海", True),
        ("马海", False),
        ("lam-0001", True),
        ("LAM0001", True),
        ("thor", True),
        ("thor ct", True),
        ("thor mr", False),
        ("2020", True),
        ("'; DROP TABLE", False),
        ("|&!():*", False),
        ("  ", True),
    ],
)
def test_a_study_is_found(make_project: Any, make_study: Any, query: str, found: bool) -> None:
    make_study(make_project(), description="Thorax", study_description="左侧海马体检查")
    assert matching(Study.objects.all(), query).exists() is found
