"""Marked texts as windows of pieces with marks and classes: what the encoder is fitted on.

Input : marked notes, the knowledge     Output: training.identifier_fit.encoder_fit.Examples
Beside the notes that the small head is fitted on stand lines of different notes put together, and invented charts, which name
nobody, with such lines between their sentences or without. Worked out in several processes; the same for the same seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tqdm import tqdm

from nlp_core.knowledge import Knowledge
from nlp_core.model_bundle import SHIPPED_BUNDLE
from training.deidentify.identifier_encoder.pieces import NO_TOKEN, tokenizer_with, windows_of
from training.deidentify.identifier_encoder.weights import base_file
from training.deidentify.identifier_encoder.word_marks import WordMarks
from training.deidentify.identifier_head.head import ruled_classes
from training.deidentify.identifier_head.tokens import GAPS, tokens_of
from training.deidentify.kinds import Found
from training.deidentify.notes import NoteCleaner, paragraphs_of
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded, simplified
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.encoder_fit import UNLABELLED, Examples
from training.identifier_fit.substitutes import Substitutes
from training.identifier_fit.training_notes import (
    MarkedText,
    frames,
    mixed,
    recased,
    tempting,
    training_notes,
    written_anew,
)
from training.model.chinese_vocabulary import characters_by_frequency
from training.synthetic_charts.charts import ChartWriter

_CHARTS_OF_CHARACTERS, _NOTES_OF_A_CHARACTER = 100, 3
_LINES = (2, 3, 4, 5, 6, 8)
_FRAMES = (1, 1, 2, 3, 5)
_PLAIN_CHARTS = 0.4
_TEMPTED = 0.3
_AT_ONCE = 64
_GAP_NUMBERS = {name: number for number, name in enumerate(GAPS, 1)}


_KINDS: dict[str, Any] = {
    "ids": np.uint16, "marks": np.uint32, "gaps": np.uint8, "ruled": np.uint8, "labels": np.uint8, "chinese": np.bool_,
}  # fmt: skip


class PieceRow(NamedTuple):
    """Of one window: what Examples has for each of its pieces; marks as rows."""

    ids: list[int]
    marks: list[tuple[int, ...]]
    gaps: list[int]
    ruled: list[int]
    labels: list[int]
    chinese: list[bool]


def encoder_notes(
    marked: Sequence[MarkedText], knowledge: Knowledge, *, copies: int, charts: int, seed: int
) -> Iterator[MarkedText]:
    """What the small head learns from, as many copies as asked for; lines of notes put together anew; charts."""
    yield from training_notes(marked, copies, seed)
    drawn = random.Random(seed + 1)  # noqa: S311 - no secret
    substitutes = Substitutes(drawn)
    pool = [line for note in marked for line in lines_of(note)] + frames()
    for _ in range(copies):
        order = pool.copy()
        drawn.shuffle(order)
        while order:
            chosen = [order.pop() for _ in range(min(len(order), drawn.choice(_LINES)))]
            chosen = [written_anew(line, substitutes, drawn) for line in chosen]
            if drawn.random() < _TEMPTED:
                chosen.insert(drawn.randrange(len(chosen) + 1), tempting(substitutes, drawn))
            yield together(chosen, drawn.choice(("\n", "\n", " ")))
    writer = ChartWriter(knowledge, seed=seed + 2)
    for chart in writer.charts(charts):
        for note in chart.notes:
            text = note.text
            if drawn.random() < _PLAIN_CHARTS:
                yield recased(MarkedText(text, ()), drawn)
            else:
                chosen = [written_anew(drawn.choice(pool), substitutes, drawn) for _ in range(drawn.choice(_FRAMES))]
                yield mixed(text, chosen, drawn)


def lines_of(note: MarkedText) -> Iterator[MarkedText]:
    """Its lines with what is marked in them; one within which no line ends may cut an identifier is not cut there."""
    at = 0
    for line in note.text.split("\n"):
        end = at + len(line)
        own = [one for one in note.identifiers if at <= one.start and one.end <= end]
        if line.strip():
            yield MarkedText(line, tuple(Found(one.start - at, one.end - at, one.kind) for one in own))
        at = end + 1


def together(texts: Sequence[MarkedText], between: str) -> MarkedText:
    """One text of several."""
    text, found = "", []
    for one in texts:
        text += between if text else ""
        found += [Found(part.start + len(text), part.end + len(text), part.kind) for part in one.identifiers]
        text += one.text
    return MarkedText(text, tuple(found))


@lru_cache(maxsize=1)
def _tools(characters: str) -> tuple[NoteCleaner, WordMarks, Tokenizer]:
    cleaner = NoteCleaner(Surrogates(b"fitting" * 8, vocabulary()))
    return cleaner, WordMarks(vocabulary()), tokenizer_with(base_file("tokenizer.json"), characters)


def added_characters() -> str:
    """Chinese characters in the free slots of the reading model's vocabulary, in their order, without those behind the base's last row."""
    base, reading = (names_by_place(path) for path in (base_file("tokenizer.json"), SHIPPED_BUNDLE / "tokenizer.json"))
    return "".join(reading[place] for place in sorted(base) if reading[place] != base[place])


def further_characters(marked: Sequence[MarkedText], knowledge: Knowledge, most: int, seed: int) -> str:
    """The Chinese characters that notes to fit on have beside those of base and reading model, the most frequent first.

    Of the notes written anew twice, whatever a fit's own number of copies: so that they hang on nothing but notes and seed.
    """
    notes = encoder_notes(marked, knowledge, copies=2, charts=_CHARTS_OF_CHARACTERS, seed=seed)
    of_notes = ["".join(set(simplified(folded(note.text)))) for note in notes]
    counts = Counter("".join(of_notes))
    known = set(added_characters()).union(names_by_place(base_file("tokenizer.json")).values())
    often = (c for c in characters_by_frequency(of_notes) if counts[c] >= _NOTES_OF_A_CHARACTER and c not in known)
    return "".join(islice(often, most))


def names_by_place(path: Path) -> dict[int, str]:
    """The vocabulary of a tokenizer.json."""
    return {place: name for name, place in orjson.loads(path.read_bytes())["model"]["vocab"].items()}


def rows_of(text: MarkedText, characters: str) -> list[PieceRow]:
    """Its windows, paragraph by paragraph, as they are read. characters: of the vocabulary, beside the base's."""
    cleaner, marks, tokenizer = _tools(characters)
    given = []
    for start, paragraph in paragraphs_of(text.text):
        plain = folded(paragraph)
        tokens = tokens_of(plain)
        if not tokens.starts:
            continue
        end = start + len(paragraph)
        own = [
            Found(o.start - start, o.end - start, o.kind) for o in text.identifiers if start <= o.start and o.end <= end
        ]
        labels, ruled = ruled_classes(tokens, own), ruled_classes(tokens, cleaner.ruled(paragraph))
        for window in windows_of(plain, tokens, tokenizer):
            row = PieceRow([], [], [], [], [], [])
            before = NO_TOKEN
            for piece, token in zip(window.ids, window.tokens, strict=True):
                none = token == NO_TOKEN
                row.ids.append(piece)
                row.marks.append(() if none else marks.rows(tokens.forms[token]))
                row.gaps.append(0 if none else _GAP_NUMBERS[tokens.gaps[token]])
                row.ruled.append(0 if none else int(ruled[token]))
                row.labels.append(UNLABELLED if none or token == before else int(labels[token]))
                row.chinese.append(not none and "|" in tokens.forms[token])
                before = token
            given.append(row)
    return given


