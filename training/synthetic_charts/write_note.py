"""One story in one style: a note whose every finding is known by place.

Fills the sentence patterns of a tone with the wordings of the entries, part by part, and lays the sentences out. Knows
styles, stories and wordings; typing errors and the like are distortions' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from training.synthetic_charts.gold import Piece, WrittenNote, WrittenSentence
from training.synthetic_charts.stories import Story, Told
from training.synthetic_charts.styles import SLOT, Part, Pattern, Patterns, Style, patterns, styles
from training.synthetic_charts.wordings import Wordings

_FEWEST_WITH_TWO = 3
_MOST_IN_LIST = 4
_UNRELATED = 0.25
"""Chance of irrelevant words after a sentence of the history."""

_PARTS: dict[Part, tuple[tuple[str, Pattern], ...]] = {
    "history": (("symptoms", "present"),),
    "negatives": (("denied", "absent"),),
    "past": (("past", "past"),),
    "family": (("family", "family"),),
    "exam": (("signs", "sign"), ("signs_absent", "sign_absent")),
    "results": (("results", "result"), ("results_absent", "result_absent")),
    "possible": (("possible", "possible"),),
    "plan": (("conditional", "conditional"),),
}
"""Which lists of the story a part tells, with which patterns."""


@dataclass
class NoteWriter:
    """Writes one note; another way of writing overrides how a part is told."""

    story: Story
    style_name: str
    language: Language
    wordings: Wordings
    random: np.random.Generator

    @property
    def style(self) -> Style:
        """Raises KeyError for a style that is none."""
        return styles()[self.style_name]

    @property
    def words(self) -> Patterns:
        return patterns(self.language)

    def note(self) -> WrittenNote:
        return WrittenNote(self.style_name, self.style.kind[self.language], self.language, tuple(self.sentences()))

    def sentences(self) -> Iterator[WrittenSentence]:
        """The whole note, laid out. What the opening tells is not told again."""
        opened = self._opened()
        for part in self.style.parts:
            if part == "complaint":
                written = list(self._opening(opened))
            elif part == "social":
                written = [self._unrelated() for _ in range(int(self.random.integers(1, 3)))]
            else:
                written = list(self._part(part, opened))
            if written:
                yield from self._laid_out(part, written)

    def _opened(self) -> list[Told]:
        return [told for told in self.story.symptoms if self._can_name(told)][:_FEWEST_WITH_TWO]

    def _opening(self, opened: Sequence[Told]) -> Iterator[WrittenSentence]:
        yield from self._told("opening", list(opened or self.story.signs[:1]), once=True)

    def _part(self, part: Part, opened: Sequence[Told]) -> Iterator[WrittenSentence]:
        for which, pattern in self._lists(part):
            for sentence in self._told(pattern, self._untold(which, opened)):
                yield sentence
                if part == "history" and self.random.random() < _UNRELATED:
                    yield self._unrelated()

    def _lists(self, part: Part) -> tuple[tuple[str, Pattern], ...]:
        if part == "negatives" and "exam" not in self.style.parts:
            return (*_PARTS[part], ("signs_absent", "sign_absent"))
        return _PARTS[part]

    def _untold(self, which: str, opened: Sequence[Told]) -> list[Told]:
        return [one for one in getattr(self.story, which) if one not in opened]

    def _told(self, pattern: Pattern, told: list[Told], *, once: bool = False) -> Iterator[WrittenSentence]:
        """Sentences until everything is told; `once`: a single one."""
        choices = self.words.tones[self.style.tone].get(pattern, ())
        waiting = [one for one in told if self._can_name(one) or self._can_phrase(one)]
        while waiting and choices:
            sentence = self._filled(self._pick(self._fitting(choices, waiting)), waiting)
            if sentence:
                yield sentence
            if once:
                return

    def _fitting(self, choices: Sequence[str], waiting: Sequence[Told]) -> list[str]:
        """Patterns for which enough is left to tell."""
        phrased = self._can_phrase(waiting[0])
        named = sum(self._can_name(one) for one in waiting)
        fitting = [
            choice
            for choice in choices
            if (phrased if "{p}" in choice else named >= max(1, choice.count("{f}") + choice.count("{F}")))
        ]
        return fitting or ["{p}."]

    def _filled(self, pattern: str, waiting: list[Told]) -> WrittenSentence | None:
        pieces: list[Piece] = []
        telling = False
        for place, part in enumerate(SLOT.split(pattern)):
            if place % 2 == 0:
                pieces += [Piece(part)] if part else []
                continue
            told = self._taken(part, waiting)
            telling = telling or any(one.telling for one in told)
            pieces += self._listed(part, told) if told else [Piece(self._word(part))]
        return WrittenSentence(tuple(_capital_first(pieces)), telling=telling) if pieces else None

    def _taken(self, slot: str, waiting: list[Told]) -> list[Told]:
        """What the slot tells, taken off the waiting list."""
        if slot == "p":
            return [waiting.pop(0)] if waiting else []
        if slot not in ("f", "F", "fs", "Fs", "fs_or", "f_bare"):
            return []
        most = 1 if slot in ("f", "F", "f_bare") else int(self.random.integers(1, _MOST_IN_LIST + 1))
        taken = [one for one in waiting if self._can_name(one)][:most]
        for one in taken:
            waiting.remove(one)
        return taken

    def _listed(self, slot: str, told: Sequence[Told]) -> list[Piece]:
        if slot == "p":
            one = told[0]
            text = self._phrase(one) if self._can_phrase(one) else self._name(one)
            return [Piece(text, one.entry, one.assertion)]
        words = self.words.list_words
        last = words.last_absent if slot == "fs_or" else words.last_present
        pieces: list[Piece] = []
        for number, one in enumerate(told):
            if number:
                pieces.append(Piece(last if number == len(told) - 1 else words.between))
            pieces.append(Piece(self._name(one), one.entry, one.assertion))
        if slot in ("F", "Fs"):
            pieces[0] = pieces[0].reworded(pieces[0].text[:1].upper() + pieces[0].text[1:])
        return pieces

    def _word(self, slot: str) -> str:
        """What is no finding: who, how long, when, what else."""
        female = self.story.sex == "female"
        if slot in ("he", "He", "him", "his", "His"):
            word = {"he": ("he", "she"), "him": ("him", "her"), "his": ("his", "her")}[slot.lower()][female]
            return word.capitalize() if slot[0] == "H" else word
        if slot == "sex":
            english = ("man", "woman") if self.story.age_years >= 18 else ("boy", "girl")
            return ("男", "女")[female] if self.language == "zh" else english[female]
        if slot in ("relative", "Relative"):
            word = self._pick(self.words.relatives)
            return word.capitalize() if slot == "Relative" else word
        if slot.startswith("age"):
            return self._age(slot)
        plain = {
            "duration": lambda: self._pick(self.words.durations[self.story.onset]),
            "past": lambda: self._pick(self.words.past),
            "past_year": lambda: str(int(self.random.integers(1990, 2024))),
            "clock": lambda: f"{int(self.random.integers(24)):02d}:{int(self.random.integers(60)):02d}",
            "nothing": lambda: self.wordings.nothing(self.language, self.random),
        }
        return plain[slot]() if slot in plain else ""

    def _age(self, slot: str) -> str:
        years, months = int(self.story.age_years), max(1, round(self.story.age_years * 12))
        old = self.story.age_years >= 2
        if self.language == "zh":
            return (f"{years}岁" if old else f"{months}个月") if slot != "age_years" else str(years)
        sex = "F" if self.story.sex == "female" else "M"
        return {
            "age": f"{years}-year-old" if old else f"{months}-month-old",
            "age_short": f"{years}{sex}" if old else f"{months}mo {sex}",
            "age_lay": f"{years}" if old else f"{months} months",
            "age_years": str(years),
        }[slot]

    def _unrelated(self) -> WrittenSentence:
        if self.random.random() < 0.5:
            return WrittenSentence((Piece(self._pick(self.words.unrelated) + self._stop),))
        filled = self._filled(self._pick(self.words.tones[self.style.tone]["nothing"]), [])
        return filled or WrittenSentence((Piece(self._pick(self.words.unrelated) + self._stop),))

    @property
    def _stop(self) -> str:
        return "。" if self.language == "zh" else "."

    def _laid_out(self, part: Part, written: list[WrittenSentence]) -> Iterator[WrittenSentence]:
        """Headings, bullets, bars and breaks as the layout wants them."""
        layout = self.style.layout
        blank = "" if self.language == "zh" else " "
        if layout in ("headed", "list") and part in self.words.headings:
            heading = self._pick(self.words.headings[part])
            inline = layout == "headed" and heading[-1] in ":：" and self.random.random() < 0.5
            yield WrittenSentence((Piece(heading),), after=(blank if inline else "\n"))
        lead = {"list": "- ", "table": "| "}.get(layout, "")
        each_on_a_line = layout in ("lines", "list", "table")
        for place, sentence in enumerate(written):
            last = place == len(written) - 1
            after = "\n" if each_on_a_line else blank
            if last and layout == "headed":
                after = "\n\n" if self.random.random() < 0.5 else "\n"
            pieces = (Piece(lead), *sentence.pieces) if lead else sentence.pieces
            yield WrittenSentence(tuple(pieces), after, sentence.telling)

    def _can_name(self, told: Told) -> bool:
        return self.wordings.has_name(told.entry, self.language)

    def _can_phrase(self, told: Told) -> bool:
        return told.assertion is Assertion.PRESENT and self.wordings.has_phrase(told.entry, self.language)

    def _name(self, told: Told) -> str:
        return self.wordings.name(told.entry, self.language, self.random, self.style.register_)

    def _phrase(self, told: Told) -> str:
        return self.wordings.phrase(told.entry, self.language, self.random)

    def _pick(self, texts: Sequence[str]) -> str:
        return texts[int(self.random.integers(len(texts)))]


def write_note(
    story: Story, style: str, language: Language, wordings: Wordings, random: np.random.Generator
) -> WrittenNote:
    """Writes `story` down. Raises KeyError for a style that is none."""
    return NoteWriter(story, style, language, wordings, random).note()


def _capital_first(pieces: list[Piece]) -> list[Piece]:
    """A sentence begins with a capital; abbreviations and Chinese stay as they are."""
    first = next((place for place, piece in enumerate(pieces) if piece.text.strip()), None)
    if first is not None and pieces[first].text[0].islower():
        pieces[first] = pieces[first].reworded(pieces[first].text[0].upper() + pieces[first].text[1:])
    return pieces
