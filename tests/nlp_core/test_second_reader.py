"""What the heads add: gated concepts, assertions that no rule saw, sentences that speak as a whole; each can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from nlp_core.assertion import Assertion
from nlp_core.assess import Reader
from nlp_core.chart_reading import ChartReader
from nlp_core.concept_linker import LinkedClause
from nlp_core.concepts import ConceptReader
from nlp_core.evidence import WORDS_AS_A_WHOLE
from nlp_core.head_outputs import ASSERTIONS, EVIDENCE_WIDTH
from nlp_core.mentions import Mention, MentionReader
from nlp_core.name_index import NameIndex
from nlp_core.second_reader import HeadsUsed, NamedNote, SecondReader, SecondReading
from nlp_core.sentence_readings import SentenceReading
from tests.nlp_core.small_charts import chart_of
from tests.nlp_core.small_knowledge import small_knowledge
from tests.nlp_core.test_concepts import MEANINGS, WordAxes

PLACED = np.zeros((len(small_knowledge().diagnoses), EVIDENCE_WIDTH), np.float32)
PLACED[0, 0] = 4.0
"""The first diagnosis lies along the first axis of the evidence space."""


class HandMadeSentences:
    """Readings a reader can compute by hand: every word is a token, `mark` says what the heads answer for a word."""

    def __init__(
        self,
        *,
        finding: Callable[[str], float] = lambda _: 1.0,
        assertion: Assertion = Assertion.PRESENT,
        sure: float = 0.95,
        telling: float = 1.0,
    ) -> None:
        self._finding, self._assertion, self._sure, self._telling = finding, assertion, sure, telling

    def read(self, texts: Sequence[str]) -> list[list[SentenceReading]]:
        return [[self._reading(text)] for text in texts]

    def _reading(self, text: str) -> SentenceReading:
        words = text.split()
        starts = np.array([text.index(word) for word in words], np.int64)
        shares = np.full((len(words), len(ASSERTIONS)), (1 - self._sure) / (len(ASSERTIONS) - 1), np.float32)
        shares[:, ASSERTIONS.index(self._assertion)] = self._sure
        evidence = np.zeros(EVIDENCE_WIDTH, np.float32)
        evidence[0] = 1.0
        vectors = WordAxes().embed([word.strip(".,") for word in words])
        return SentenceReading(
            starts=starts,
            ends=starts + np.array([len(word) for word in words], np.int64),
            vectors=vectors,
            mean=vectors.mean(axis=0),
            finding=np.array([self._finding(word.strip(".,")) for word in words], np.float32),
            assertion=shares,
            telling=self._telling,
            evidence=evidence,
        )


@cache
def index() -> NameIndex:
    return NameIndex.build(small_knowledge(), WordAxes())


def second(sentences: HandMadeSentences, used: HeadsUsed | None = None) -> SecondReader:
    concepts = ConceptReader(WordAxes(), index(), least_likeness={"en": 0.6, "zh": 0.6})
    return SecondReader(concepts, sentences, PLACED, used)  # type: ignore[arg-type]  # answers as a SentenceEncoder does


def read(text: str, sentences: HandMadeSentences, used: HeadsUsed | None = None) -> SecondReading:
    mentions, cut = MentionReader(small_knowledge()).read(text, sex="unknown", age_years=None)
    (read,) = second(sentences, used).read([NamedNote(mentions, cut)])
    return read


def test_a_concept_is_quoted_by_the_words_that_are_the_finding() -> None:
    text = "Then for a while her ribcage hurts badly"
    head = HandMadeSentences(finding=lambda word: float(word in ("ribcage", "hurts")))
    (mention,) = read(text, head).mentions
    assert mention.entry == "chest_pain"
    assert text[mention.span.start : mention.span.end] == "ribcage hurts"


def test_where_the_finding_head_sees_nothing_there_is_no_concept() -> None:
    head = HandMadeSentences(finding=lambda _: 0.0)
    assert read("her ribcage hurts", head).mentions == []
    assert read("her ribcage hurts", head, HeadsUsed(finding=False)).mentions


@pytest.mark.parametrize(
    ("head", "used", "expected"),
    [
        (HandMadeSentences(assertion=Assertion.FAMILY), HeadsUsed(), Assertion.FAMILY),
        (HandMadeSentences(assertion=Assertion.FAMILY, sure=0.6), HeadsUsed(), Assertion.PRESENT),
        (HandMadeSentences(assertion=Assertion.FAMILY), HeadsUsed(assertion=False), Assertion.PRESENT),
    ],
)
def test_a_sure_head_speaks_where_no_rule_does(head: HandMadeSentences, used: HeadsUsed, expected: Assertion) -> None:
    (mention,) = read("The chest pain is told of", head, used).mentions
    assert mention.assertion is expected


def test_a_rule_is_not_overruled() -> None:
    (mention,) = read("No chest pain", HandMadeSentences(assertion=Assertion.FAMILY)).mentions
    assert mention.assertion is Assertion.ABSENT


def test_a_sentence_without_findings_speaks_as_a_whole_and_one_with_does_not() -> None:
    found = read(
        "It all began on a boat.\nChest pain.", HandMadeSentences(finding=lambda _: 0.0), HeadsUsed(evidence=True)
    )
    (told,) = found.told
    assert (told.span.start, told.span.end) == (0, 23)
    assert told.moved[0] > 0 > told.moved[1]
    assert told.moved.mean() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("telling", "used", "count"),
    [(0.1, HeadsUsed(evidence=True), 0), (0.1, HeadsUsed(salience=False, evidence=True), 1), (1.0, HeadsUsed(), 0)],
)
def test_only_telling_sentences_speak(telling: float, used: HeadsUsed, count: int) -> None:
    head = HandMadeSentences(finding=lambda _: 0.0, telling=telling)
    assert len(read("It all began on a boat.", head, used).told) == count


def test_without_heads_the_concepts_read_clauses_alone() -> None:
    concepts = ConceptReader(WordAxes(), index(), least_likeness={"en": 0.6, "zh": 0.6})
    mentions, cut = MentionReader(small_knowledge()).read("her ribcage hurts", sex="unknown", age_years=None)
    (found,) = SecondReader(concepts).read([NamedNote(mentions, cut)])
    assert [mention.entry for mention in found.mentions] == ["chest_pain"]
    assert found.told == []


def test_what_a_sentence_says_as_a_whole_is_quoted_as_evidence() -> None:
    text = "It all began on a boat.\nChest pain and breathless."
    charts = ChartReader(small_knowledge(), second(HandMadeSentences(finding=lambda _: 0.0), HeadsUsed(evidence=True)))
    reader = Reader(small_knowledge(), charts, calibration=None, model_version="test")
    first = next(iter(small_knowledge().diagnoses))
    candidate = next(c for c in reader.assess(chart_of(text)).candidates if c.diagnosis == first)
    as_a_whole = [evidence for evidence in candidate.evidence_for if evidence.names == WORDS_AS_A_WHOLE]
    assert [evidence.quote for evidence in as_a_whole] == ["It all began on a boat."]
    assert as_a_whole[0].finding == ""


class AlwaysSure:
    """A linker that is sure of the second of the findings near to a clause, and counts the clauses it is asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def log_odds(self, clauses: Sequence[LinkedClause], likeness: np.ndarray, centres: np.ndarray) -> np.ndarray:
        self.asked += len(clauses)
        assert centres.shape == (*likeness.shape, len(MEANINGS))
        odds = np.full(likeness.shape, -9.0, np.float32)
        odds[:, 1] = 9.0
        return odds


def linked(text: str) -> tuple[list[Mention], int]:
    linker = AlwaysSure()
    least = {"en": 0.6, "zh": 0.6}
    concepts = ConceptReader(WordAxes(), index(), linker=linker, least_likeness=least)  # type: ignore[arg-type]  # answers as one
    mentions, cut = MentionReader(small_knowledge()).read(text, sex="unknown", age_years=None)
    (read,) = SecondReader(concepts, HandMadeSentences(), PLACED).read([NamedNote(mentions, cut)])  # type: ignore[arg-type]
    return [mention for mention in read.mentions if mention.via == "concept"], linker.asked


def test_a_statement_means_what_the_linker_says() -> None:
    (mention,), asked = linked("her ribcage hurts")
    (plain,) = read("her ribcage hurts", HandMadeSentences()).mentions
    first = mention.meanings[0]
    assert asked == 1
    assert first.finding == mention.entry == plain.meanings[1].finding
    assert first.probability > 0.99
    assert mention.trust == pytest.approx(1.0, abs=0.01)


def test_a_linker_is_not_asked_what_a_denial_means() -> None:
    """It has learned on statements alone."""
    (mention,), asked = linked("denies her ribcage hurts")
    assert asked == 0
    assert mention.assertion is Assertion.ABSENT
