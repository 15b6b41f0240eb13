"""A whole chart read: notes newest first until the deadline, coded facts, and who the patient is.

Knows the order and the limits of reading. How one note is read is mentions' and concepts' business, what it all means
diagnoses'.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from nlp_core.assessment import PartlyRead, ProblemListStatus, WhyPartly
from nlp_core.chart import MAX_CHARACTERS, Chart, Fact, Problem, Setting, Sex
from nlp_core.demographics import demographics_of
from nlp_core.diagnoses import Patient
from nlp_core.facts import FactReader
from nlp_core.findings import ChartFindings, bring_together
from nlp_core.knowledge import Knowledge, Onset
from nlp_core.known_problems import ProblemMatcher
from nlp_core.language import ReadLanguage, language_of
from nlp_core.lexicon_names import Lexicons
from nlp_core.mentions import MentionReader, ReadSentence
from nlp_core.model_faults import EncoderError
from nlp_core.newest_first import Dated, is_future
from nlp_core.note import Note
from nlp_core.onset import onset_of
from nlp_core.read_notes import ReadNote, said_sentences
from nlp_core.reading_trust import HAND_SET, ReadingTrust
from nlp_core.second_reader import SecondReader, SecondReading, ToldSentence
from nlp_core.sentence_readings import SentenceEncoder
from nlp_core.setting import setting_of
from nlp_core.spelling import Spelling
from nlp_core.trust import Distrust, distrust_of

DatedT = TypeVar("DatedT", Note, Fact, Problem)

SLOWER = 1.25
"""A note may take this much longer than the pace of those before it says."""

OPENING = 1_000
"""Characters at the start of a note that say who the patient is, where, and how the illness came."""


@dataclass(frozen=True, slots=True)
class ReadChart:
    """Everything reasoning needs, and what was left unread."""

    found: ChartFindings
    patient: Patient
    notes_read: int
    notes_unread: int
    language: ReadLanguage
    """Language of most of the text read; `other` when it is one dxspan does not read."""
    known: dict[str, ProblemListStatus]
    """Diagnoses that the problem list speaks of, by id."""
    distrust: Distrust | None = None
    """Why the newest note that gives reason to should not be believed."""
    partly: tuple[PartlyRead, ...] = ()
    """Notes read, though not wholly."""
    notes: tuple[ReadNote, ...] = ()
    """Sentence by sentence, newest first; those in another language left out."""


class ChartReader:
    """Reads charts by one knowledge; built once per process. `second` None reads by names alone."""

    def __init__(
        self,
        knowledge: Knowledge,
        second: SecondReader | None,
        lexicons: Lexicons | None = None,
        spelling: Spelling | None = None,
        trust: ReadingTrust = HAND_SET,
    ) -> None:
        """lexicons, spelling: the compiled ones; None = built here. trust: how far each way of reading can be trusted."""
        self._trust = trust
        self._knowledge = knowledge
        self.mentions = MentionReader(knowledge, lexicons, spelling)
        self._facts = FactReader(knowledge, self.mentions)
        self._problems = ProblemMatcher(knowledge, self.mentions)
        self._second = second

    @property
    def sentences(self) -> SentenceEncoder | None:
        """What sentences are encoded with; None where names alone are read."""
        return self._second.sentences if self._second else None

    def read(self, chart: Chart, *, deadline: float | None = None) -> ReadChart:
        """deadline: `time.monotonic()` seconds; a note is begun only where it will likely end by then, the newest always.

        Dates in the future count as none.
        """
        chart = without_future_dates(chart)
        age, sex = self._who(chart)
        sentences: list[ReadNote] = []
        told: list[tuple[Note, ToldSentence]] = []
        weights: dict[ReadLanguage, int] = {}
        read: list[Note] = []
        partly: list[PartlyRead] = []
        distrust: Distrust | None = None
        budget = MAX_CHARACTERS
        begun = time.monotonic()
        for note in chart.notes:
            text = note.text[:MAX_CHARACTERS]
            if read and (budget <= 0 or _too_late(len(text), MAX_CHARACTERS - budget, begun, deadline)):
                break
            language = language_of(text)
            weights[language] = weights.get(language, 0) + len(text) * (3 if language == "zh" else 1)
            if language != "other":
                said, lacking, parts = self._read_note(text, sex, age, deadline)
                partly += (_partly(note, why) for why in lacking)
                sentences.append(ReadNote(note, tuple(said.mentions), said_sentences(parts, said.telling)))
                told += [(note, sentence) for sentence in said.told]
                distrust = distrust or distrust_of(text, said.mentions)
            if len(text) < len(note.text):
                partly.append(_partly(note, "length"))
            read.append(note)
            budget -= len(text)
        chart = chart.model_copy(update={"age_years": age, "sex": sex})
        opening = self._opening(chart.notes[0]) if chart.notes else ""
        mentions = [(read_note.note, mention) for read_note in sentences for mention in read_note.mentions]
        return ReadChart(
            found=bring_together(chart, mentions, self._facts.findings(chart), self._knowledge, told, self._trust),
            patient=Patient(age, sex, _onset(opening), chart.setting or _setting(chart.notes, opening)),
            notes_read=len(read),
            notes_unread=len(chart.notes) - len(read),
            language=max(weights, key=lambda language: weights[language]) if weights else "en",
            known=self._problems.known(chart.problems),
            distrust=distrust,
            partly=tuple(partly),
            notes=tuple(sentences),
        )

    def _who(self, chart: Chart) -> tuple[float | None, Sex]:
        """Age and sex of the coded chart, else as the newest note that states them says."""
        age, sex = chart.age_years, chart.sex
        for note in chart.notes:
            if age is not None and sex != "unknown":
                break
            stated = demographics_of(self._opening(note))
            age = stated.age_years if age is None else age
            sex = stated.sex if sex == "unknown" else sex
        return age, sex

    def _opening(self, note: Note) -> str:
        return self.mentions.seen(note.text[:OPENING]).text

    def _read_note(
        self, text: str, sex: Sex, age: float | None, deadline: float | None
    ) -> tuple[SecondReading, list[WhyPartly], list[ReadSentence]]:
        """What names say, and the second reader where there is one; why that could not be asked; the sentences."""
        mentions, sentences = self.mentions.read(text, sex=sex, age_years=age)
        by_names = SecondReading(mentions, [])
        if self._second is None:
            return by_names, [], sentences
        if _passed(deadline):
            return by_names, ["time"], sentences
        try:
            return self._second.read(mentions, sentences), [], sentences
        except EncoderError:  # names are read without it; that is said on the card, and counted by whoever asked
            return by_names, ["model"], sentences


def without_future_dates(chart: Chart) -> Chart:
    """The chart with what is dated in the future undated: such a date is a slip or a plan, and says no "when"."""

    def dated(entries: Sequence[DatedT]) -> tuple[DatedT, ...]:
        return tuple(
            entry.model_copy(update={"date": None}) if entry.date and is_future(entry.date, chart.as_of) else entry
            for entry in entries
        )

    entries: Sequence[Dated] = (*chart.notes, *chart.facts, *chart.problems)
    if not any(entry.date and is_future(entry.date, chart.as_of) for entry in entries):
        return chart
    return chart.model_copy(
        update={"notes": dated(chart.notes), "facts": dated(chart.facts), "problems": dated(chart.problems)}
    )


def _partly(note: Note, why: WhyPartly) -> PartlyRead:
    return PartlyRead(reference=note.reference, kind=note.kind, date=note.date, why=why)


def _onset(opening: str) -> Onset | None:
    stated = onset_of(opening)
    return stated.onset if stated else None


def _setting(notes: Sequence[Note], opening: str) -> Setting | None:
    return setting_of(f"{notes[0].kind}\n{opening}") if notes else None


def _too_late(next_length: int, read_length: int, begun: float, deadline: float | None) -> bool:
    """Whether a note of `next_length` characters would end after the deadline, at the pace of the `read_length` before it.

    A caller that waits for a note too many gets nothing at all.
    """
    if deadline is None:
        return False
    now = time.monotonic()
    return now + SLOWER * next_length * (now - begun) / max(read_length, 1) > deadline


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
