"""Do other ways of running the encoder show the same cards? Read through the serving path (nlp_core.assess).

Input : charts, and ways of running the encoder, the first of which is held for right
Output: for each way, how often silence and the five diagnoses in their order are the same, and the first three
One more way is a cascade: a way in 8 bits reads everything, and fp32 reads again what a card may hang on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.encoder_variants import Run, inputs_of
from nlp_core.assertion import RULING_SECTIONS, Assertion
from nlp_core.assess import Reader
from nlp_core.batches import Batch
from nlp_core.chart import Chart
from nlp_core.clauses import SKIPPED_SECTIONS
from nlp_core.concepts import LEAST_FINDING, LEAST_LIKENESS, ConceptReader
from nlp_core.encoder import HeadAnswers, Vectors, embed_texts
from nlp_core.mentions import Mention, ReadSentence
from nlp_core.model_bundle import NAMES, Bundle
from nlp_core.name_index import NameIndex
from nlp_core.second_reader import SUREST_ASSERTION, NamedNote, SecondReader, SecondReading
from nlp_core.sentence_readings import SentenceEncoder, SentenceReading
from training.measures.evaluate import SETS, asked_rows
from training.measures.own_cases import DEVELOPMENT, TEST, coded_chart, read_cases
from training.measures.remembering_reader import RememberingSentences

SHOWN, FIRST = 5, 3
FRAME = 2
"""Tokens around a sentence."""
MARGIN_LIKENESS, MARGIN_PROBABILITY = 0.03, 0.1
"""How near to what decides a reading in 8 bits may come before fp32 reads the sentence again."""


@dataclass(frozen=True)
class Encoded:
    """An Encoder (nlp_core.encoder) over any way of running it."""

    run: Run
    bundle: Bundle
    width: int = 384
    longest: int = 512
    has_heads: bool = True

    def encode(self, batch: Batch) -> Vectors:
        return self.run(inputs_of(batch))[0]

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        vectors, *answers = self.run(inputs_of(batch))
        return vectors, HeadAnswers(*answers)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return embed_texts(texts, tokenizer=self.bundle.tokenizer(), encode=self.encode, width=self.width)


@dataclass(frozen=True)
class Agreement:
    """Shares of texts."""

    whole: float
    """Silent in both for the same reason or in neither, and the same five diagnoses in the same order."""
    first: float
    """The same with the first three."""
    again: float = 0.0
    """Of a cascade: share of the tokens that fp32 reads again."""


@dataclass(frozen=True)
class Card:
    silence: str | None
    diagnoses: tuple[str, ...]


def agreements(
    runs: Mapping[str, Run], charts: Sequence[Chart], bundle: Bundle, cascade: str | None = None
) -> dict[str, Agreement]:
    """Of each way with the first. cascade: the way that reads first in one; its result stands under `cascade, then fp32`."""
    sentences = {
        name: RememberingSentences(Encoded(run, bundle), bundle.tokenizer()) for name, run in runs.items() if charts
    }
    found: dict[str, Agreement] = {}
    wanted: list[Card] = []
    for name, read in sentences.items():
        cards = _cards(bundle.second_reader_with(Encoded(runs[name], bundle), read), bundle, charts, name)
        wanted = wanted or cards
        found[name] = _agreement(wanted, cards)
    if cascade in sentences:
        exact = next(iter(sentences.values()))
        second = Cascade(sentences[cascade], exact, Encoded(runs[cascade], bundle), bundle)
        cards = _cards(second, bundle, charts, cascaded(cascade))
        found[cascaded(cascade)] = _agreement(wanted, cards, second.again / max(1, second.tokens))
    return found


def cascaded(first: str) -> str:
    return f"{first}, then fp32"


def _cards(second: SecondReader, bundle: Bundle, charts: Iterable[Chart], name: str) -> list[Card]:
    reader = Reader.load(bundle.path, second=second)
    assessed = (reader.assess(chart) for chart in tqdm(charts, desc=name, unit="text", mininterval=5))
    return [Card(one.silence, tuple(candidate.diagnosis for candidate in one.candidates[:SHOWN])) for one in assessed]


def _agreement(wanted: Sequence[Card], found: Sequence[Card], again: float = 0.0) -> Agreement:
    pairs = list(zip(wanted, found, strict=True))
    first = sum((a.silence, a.diagnoses[:FIRST]) == (b.silence, b.diagnoses[:FIRST]) for a, b in pairs)
    return Agreement(sum(a == b for a, b in pairs) / len(pairs), first / len(pairs), again)


class Cascade(SecondReader):
    """Reads every sentence by `first`; by `exact` once more where a concept or an assertion is found or nearly found."""

    def __init__(self, first: SentenceEncoder, exact: SentenceEncoder, encoder: Encoded, bundle: Bundle) -> None:
        self._given = _Given(encoder, bundle.tokenizer())
        self._reader = bundle.second_reader_with(encoder, self._given)
        with_margin = {language: least - MARGIN_LIKENESS for language, least in LEAST_LIKENESS.items()}
        index, least = NameIndex.load(bundle.file(NAMES)), LEAST_FINDING - MARGIN_PROBABILITY
        self._nearly = ConceptReader(encoder, index, least_likeness=with_margin, least_finding=least)
        self._first, self._exact = first, exact
        self.tokens, self.again = 0, 0

    @property
    def sentences(self) -> SentenceEncoder:
        return self._exact

    def read(self, notes: Sequence[NamedNote]) -> list[SecondReading]:
        return [self._read_one_note(note) for note in notes]

    def _read_one_note(self, note: NamedNote) -> SecondReading:
        mentions = note.mentions
        asked = [read for read in note.sentences if read.sentence.section not in RULING_SECTIONS & SKIPPED_SECTIONS]
        texts = list(dict.fromkeys(read.sentence.span.text for read in asked))
        readings = dict(zip(texts, self._first.read(texts), strict=True))
        again = list({read.sentence.span.text: None for read in asked if self._may_decide(read, mentions, readings)})
        exact = dict(zip(again, self._exact.read(again), strict=True))
        self.tokens += sum(map(_tokens, readings.values()))
        self.again += sum(map(_tokens, exact.values()))
        self._given.readings = readings | exact
        (said,) = self._reader.read([note])
        return said

    def _may_decide(
        self, read: ReadSentence, mentions: Sequence[Mention], readings: Mapping[str, list[SentenceReading]]
    ) -> bool:
        if self._nearly.find([read], readings):
            return True
        begun, end = read.sentence.start, read.sentence.end
        places = (read.view.from_note(one.span) for one in mentions if one.assertion is Assertion.PRESENT)
        inside = [(start - begun, last - begun) for start, last in places if begun <= start < end]
        return any(_nearly_otherwise(piece, *place) for piece in readings[read.sentence.span.text] for place in inside)


class _Given(SentenceEncoder):
    """Readings that are there already."""

    readings: Mapping[str, list[SentenceReading]]

    def read(self, texts: Sequence[str]) -> list[list[SentenceReading]]:
        return [self.readings[text] for text in texts]


def _tokens(pieces: Sequence[SentenceReading]) -> int:
    return sum(len(piece.starts) + FRAME for piece in pieces)


def _nearly_otherwise(piece: SentenceReading, start: int, end: int) -> bool:
    """Is the assertion head nearly sure that the words are not present?"""
    places = piece.tokens_within(start, end)
    if not len(places):
        return False
    judged, probability = piece.asserted(places)
    return judged is not Assertion.PRESENT and probability >= SUREST_ASSERTION - MARGIN_PROBABILITY


def texts_of(folder: Path | None, most: int) -> list[Chart]:
    """Our own cases in both languages and, where the folder is there, the evaluation sets; evenly `most` of them."""
    cases = [*read_cases(DEVELOPMENT), *read_cases(TEST)]
    texts = [text for case in cases for text in (case.en, case.zh)]
    if folder:
        texts += [text for name in SETS for text, _ in asked_rows(folder, name)]
    places = [place * len(texts) // most for place in range(most)] if most < len(texts) else range(len(texts))
    return [coded_chart(texts[place]) for place in places]
