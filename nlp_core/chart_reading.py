"""A whole chart read: notes newest first until the deadline, coded facts, and who the patient is.

Knows the order and the limits of reading. How one note is read is mentions' and concepts' business, what it all means
diagnoses'.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nlp_core.assessment import PartlyRead, ProblemListStatus, WhyPartly
from nlp_core.chart import Chart, Fact, Problem, Setting, Sex
from nlp_core.demographics import demographics_of
from nlp_core.diagnoses import Patient
from nlp_core.facts import FactReader
from nlp_core.findings import ChartFindings, bring_together
from nlp_core.knowledge import Knowledge, Onset
from nlp_core.known_problems import ProblemMatcher
from nlp_core.language import ReadLanguage, language_of
from nlp_core.lexicon_names import Lexicons
from nlp_core.mentions import MentionReader
from nlp_core.model_faults import EncoderError
from nlp_core.newest_first import Dated, is_future
from nlp_core.note import Note
from nlp_core.note_groups import NoteGroups, NoteToRead
from nlp_core.onset import onset_of
from nlp_core.read_notes import ReadNote, said_sentences
from nlp_core.reading_trust import HAND_SET, ReadingTrust
from nlp_core.second_reader import NamedNote, SecondReader, SecondReading, ToldSentence
from nlp_core.sentence_readings import SentenceEncoder
from nlp_core.setting import setting_of
from nlp_core.spelling import Spelling
from nlp_core.trust import Distrust, distrust_of

DatedT = TypeVar("DatedT", Note, Fact, Problem)

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
        self._groups = NoteGroups()

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
        partly: list[PartlyRead] = []
        distrust: Distrust | None = None
        notes_read = 0
        for group in self._groups.of(chart.notes, deadline):
            languages = [language_of(one.text) for one in group]
            ours = [one for one, language in zip(group, languages, strict=True) if language != "other"]
            for one, language in zip(group, languages, strict=True):
                weights[language] = weights.get(language, 0) + len(one.text) * (3 if language == "zh" else 1)
            for one, (named, said, lacking) in zip(ours, self._read_notes(ours, sex, age, deadline), strict=True):
                partly += [_partly(one.note, lacking)] if lacking else []
                parts = said_sentences(named.sentences, said.telling)
                sentences.append(ReadNote(one.note, tuple(said.mentions), parts))
                told += [(one.note, sentence) for sentence in said.told]
                distrust = distrust or distrust_of(one.text, said.mentions)
            partly += (_partly(one.note, "length") for one in group if one.cut)
            notes_read += len(group)
        chart = chart.model_copy(update={"age_years": age, "sex": sex})
        opening = self._opening(chart.notes[0]) if chart.notes else ""
        mentions = [(read_note.note, mention) for read_note in sentences for mention in read_note.mentions]
        return ReadChart(
            found=bring_together(chart, mentions, self._facts.findings(chart), self._knowledge, told, self._trust),
            patient=Patient(age, sex, _onset(opening), chart.setting or _setting(chart.notes, opening)),
            notes_read=notes_read,
            notes_unread=len(chart.notes) - notes_read,
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

    def _read_notes(
        self, notes: Sequence[NoteToRead], sex: Sex, age: float | None, deadline: float | None
    ) -> Iterator[tuple[NamedNote, SecondReading, WhyPartly | None]]:
        """Each note by names, and as the second reader takes it; or why that could not be asked, where there is one."""
        named = [NamedNote(*self.mentions.read(one.text, sex=sex, age_years=age)) for one in notes]
        if self._second is None:
            return ((one, _by_names(one), None) for one in named)
        if _passed(deadline):
            return ((one, _by_names(one), "time") for one in named)
        return self._read_again(self._second, named)

    def _read_again(
        self, second: SecondReader, named: Sequence[NamedNote]
    ) -> Iterator[tuple[NamedNote, SecondReading, WhyPartly | None]]:
        """Together; where the encoder fails at that, one by one, so that it costs only the notes it fails at."""
        try:
            yield from ((one, said, None) for one, said in zip(named, second.read(named), strict=True))
        except EncoderError:
            if len(named) > 1:
                for one in named:
                    yield from self._read_again(second, [one])
            else:  # names are read without it; that is said on the card, and counted by whoever asked
                yield named[0], _by_names(named[0]), "model"


def _by_names(named: NamedNote) -> SecondReading:
    return SecondReading(named.mentions, [])


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


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
