"""A note as `write_note` writes it, with what fuller charts hold besides: tables, doubts, hedges, two languages in a sentence.

Which parts are tables and whether the writer mixes languages is settled before the first sentence, so that nothing that
stands in a table is told again. Knows parts and lists of the story; rows are tables' business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from training.synthetic_charts.fuller_patterns import MIXED_SLOT, FullerPatterns, all_patterns, fuller_patterns
from training.synthetic_charts.gold import Piece, WrittenNote, WrittenSentence
from training.synthetic_charts.stories import Story, Told
from training.synthetic_charts.styles import SLOT, Part, Pattern, Patterns
from training.synthetic_charts.tables import TableWriter
from training.synthetic_charts.wordings import Wordings
from training.synthetic_charts.write_note import NoteWriter

TABLED = 0.2
"""Of the parts that may be a table."""
MIXING: dict[Language, float] = {"zh": 0.25, "en": 0.08}
"""Of the notes in that language, those whose writer mixes in the other."""
_MIXED_OPENING = 0.5
_MIXED_HISTORY = 0.5
_OTHER_LANGUAGE = 0.3
"""Of the findings in the other sentences of such a note, those that are named in the other language."""
_TABLE_PARTS: frozenset[Part] = frozenset(("negatives", "exam", "results"))
_NEVER_TABLED = frozenset(("lay", "letter"))
_MIXED_TONES = frozenset(("full", "telegraphic", "nursing"))
"""Tones that have whole sentences in both languages; the others only names."""
_IN_TABLE = 0.5
"""Of the complaints, old illnesses and relatives' illnesses of a note whose review of systems is a table, those in it."""
_MOST_ROWS = 14
_HEADED = 0.5
"""Of the tables of notes that have no headings."""

_ALSO: dict[Part, tuple[tuple[str, Pattern], ...]] = {
    "history": (("doubted", "doubted"),),
    "exam": (("signs_hedged", "hedged"),),
    "results": (("results_hedged", "hedged"),),
}
"""Lists that a part tells besides those of the first charts."""