def _rows_of_some(characters: str, texts: list[MarkedText]) -> tuple[list[PieceRow], set[int]]:
    rows = [row for text in texts for row in rows_of(text, characters)]
    return rows, _tools(characters)[1].listed


def _in_processes(
    texts: Iterable[MarkedText], characters: str, processes: int
) -> Iterator[tuple[list[PieceRow], set[int]]]:
    pending = iter(texts)
    work = iter(lambda: list(islice(pending, _AT_ONCE)), [])
    rows_of_some = partial(_rows_of_some, characters)
    if processes == 1:
        yield from map(rows_of_some, work)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(rows_of_some, work)


def examples(texts: Iterable[MarkedText], characters: str, *, processes: int = 1, quiet: bool = True) -> Examples:
    """All windows of all texts, in pieces of a vocabulary with these `characters` beside the base's."""
    sets: dict[tuple[int, ...], int] = {(): 0}
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _KINDS}
    starts, listed = [0], set[int]()
    for rows, seen in tqdm(
        _in_processes(texts, characters, processes), desc="texts", unit=f" x{_AT_ONCE}", disable=quiet
    ):
        listed |= seen
        for row in rows:
            starts.append(starts[-1] + len(row.ids))
            numbers = [sets.setdefault(marks, len(sets)) for marks in row.marks]
            for name, kind in _KINDS.items():
                columns[name].append(np.array(numbers if name == "marks" else getattr(row, name), kind))
    filled = np.zeros((len(sets), max(map(len, sets))), np.uint16)
    for marks, number in sets.items():
        filled[number, : len(marks)] = marks
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    return Examples(np.array(starts), sets=filled, listed=np.array(sorted(listed), np.uint16), **whole)
