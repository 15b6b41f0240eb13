"""Shapes that forms are filled in with: boxes, ticks, signs, cells, and which of them stand together in a block of lines.

Input  : "[x] nausea [ ] vomiting"
Output : a ticked box, an empty one, where they stand
Knows marks and borders; which words answer and what is answered is filled_forms' business. A shape that may be a bullet as well (○, □, +, -)
counts only where its counterpart stands in the same block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

TICKED = r"\[[xX✓✔√+*]\]|[(（][xX✓✔√][)）]|【[xX√✓✔]】|[☒☑✅]|_[xX]_"
BOX = r"\[ ?\]|[(（] ?[)）]|【 ?】|☐|\[[-×–]\]"
FILLED, HOLLOW = "[■●✓✔√]", "[□○✗✘×]|___+"
MARK = re.compile(rf"(?P<ticked>{TICKED})|(?P<box>{BOX})|(?P<filled>{FILLED})|(?P<hollow>{HOLLOW})")
_COUNTERPARTS = {"□": "■●✓✔√☑☒", "○": "●✓✔√☑☒", "×": "✓✔√", "_": "_"}
TICK = re.compile(r"[xX✓✔√●•■+*☑☒]|\[[xX✓✔√+*]\]")
_BARE, _BRACKETED = r"(?:\+/-|[+±⊕⊖-])", r"[(（\[](?P<inner>\+/-|[+±-])[)）\]]"
SIGN = re.compile(rf"{_BRACKETED}|(?P<bare>{_BARE})")
_LEAD = re.compile(r"\s*(?:[-*•·–]\s+|\(?\d{1,3}[.)、]\s*)?\|?\s*")
"""A bullet, a number, the first bar of a row."""
SHAPED = re.compile(r"[|\t\[【☐☑☒✅■□●○✓✔✗✘√×⊕⊖±:：=(（→+]|——|___|\s[-/]\s|\w-(?:[\s,，]|$)|[A-Z]{2}")
_SIGNED = re.compile(r"[+±⊕⊖-]")
_AT_WORDS = re.compile(
    rf"{_BRACKETED}"
    rf"|(?P<bare>(?<![^\s,，、;；|:：.。]){_BARE}(?=[^\W\d_])"
    rf"|(?<=\w){_BARE}(?=[\s,，、;；.。|]|$)"
    rf"|(?<=\w\s){_BARE}(?=\s*(?:[,，、;；.。|]|$)))"
)
"""Signs before a word, or behind one where something ends."""
OPENING = re.compile(r"(?:[^\W\d][\w ]{0,20}[:：])?\s*")
"""What may stand before the first item of a line."""
_CLOSING = re.compile(r"[;；|。]|\.(?=\s|$)")
LONGEST_FIELDS = 100
"""Characters of a line that is a few fields or words and an answer."""
_BETWEEN = " \t,，、;；|·•/-:：=>—.。()（）"
"""What parts the items of a line from each other and from their answers."""
CALLED = re.compile(r"\b(?P<word>YES|NO|POS|NEG|MAYBE|UNCERTAIN)\b|【(?P<inner>有|无|不详)】")
"""Answers in capitals or brackets that stand as boxes do."""


class Block:
    """Lines without a blank one between them."""

    def __init__(self, text: str, lines: Sequence[tuple[int, int]]) -> None:
        self.text, self.lines = text, lines
        self._ends: bool | None = None
        self._fields: bool | None = None

    @cached_property
    def marks(self) -> frozenset[str]:
        """First characters of the marks that say yes."""
        return frozenset(mark.group()[0] for mark in self._marks if mark["ticked"] or mark["filled"])

    @cached_property
    def has_both(self) -> bool:
        """Has it marks that say yes and such that say no?"""
        kinds = {mark.lastgroup for mark in self._marks}
        return bool(kinds & {"ticked", "filled"}) and bool(kinds & {"box", "hollow"})

    @cached_property
    def has_both_signs(self) -> bool:
        """Has it bare pluses and bare minuses?"""
        signs = {sign["bare"] for start, end in self.lines for sign in signs_of(self.text[start:end])}
        return {"+", "-"} <= signs

    @cached_property
    def _marks(self) -> list[re.Match[str]]:
        return list(MARK.finditer(self.text, self.lines[0][0], self.lines[-1][1]))

    def ends_in_answers(self, last: re.Pattern[str]) -> bool:
        """Are half of its lines, and two at least, a few words and an answer?"""
        if self._ends is None:
            own = [self.text[start:end] for start, end in self.lines]
            ends = sum(last.fullmatch(line, lead_of(line)) is not None for line in own)
            self._ends = ends >= 2 and 2 * ends >= len(own)
        return self._ends

    def fields(self, answer_of: Callable[[str], str | None]) -> bool:
        """Are two of its lines at least fields with commas between, the second an answer?"""
        if self._fields is None:
            own = [self.text[start:end].split(",") for start, end in self.lines]
            self._fields = sum(len(fields) in (2, 3) and answer_of(fields[1]) is not None for fields in own) >= 2
        return self._fields


def blocks_of(text: str) -> Iterator[list[tuple[int, int]]]:
    """Runs of lines, none of them blank: [start, end) of each."""
    block: list[tuple[int, int]] = []
    at = 0
    for line in text.split("\n"):
        if line.strip():
            block.append((at, at + len(line)))
        elif block:
            yield block
            block = []
        at += len(line) + 1
    if block:
        yield block


def cells_of(line: str) -> list[tuple[int, int]]:
    """[start, end) of the cells of a row, those outside of its outer bars left out."""
    borders = [-1, *(at for at, character in enumerate(line) if character in "|\t"), len(line)]
    cells = [(first + 1, second) for first, second in pairwise(borders)]
    if cells and line.lstrip().startswith("|"):
        cells = cells[1:]
    if cells and line.rstrip().endswith("|"):
        cells = cells[:-1]
    return cells


def signs_of(line: str) -> list[re.Match[str]]:
    """Pluses and minuses that stand at words."""
    return list(_AT_WORDS.finditer(line)) if _SIGNED.search(line) else []


def called_of(line: str) -> list[re.Match[str]]:
    """Answers in capitals or brackets, where the line begins or ends with one and is not all in capitals."""
    called = list(CALLED.finditer(line))
    at_an_end = called and (called[0].start() <= lead_of(line) or not line[called[-1].end() :].strip())
    return called if (at_an_end and line != line.upper()) or (called and called[0]["inner"]) else []


def hollow_alone(mark: str, block: Block) -> bool:
    """Is it a shape that may be a bullet, with nothing in the block to tell it from one?"""
    return mark[:1] in _COUNTERPARTS and not (set(_COUNTERPARTS[mark[0]]) & block.marks)


def lead_of(line: str) -> int:
    found = _LEAD.match(line)
    return found.end() if found else 0


def first_border(line: str, start: int, stop: int) -> int:
    """Where the clause that begins at `start` ends, `stop` at the latest."""
    found = _CLOSING.search(line, start, stop)
    return found.start() if found else stop


def last_border(line: str, before: int) -> int:
    return 1 + max(line.rfind(mark, 0, before) for mark in ",，、;；.。|\t:：)）]】")


def stripped(line: str, start: int, end: int) -> tuple[int, int]:
    """`[start, end)` without what parts items."""
    while start < end and line[start] in _BETWEEN:
        start += 1
    while end > start and line[end - 1] in _BETWEEN:
        end -= 1
    return start, end