@dataclass
class FullerNoteWriter(NoteWriter):
    """`tabled`: parts that are tables. `mixing`: both languages stand in one sentence."""

    tabled: frozenset[Part] = field(init=False)
    mixing: bool = field(init=False)
    _spaced: bool = field(init=False)
    _in_table: list[Told] = field(init=False)
    """Complaints and illnesses that the review of systems holds."""
    _elsewhere: list[Told] = field(init=False, default_factory=list)
    """What a table or a mixed sentence tells."""

    def __post_init__(self) -> None:
        may = [] if self.style.tone in _NEVER_TABLED else [part for part in self.style.parts if part in _TABLE_PARTS]
        self.tabled = frozenset(part for part in may if self._happens(TABLED))
        self.mixing = self._happens(MIXING[self.language])
        self._spaced = self._happens(0.5)
        self._in_table = list(self._for_review()) if "negatives" in self.tabled else []
        self._elsewhere += self._in_table

    @property
    def words(self) -> Patterns:
        return all_patterns(self.language)

    @property
    def _forms(self) -> FullerPatterns:
        return fuller_patterns(self.language)

    @property
    def _other(self) -> Language:
        return "en" if self.language == "zh" else "zh"

    def _for_review(self) -> Iterator[Told]:
        story, opened = self.story, self._opened()
        own = [one for one in story.symptoms if one not in opened]
        for one in (*own, *story.doubted, *story.past, *story.family):
            if self._happens(_IN_TABLE):
                yield one

    def _opening(self, opened: Sequence[Told]) -> Iterator[WrittenSentence]:
        mixed = self._mixed(opened) if self._mixes_sentences and self._happens(_MIXED_OPENING) else None
        if mixed:
            yield mixed
        else:
            yield from super()._opening(opened)

    def _part(self, part: Part, opened: Sequence[Told]) -> Iterator[WrittenSentence]:
        if part in self.tabled:
            yield from self._table(part, opened)
            return
        if part == "history" and self._mixes_sentences and self._happens(_MIXED_HISTORY):
            mixed = self._mixed(self._untold("symptoms", opened))
            if mixed:
                yield mixed
        yield from super()._part(part, opened)

    def _lists(self, part: Part) -> tuple[tuple[str, Pattern], ...]:
        return (*super()._lists(part), *_ALSO.get(part, ()))

    def _untold(self, which: str, opened: Sequence[Told]) -> list[Told]:
        return [one for one in super()._untold(which, opened) if one not in self._elsewhere]

    def _table(self, part: Part, opened: Sequence[Told]) -> Iterator[WrittenSentence]:
        told = [one for which, _ in self._lists(part) for one in self._untold(which, opened)]
        told += self._in_table if part == "negatives" else []
        rows = [one for one in told if self._can_name(one)]
        order = self.random.permutation(len(rows))[:_MOST_ROWS]
        table = TableWriter(self._forms.tables, self.random, self._name, self._word)
        yield from table.lines([rows[int(place)] for place in order])

    def _laid_out(self, part: Part, written: list[WrittenSentence]) -> Iterator[WrittenSentence]:
        if part not in self.tabled:
            yield from super()._laid_out(part, written)
            return
        if self.style.layout == "prose":
            yield WrittenSentence((Piece(""),), after="\n")
        if part in self.words.headings and (self.style.layout in ("headed", "list") or self._happens(_HEADED)):
            yield WrittenSentence((Piece(self._pick(self.words.headings[part])),), after="\n")
        yield from written

    @property
    def _mixes_sentences(self) -> bool:
        return self.mixing and self.style.tone in _MIXED_TONES

    def _mixed(self, present: Sequence[Told]) -> WrittenSentence | None:
        """A sentence in both languages; nothing where there is too little to tell in it."""
        waiting = {
            "": self._nameable(present),
            "no_": self._nameable(self._untold("denied", ())),
            "maybe_": self._nameable(self._untold("doubted", ())),
        }
        at_hand = Counter({kind: len(told) for kind, told in waiting.items()})
        fitting = [one for one in self._forms.mixed if _needed(one) <= at_hand]
        if not fitting:
            return None
        pieces: list[Piece] = []
        telling = False
        for place, part in enumerate(SLOT.split(self._pick(fitting))):
            slot = MIXED_SLOT.fullmatch(part) if place % 2 else None
            if slot is None:
                pieces.append(Piece(self._word(part) if place % 2 else part))
                continue
            told = waiting[slot[1]].pop(0)
            self._elsewhere.append(told)
            telling = telling or told.telling
            language = self.language if slot[2] == "here" else self._other
            pieces.append(Piece(self._name_in(language, told), told.entry, told.assertion))
        return WrittenSentence(tuple(pieces), telling=telling)

    def _nameable(self, told: Sequence[Told]) -> list[Told]:
        return [one for one in told if self._can_name(one) and self.wordings.has_name(one.entry, self._other)]

    def _listed(self, slot: str, told: Sequence[Told]) -> list[Piece]:
        pieces = super()._listed(slot, told)
        if not (self.mixing and self._spaced and self.language == "zh"):
            return pieces
        blank = Piece(" ")
        spaced = [(blank, one, blank) if one.entry and one.text.isascii() else (one,) for one in pieces]
        return [one for group in spaced for one in group]

    def _can_phrase(self, told: Told) -> bool:
        doubted = told.assertion is Assertion.POSSIBLE and self._can_name(told)
        return super()._can_phrase(told) or (doubted and self.wordings.has_phrase(told.entry, self.language))

    def _name(self, told: Told) -> str:
        other = self.mixing and self.wordings.has_name(told.entry, self._other)
        return self._name_in(self._other if other and self._happens(_OTHER_LANGUAGE) else self.language, told)

    def _name_in(self, language: Language, told: Told) -> str:
        return self.wordings.name(told.entry, language, self.random, self.style.register_)

    def _happens(self, chance: float) -> bool:
        return bool(self.random.random() < chance)


def write_fuller_note(
    story: Story, style: str, language: Language, wordings: Wordings, random: np.random.Generator
) -> WrittenNote:
    """Writes `story` down. Raises KeyError for a style that is none."""
    return FullerNoteWriter(story, style, language, wordings, random).note()


def _needed(pattern: str) -> Counter[str]:
    """How many present ("" in the slot), absent ("no_") and possible ("maybe_") findings a mixed sentence tells."""
    slots = map(MIXED_SLOT.fullmatch, SLOT.findall(pattern))
    return Counter(slot[1] for slot in slots if slot)
