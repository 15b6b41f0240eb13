"""Sentences of invented charts with what the heads must say of them.

Charts are cut into sentences as serving cuts them (nlp_core.sections); each keeps the gold spans inside it, whether it
tells anything, and how its findings move the diagnoses by the written knowledge. Knows texts and arrays, no tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language

from nlp_core.assertion import RULING_SECTIONS, Assertion
from nlp_core.knowledge import Knowledge
from nlp_core.neutral_words import NeutralText, neutral_with_offsets
from nlp_core.sections import sentences
from nlp_core.share_tables import ShareTables
from nlp_core.words import blank_pipeline
from training.synthetic_charts.charts import ChartWriter
from training.synthetic_charts.gold import GoldSentence, GoldSpan, WrittenNote
from training.synthetic_charts.styles import Charts
from training.synthetic_charts.wordings import Wordings

_BUFFER = 1500
"""Sentences that are mixed before they are drawn from."""


@dataclass(frozen=True, slots=True)
class SentenceExample:
    """One sentence; spans are offsets in `text`."""

    text: str
    spans: tuple[GoldSpan, ...]
    telling: bool
    ruled: bool
    """Its section rules how its findings are asserted."""


class SentenceSampler:
    """Draws sentences of charts that are written as they are needed; equal seeds draw equal sentences."""

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        seed: int,
        chinese: float,
        more: Iterator[SentenceExample] | None = None,
        share: float = 0.0,
        charts: Charts = "first",
        wordings: Wordings | None = None,
    ) -> None:
        """more: further sentences, without end; `share` of all sentences come from there.

        charts: how fully they are written. wordings: all of the knowledge's by default.
        """
        self._knowledge = knowledge
        self._writer_seed, self._chinese = seed, chinese
        self._random = np.random.default_rng(seed)
        self._more, self._share = more, share
        self._charts, self._wordings = charts, wordings
        self._nlp = blank_pipeline()
        self._tables = ShareTables.of(knowledge)
        self._row = {finding: row for row, finding in enumerate(knowledge.findings)}

    def batches(self, size: int, count: int) -> Iterator[list[SentenceExample]]:
        """`count` batches of `size` sentences from charts that never repeat."""
        stream = self._sentences()
        buffer = [next(stream) for _ in range(_BUFFER)]
        for _ in range(count):
            batch = []
            for place in self._random.choice(_BUFFER, size=size, replace=False):
                batch.append(buffer[place])
                buffer[place] = next(stream)
            yield batch

    def targets(self, batch: Sequence[SentenceExample]) -> NDArray[np.float32]:
        """[sentences, diagnoses]: how the findings of each move each diagnosis, as shares that add up to 1.

        A sentence that says nothing of the patient now moves nothing: its shares are equal.
        """
        moved = np.zeros((len(batch), self._tables.diagnoses), np.float32)
        for place, example in enumerate(batch):
            for span in example.spans:
                row = self._row.get(span.entry)
                if row is not None and span.assertion is Assertion.PRESENT:
                    moved[place] += self._tables.rows([row]).present[0]
                elif row is not None and span.assertion is Assertion.ABSENT:
                    moved[place] += self._tables.rows([row]).absent[0]
        odds = np.exp(self._tables.weights.evidence * (moved - moved.max(axis=1, keepdims=True)))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)

    def _sentences(self) -> Iterator[SentenceExample]:
        invented = self._invented()
        if self._more is None:
            yield from invented
            return
        while True:
            yield next(self._more if self._random.random() < self._share else invented)

    def _invented(self) -> Iterator[SentenceExample]:
        seed, wordings = self._writer_seed, self._wordings or Wordings(self._knowledge)
        while True:
            seed += 1000
            writer = ChartWriter(
                self._knowledge, seed=seed, chinese=self._chinese, wordings=wordings, charts=self._charts
            )
            for chart in writer.charts(500):
                for note in chart.notes:
                    yield from self.cut(note)

    def cut(self, note: WrittenNote) -> Iterator[SentenceExample]:
        """The sentences of one note with their gold."""
        return (example for _, _, example in cut_note(note.text, note.spans, note.sentence_spans, self._nlp))


def cut_note(
    text: str, spans: Sequence[GoldSpan], told: Sequence[GoldSentence], nlp: Language
) -> Iterator[tuple[int, int, SentenceExample]]:
    """Each sentence of a text with its place in it and the spans inside it."""
    for sentence in sentences(text, nlp):
        start, end = sentence.start, sentence.end
        inside = [s for s in spans if start <= s.start and s.end <= end]
        seen = neutral_with_offsets(text[start:end])
        yield (
            start,
            end,
            SentenceExample(
                text=seen.text,
                spans=tuple(_moved(span, start, seen) for span in inside),
                telling=any(one.telling and one.start < end and start < one.end for one in told),
                ruled=sentence.section in RULING_SECTIONS,
            ),
        )


def _moved(span: GoldSpan, start: int, seen: NeutralText) -> GoldSpan:
    """The span of a note as one of the sentence that begins at `start`, as the encoder sees it."""
    first = int(np.searchsorted(seen.starts, span.start - start))
    last = int(np.searchsorted(seen.ends, span.end - start, side="right"))
    return GoldSpan(first, last, span.entry, span.assertion)
