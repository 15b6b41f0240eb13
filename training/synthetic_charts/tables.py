"""A table of findings, as a review of systems or an examination is filled in: each in a cell, what is said of it in another.

Input : what is to be told, the tables of a language     Output: "| Cough | yes | 3 days |", "[x] nausea [ ] vomiting", a line each
One table keeps to one layout and one way of saying yes and no. Knows rows and cells, not which findings belong in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from nlp_core.assertion import Assertion
from training.synthetic_charts.fuller_patterns import Cells, TableForm, Tables
from training.synthetic_charts.gold import Piece, WrittenSentence
from training.synthetic_charts.stories import Told
from training.synthetic_charts.styles import SLOT

_HEADED = 0.5
_CAPITAL = 0.5
_DATED = 0.7
"""Of the present findings of a table that has a column for how long."""
_PADDED_TO = 26
_FEWEST_BLANKS = 2
PickT = TypeVar("PickT")


@dataclass
class TableWriter:
    """Writes one table. name: of a finding, as it stands in a cell; word: of a slot that is no finding."""

    tables: Tables
    random: np.random.Generator
    name: Callable[[Told], str]
    word: Callable[[str], str]
    form: TableForm = field(init=False)
    cells: Cells = field(init=False)
    capital: bool = field(init=False)

    def __post_init__(self) -> None:
        self.form = self._pick(self.tables.forms)
        self.cells = self._pick(self.tables.cells[self.form.said])
        self.capital = bool(self.random.random() < _CAPITAL)

    def lines(self, told: Sequence[Told]) -> Iterator[WrittenSentence]:
        """The table of those of `told` that it has a way to assert; nothing where there are none."""
        sayable = [one for one in told if self._cell(one.assertion)]
        if sayable and self.form.heads and self.random.random() < _HEADED:
            yield WrittenSentence((Piece(self._pick(self.form.heads)),), after="\n")
        for number, group in enumerate(self._groups(sayable), start=1):
            pieces = tuple(self._line(group, number))
            yield WrittenSentence(pieces, after="\n", telling=any(one.telling for one in group))

    def _groups(self, told: Sequence[Told]) -> Iterator[list[Told]]:
        """What stands on a line together."""
        waiting = list(told)
        while waiting:
            most = int(self.random.integers(1, self.form.most + 1))
            first = waiting[0]
            same = [one for one in waiting if not self.form.by_answer or one.assertion is first.assertion]
            group = same[:most]
            for one in group:
                waiting.remove(one)
            yield group

    def _line(self, group: Sequence[Told], number: int) -> Iterator[Piece]:
        if self.form.by_answer:
            yield from self._filled(group, number)
            return
        for place, one in enumerate(group):
            if place:
                yield Piece(self.form.between)
            yield from self._filled([one], number)

    def _filled(self, told: Sequence[Told], number: int) -> Iterator[Piece]:
        said = self._said(told[0].assertion)
        names = [self._in_cell(one) for one in told]
        for place, part in enumerate(SLOT.split(self.form.row)):
            if place % 2 == 0:
                yield Piece(part)
            elif part in ("f", "fs"):
                yield from _listed(told, names)
            else:
                yield Piece(self._plain(part, told[0], said, names[0], number))

    def _plain(self, slot: str, told: Told, said: str, name: str, number: int) -> str:
        if slot == "said":
            return said
        if slot == "number":
            return str(number)
        if slot == "pad":
            return " " * max(_FEWEST_BLANKS, _PADDED_TO - len(name))
        dated = told.assertion is Assertion.PRESENT and self.random.random() < _DATED
        return self.word("duration") if dated else self._pick(self.tables.no_duration)

    def _said(self, assertion: Assertion) -> str:
        cell = self._cell(assertion)
        return "".join(self.word(part) if place % 2 else part for place, part in enumerate(SLOT.split(cell)))

    def _cell(self, assertion: Assertion) -> str:
        """Empty where this table has no way to say it."""
        if self.form.with_words and assertion is Assertion.PAST:
            return self._pick(self.tables.past)
        if self.form.with_words and assertion is Assertion.FAMILY:
            return self._pick(self.tables.family)
        return self.cells.get(assertion, "")

    def _in_cell(self, told: Told) -> str:
        name = self.name(told)
        return name[:1].upper() + name[1:] if self.capital else name

    def _pick(self, choices: Sequence[PickT]) -> PickT:
        return choices[int(self.random.integers(len(choices)))]


def _listed(told: Sequence[Told], names: Sequence[str]) -> Iterator[Piece]:
    between = ", " if all(name.isascii() for name in names) else "、"
    for place, (one, name) in enumerate(zip(told, names, strict=True)):
        if place:
            yield Piece(between)
        yield Piece(name, one.entry, one.assertion)
