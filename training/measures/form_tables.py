"""How well answers of tables and forms are read: tables of common complaints written by training.synthetic_charts, read by the shipped rules.

Input  : layouts and cells of patterns/fuller_*.yaml     Output: the share of findings asserted as they were filled in, with and without the
reader of forms (nlp_core.filled_forms). The reader was mended on these layouts, so its figures flatter; what words alone get right does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from training.measures.assertion_texts import LANGUAGES
from training.measures.judge_assertions import SpanReader
from training.synthetic_charts.fuller_patterns import fuller_patterns
from training.synthetic_charts.gold import WrittenNote
from training.synthetic_charts.stories import Told
from training.synthetic_charts.tables import TableWriter

TABLES = 400
"""Of each language."""
_ROWS = 5
_NAMES: dict[Language, tuple[str, ...]] = {
    "en": ("fever", "cough", "vomiting", "headache", "chest pain", "rash", "palpitations", "diarrhea"),
    "zh": ("发热", "咳嗽", "呕吐", "头痛", "胸痛", "皮疹", "心悸", "腹泻"),
}
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"duration": "3 days", "past": "years ago", "past_year": "2009", "relative": "mother", "Relative": "Mother", "his": "her"},
    "zh": {"duration": "3天", "past": "多年前", "past_year": "2009", "relative": "母亲"},
}  # fmt: skip
_FILLED_IN = (
    Assertion.PRESENT,
    Assertion.ABSENT,
    Assertion.ABSENT,
    Assertion.POSSIBLE,
    Assertion.PAST,
    Assertion.FAMILY,
)


@dataclass(frozen=True, slots=True)
class FilledCell:
    """Characters `[start, end)` of a table name a finding, which is filled in so."""

    table: str
    start: int
    end: int
    assertion: Assertion


def filled_cells(language: Language, tables: int = TABLES) -> Iterator[FilledCell]:
    """Of so many tables, each in a layout of its own; the same every time."""
    patterns, words = fuller_patterns(language).tables, _WORDS[language]
    for seed in range(tables):
        random = np.random.default_rng(seed)
        writer = TableWriter(patterns, random, lambda told: told.entry, words.__getitem__)
        told = [Told(name, _FILLED_IN[int(random.integers(len(_FILLED_IN)))]) for name in _some(language, random)]
        note = WrittenNote("", "", language, tuple(writer.lines(told)))
        yield from (FilledCell(note.text, span.start, span.end, span.assertion) for span in note.spans)


def _some(language: Language, random: np.random.Generator) -> list[str]:
    return [str(name) for name in random.permutation(_NAMES[language])[:_ROWS]]


def lines(tables: int = TABLES) -> Iterator[str]:
    """The part of docs/evaluation.md."""
    both, words = SpanReader(), SpanReader(forms=False)
    yield "### Tables and forms"
    yield ""
    yield f"{tables} tables of each language in the layouts of our invented charts (rows, boxes, signs, pairs), findings read as they were filled in,"
    yield "in percent. The reader of forms was mended on these layouts, so its figures flatter."
    yield ""
    yield "| language | filled in as | findings | words alone | with the reader of forms |"
    yield "|---|---|---:|---:|---:|"
    for language in LANGUAGES:
        cells = list(filled_cells(language, tables))
        by_words, by_both = (
            [reader.asserted(cell.table, (cell.start, cell.end)) is cell.assertion for cell in cells]
            for reader in (words, both)
        )
        for assertion in (*dict.fromkeys(_FILLED_IN), None):
            own = [place for place, cell in enumerate(cells) if assertion in (None, cell.assertion)]
            shares = [100 * sum(right[place] for place in own) / len(own) for right in (by_words, by_both)]
            yield f"| {language} | {assertion or 'all'} | {len(own)} | {shares[0]:.0f} | {shares[1]:.0f} |"
    yield ""
