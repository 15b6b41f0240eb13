"""What the heads add: gated concepts, assertions that no rule saw, sentences that speak as a whole; each can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from nlp_core.assertion import Assertion
from nlp_core.assess import Reader
from nlp_core.case_matcher import FIGURES
from nlp_core.chart_reading import ChartReader
from nlp_core.concepts import ConceptReader
from nlp_core.evidence import WORDS_AS_A_WHOLE, evidence_of
from nlp_core.findings import MAX_QUOTE, MOST_TOLD
from nlp_core.head_outputs import ASSERTIONS, EVIDENCE_WIDTH
from nlp_core.mentions import MentionReader
from nlp_core.name_index import NameIndex
from nlp_core.second_reader import HeadsUsed, NamedNote, SecondReader, SecondReading
from nlp_core.sentence_readings import SentenceReading
from tests.nlp_core.small_charts import chart_of, note
from tests.nlp_core.small_knowledge import small_knowledge
from tests.nlp_core.small_matcher import speaks_for_the_first
from tests.nlp_core.test_concepts import WordAxes


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
        vectors = WordAxes().embed([word.strip(".,") for word in words])
        return SentenceReading(
            starts=starts,
            ends=starts + np.array([len(word) for word in words], np.int64),
            vectors=vectors,
            mean=vectors.mean(axis=0),
            finding=np.array([self._finding(word.strip(".,")) for word in words], np.float32),
            assertion=shares,
            telling=self._telling,
            evidence=np.zeros(EVIDENCE_WIDTH, np.float32),
        )


@cache
def index() -> NameIndex:
    return NameIndex.build(small_knowledge(), WordAxes())


def second(sentences: HandMadeSentences, used: HeadsUsed | None = None) -> SecondReader:
    concepts = ConceptReader(WordAxes(), index(), least_likeness={"en": 0.6, "zh": 0.6})
    return SecondReader(concepts, sentences, used)  # type: ignore[arg-type]  # answers as a SentenceEncoder does


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


def test_sentences_are_told_as_they_were_read() -> None:
    text = "It all began on a boat.\nIt all began on a boat."
    (told,) = read(text, HandMadeSentences(telling=0.3)).told
    assert (told.span.start, told.span.end) == (0, 23)
    assert told.figures[-FIGURES + 2] == pytest.approx(0.3)


def test_what_is_told_of_the_family_is_not() -> None:
    assert read("FAMILY HISTORY\nIt all began on a boat.", HandMadeSentences()).told == []


def test_a_sentence_that_names_a_diagnosis_is_not_told() -> None:
    assert read("Her ribcage hurts, influenza again?", HandMadeSentences()).told == []


def test_what_tells_nothing_of_the_illness_is_not_told() -> None:
    assert read("It all began on a boat.", HandMadeSentences(telling=0.1)).told == []


def test_of_a_chart_of_thousands_the_newest_sentences_are_told() -> None:
    charts = ChartReader(small_knowledge(), second(HandMadeSentences(finding=lambda _: 0.0)))
    many = "\n".join(f"Her ribcage hurts {place}" for place in range(MOST_TOLD))
    notes = (note("Her ribcage hurts today", age_days=1), note(many, age_days=2))
    told = charts.read(chart_of(*notes)).found.told
    assert len(told) == MOST_TOLD
    assert told[0].source.quote == "Her ribcage hurts today"


def test_nothing_is_told_where_it_is_switched_off() -> None:
    assert read("It all began on a boat.", HandMadeSentences(), HeadsUsed(cases=False)).told == []


def test_without_heads_the_concepts_read_clauses_alone() -> None:
    concepts = ConceptReader(WordAxes(), index(), least_likeness={"en": 0.6, "zh": 0.6})
    mentions, cut = MentionReader(small_knowledge()).read("her ribcage hurts", sex="unknown", age_years=None)
    (found,) = SecondReader(concepts).read([NamedNote(mentions, cut)])
    assert [mention.entry for mention in found.mentions] == ["chest_pain"]
    assert found.told == []


def as_a_whole(text: str) -> list[str]:
    """What the first diagnosis quotes as a whole."""
    charts = ChartReader(small_knowledge(), second(HandMadeSentences(finding=lambda _: 0.0)))
    matcher = speaks_for_the_first(list(small_knowledge().diagnoses), WordAxes().embed(["a"]).shape[1])
    reader = Reader(small_knowledge(), charts, calibration=None, model_version="test", matcher=matcher)
    read = reader.read(chart_of(text))
    first = next(iter(small_knowledge().diagnoses))
    ranked = next(one for one, _ in reader.rank_read(read) if one.diagnosis.id == first)
    speaking_for, _ = evidence_of(ranked, read.found, small_knowledge())
    quoted = [evidence for evidence in speaking_for if evidence.names == WORDS_AS_A_WHOLE]
    assert all(text[one.span.start : one.span.end] == one.quote for one in quoted if one.span)
    assert all(one.finding == "" for one in quoted)
    return [one.quote for one in quoted]


def test_what_a_sentence_says_as_a_whole_is_quoted_as_evidence() -> None:
    assert "Her ribcage hurts." in as_a_whole("Her ribcage hurts.\nChest pain and breathless.")


def test_a_long_sentence_is_quoted_by_its_first_words() -> None:
    (quote,) = as_a_whole("Her ribcage hurts " + "and on and on it goes " * 20 + ".")
    assert len(quote) <= MAX_QUOTE
    assert quote.startswith("Her ribcage hurts and on")
    assert not quote.endswith(" ")
