"""The search column: words and, for Chinese, Japanese and Korean text, every run of two characters.

PostgreSQL's own parser cuts "LAM-0001" into a word and a negative number and takes a Chinese sentence for one
word, so the words are made here and stored as they are (`array_to_tsvector`). A query becomes the same words,
each matched as a prefix, all of them wanted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, Q, QuerySet, Value
from django.db.models.fields import BooleanField

LONGEST_WORD = 60
MOST_WORDS = 12  # of a query
FEW = 1000  # as many matches are found by the word index and sorted
RUNS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+|[^\W_]+", re.UNICODE)
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def _runs(text: str) -> Iterable[str]:
    """Runs of one script: 'CT海马' is two."""
    for piece in RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        yield from (part for part in re.split(f"({CJK.pattern}+)", piece) if part)


def words_of(*texts: str) -> list[str]:
    """The words a row is found by."""
    words: set[str] = set()
    for text in texts:
        for run in _runs(text):
            if CJK.match(run):
                words.update(run[i : i + 2] for i in range(len(run)))  # the last one is a single character
            else:
                words.add(run[:LONGEST_WORD])
    return sorted(words)


def _wanted(query: str) -> list[str]:
    wanted: list[str] = []
    for run in _runs(query):
        if CJK.match(run) and len(run) > 1:
            wanted.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            wanted.append(run[:LONGEST_WORD])
    return wanted[:MOST_WORDS]


def search_column(*texts: str) -> Func:
    """The value to store in the column."""
    return Func(Value(words_of(*texts)), function="array_to_tsvector", template="%(function)s(%(expressions)s::text[])",
                output_field=SearchVectorField())  # fmt: skip


class _Matches(Func):
    """words @@ query, where the query's words hold letters and digits only (see _runs), so nothing is quoted away."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def matching(rows: QuerySet, query: str, column: str = "words") -> QuerySet:
    """Rows that hold every word of `query`, each as a prefix. A query without a word changes nothing."""
    wanted = _wanted(query)
    if not wanted:
        return rows.none() if query.strip() else rows
    expression = " & ".join(f"'{word}':*" for word in wanted)
    match = Q(_Matches(column, Value(expression)))
    # PostgreSQL takes every prefix for a common one and would walk all rows in the page's order. So a rare query is
    # answered by the word index first; a common one finds its page soon by walking.
    few = list(rows.model._default_manager.filter(match).order_by().values_list("pk", flat=True)[: FEW + 1])
    return rows.filter(pk__in=few) if len(few) <= FEW else rows.filter(match)
