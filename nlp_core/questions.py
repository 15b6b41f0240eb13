"""A question about a record -> the sentence that answers it, with its note and date, or "not in the chart".

Input : a question in English or Chinese, a chart as it was read
Output: Answer: words of a note as they stand there; of the knowledge for general questions; or nothing
Extractive only. A sentence is like a question by the findings, diagnoses and analytes both name (in either language), by
the words they share, and by their vectors; what no name says, topics of history-taking may (question_topics). Where a
question names something, a sentence that does not speak of it is no
answer. A denial is an answer, too. The limits were chosen on the development questions (docs/questions.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np
from pydantic import BaseModel, ConfigDict

from nlp_core.answers import NOT_UNDERSTOOD, NOWHERE, Answer
from nlp_core.assessment import Language
from nlp_core.chart_reading import ReadChart
from nlp_core.demographics import demographics_of
from nlp_core.encoder import Vectors
from nlp_core.knowledge import Diagnosis, Knowledge
from nlp_core.language import language_of
from nlp_core.measurements import MeasurementReader
from nlp_core.mentions import MentionReader
from nlp_core.model_faults import EncoderError
from nlp_core.note import Note
from nlp_core.onset import durations
from nlp_core.question_topics import distinct_topics, topics
from nlp_core.question_words import Wanted, asks_for_treatment, is_general, names_a_place, question_terms, terms, wanted
from nlp_core.read_notes import ReadNote, SaidSentence
from nlp_core.sentence_readings import SentenceEncoder
from nlp_core.summary_cues import heading_of

_NAMED, _SHARED, _ALIKE, _WANTED = 1.0, 1.0, 0.5, 0.4
"""What counts how much."""


class Limits(BaseModel):
    """From where on a sentence answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared: float = 0.5
    """Share of the question's words, each by how rare it is in the chart, where no name decides."""
    alike: float = 0.55
    """Cosine of question and sentence, where neither names nor words decide."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question taken apart. vector: [width] or None where there is no encoder."""

    names: frozenset[str]
    terms: frozenset[str]
    wanted: frozenset[Wanted]
    vector: Vectors | None


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence taken apart in the same way."""

    note: Note
    said: SaidSentence
    names: frozenset[str]
    terms: frozenset[str]
    vector: Vectors | None

    @property
    def text(self) -> str:
        return self.note.quote(self.said.span)


class Questions:
    """Answers questions by one knowledge; built once per process."""

    def __init__(
        self,
        knowledge: Knowledge,
        mentions: MentionReader,
        sentences: SentenceEncoder | None = None,
        limits: Limits | None = None,
    ) -> None:
        """sentences: None = by names and words alone."""
        self._knowledge, self._mentions, self._sentences = knowledge, mentions, sentences
        self._limits = limits or Limits()
        self._measured = MeasurementReader(mentions.thresholds)

    def answer(self, question: str, read: ReadChart, *, deadline: float | None = None) -> Answer:
        """The best sentence of the chart; for a general question the knowledge's words.

        deadline: `time.monotonic()` seconds after which no further note is encoded; its sentences are then compared by
        names and words alone, and it counts as not searched wholly.
        """
        names, diagnoses = self._named(question)
        if is_general(question) and diagnoses:
            return self._of_knowledge(question, self._knowledge.diagnoses[diagnoses[0]])
        if language_of(question) == "other" or not any(character.isalnum() for character in question):
            return NOT_UNDERSTOOD
        said, unsearched = self._taken_apart(read, deadline)
        vector = self._vector(question)
        for named in _looked_for(names, question):
            best = self._best(_Asked(named, question_terms(question), wanted(question), vector), said)
            if best:
                return _counted(_found(best), read, unsearched)
        return _counted(NOWHERE, read, unsearched)

    def _best(self, asked: _Asked, said: Sequence[_Said]) -> _Said | None:
        """The sentence that answers, if one does."""
        best = max(said, key=lambda one: self._worth(asked, one, said), default=None)
        return best if best and self._answers(asked, best, said) else None

    def _of_knowledge(self, question: str, diagnosis: Diagnosis) -> Answer:
        language: Language = "zh" if language_of(question) == "zh" else "en"
        field = "treatment" if asks_for_treatment(question) else "patients"
        words = diagnosis.treatment if field == "treatment" else diagnosis.patients
        quote = words.said_in(language)
        return Answer(found_in="knowledge", quote=quote, reference=f"{diagnosis.id}.{field}", source=diagnosis.source)

    def _named(self, question: str) -> tuple[frozenset[str], list[str]]:
        """What it names, with all of a kind with it; and the diagnoses among them, in order."""
        mentions, _ = self._mentions.read(question, sex="unknown", age_years=None)
        diagnoses = [one.entry for one in mentions if one.about == "diagnosis"]
        findings = {one.entry for one in mentions if one.about == "finding"}
        return frozenset(findings | {f"d:{entry}" for entry in diagnoses} | self._analytes(question)), diagnoses

    def _analytes(self, text: str) -> frozenset[str]:
        lowered = f" {text.lower()} "
        return frozenset(
            f"a:{name}" for name, ways in self._analyte_names.items() if any(way in lowered for way in ways)
        )

    @cached_property
    def _analyte_names(self) -> Mapping[str, Sequence[str]]:
        """Names long enough to mean nothing else; pressure goes by its own."""
        names = {
            analyte.id: [name.lower() for name in analyte.names.en if len(name) > 3] + [n for n in analyte.names.zh if not n.isascii() and len(n) > 1]
            for analyte in self._mentions.thresholds.analytes.values()
        }  # fmt: skip
        return {**names, "systolic_pressure": ["blood pressure", "血压", " bp "]}

    def _taken_apart(self, read: ReadChart, deadline: float | None) -> tuple[list[_Said], set[str]]:
        """Every sentence, newest note first; and the references of the notes that no encoder was asked about."""
        found: list[_Said] = []
        unsearched: set[str] = set()
        for note in read.notes:
            texts = [note.note.quote(said.span) for said in note.sentences]
            vectors: Sequence[Vectors | None] = []
            if deadline is not None and time.monotonic() >= deadline:
                unsearched.add(note.note.reference)
            else:
                try:
                    vectors = self._vectors(texts)
                except EncoderError:
                    unsearched.add(note.note.reference)
            for said, text, vector in zip(note.sentences, texts, vectors or [None] * len(texts), strict=True):
                found.append(_Said(note.note, said, self._said_names(note, said, text), terms(text), vector))
        return found, unsearched

    def _said_names(self, note: ReadNote, said: SaidSentence, text: str) -> frozenset[str]:
        found: set[str] = set()
        for mention in note.mentions:
            if said.span.start <= mention.span.start < said.span.end:
                entry = mention.entry
                found |= {f"d:{entry}"} if mention.about == "diagnosis" else {entry, *self._knowledge.ancestors(entry)}
        found |= {f"a:{value.analyte.id}" for value in self._measured.find(text)}
        return frozenset(found) | self._analytes(text) | topics(text)

    def _vector(self, question: str) -> Vectors | None:
        try:
            return next(iter(self._vectors([question])), None)
        except EncoderError:  # every note is then counted as not searched wholly, too, for the same reason
            return None

    def _vectors(self, texts: Sequence[str]) -> list[Vectors | None]:
        """Unit vectors [width], None for a text without tokens; empty without an encoder."""
        if self._sentences is None:
            return []
        read = self._sentences.read(texts)
        return [pieces[0].vector_of(np.arange(len(pieces[0].starts))) if pieces else None for pieces in read]

    def _worth(self, asked: _Asked, one: _Said, said: Sequence[_Said]) -> float:
        named = len(asked.names & one.names) / len(asked.names) if asked.names else 0.0
        worth = _NAMED * named + _SHARED * _shared(asked.terms, one.terms, said) + _ALIKE * _cosine(asked, one)
        return worth + _WANTED * _gives(asked.wanted, one)

    def _answers(self, asked: _Asked, best: _Said, said: Sequence[_Said]) -> bool:
        if asked.names & best.names:
            return True
        shared = _shared(asked.terms, best.terms, said)
        if asked.names:
            return shared >= max(self._limits.shared, 0.5)
        if asked.wanted & {"medication", "age"} and _gives(asked.wanted, best):
            return True
        return shared >= self._limits.shared or _cosine(asked, best) >= self._limits.alike


def _looked_for(names: frozenset[str], question: str) -> list[frozenset[str]]:
    """What a sentence must speak of, to be tried in turn: what the question names, then the topic that says it alone."""
    if not names:
        return [topics(question)]
    told = distinct_topics(question)
    return [names, told] if told else [names]


def _counted(answer: Answer, read: ReadChart, unsearched: set[str]) -> Answer:
    """With how much of the chart was searched."""
    partly = unsearched | {note.reference for note in read.partly}
    return answer.model_copy(update={"notes_read": read.notes_read, "notes_unread": read.notes_unread + len(partly)})


def _found(said: _Said) -> Answer:
    note = said.note
    return Answer(
        found_in="chart",
        quote=said.text,
        reference=note.reference,
        span=said.said.span,
        kind=note.kind,
        date=note.date,
    )


def _shared(asked: frozenset[str], said: frozenset[str], all_said: Sequence[_Said]) -> float:
    """Share of the question's words that the sentence has, each by how rare it is among the sentences; 0 to 1."""
    if not asked:
        return 0.0
    weights = {term: _rarity(term, all_said) for term in asked}
    return sum(weights[term] for term in asked & said) / sum(weights.values())


def _rarity(term: str, all_said: Iterable[_Said]) -> float:
    holding = [term in one.terms for one in all_said]
    return log(1 + (len(holding) + 1) / (sum(holding) + 0.5))


def _cosine(asked: _Asked, one: _Said) -> float:
    if asked.vector is None or one.vector is None:
        return 0.0
    return float(asked.vector @ one.vector)


def _gives(wanted: frozenset[Wanted], one: _Said) -> float:
    """1 where the sentence gives the kind of answer asked for."""
    text = one.text
    given = (
        ("time" in wanted and any(True for _ in durations(text)))
        or ("number" in wanted and "age" not in wanted and any(character.isdigit() for character in text))
        or ("place" in wanted and names_a_place(text))
        or ("age" in wanted and demographics_of(text).age_years is not None)
        or ("medication" in wanted and heading_of(text, one.said.section) == "medication")
    )
    return float(given)
