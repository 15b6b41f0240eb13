"""What forms, tables and lists of boxes answer of a finding: "| Cough | no |", "[x] nausea [ ] vomiting", "Fever (denied)", "+cough -rash".

Input  : the text of a note
Output : Answered "Cough": absent, said by "no"
A form's answer stands in a place of its own, so it rules what stands beside it there and nothing else, however near. Knows layouts (rows,
boxes, signs, pairs) and the words of rules/filled_forms.yaml; neither findings nor sentences. Shapes are form_shapes' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from nlp_core.form_shapes import (
    BOX,
    CALLED,
    FILLED,
    LONGEST_FIELDS,
    MARK,
    OPENING,
    SHAPED,
    SIGN,
    TICK,
    TICKED,
    Block,
    blocks_of,
    called_of,
    cells_of,
    first_border,
    hollow_alone,
    last_border,
    lead_of,
    signs_of,
    stripped,
)

RULES = Path(__file__).parent / "rules" / "filled_forms.yaml"
PRESENT, ABSENT, POSSIBLE, PAST, FAMILY = "present", "absent", "possible", "past", "family"
_SIGNS = {"+": PRESENT, "⊕": PRESENT, "-": ABSENT, "⊖": ABSENT, "±": POSSIBLE, "+/-": POSSIBLE}
LONGEST_NAME = 70
"""Characters of what one answer speaks of."""
LONGEST_ANSWER = 40
_LONGEST_LINE = 400
"""Characters of a line that may be a form's: longer ones are prose."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Characters `[start, end)` of the text are what an answer speaks of; `[said_start, said_end)` are the answer."""

    start: int
    end: int
    answer: str
    """An assertion's value."""
    said_start: int
    said_end: int


@dataclass(frozen=True, slots=True)
class _Answers:
    """The words of the rules."""

    words: Mapping[str, str]
    begins: Sequence[tuple[str, str]]
    columns: Mapping[str, str]

    def of(self, said: str, *, in_a_cell: bool = True) -> str | None:
        """What `said`, all that stands in an answer's place, answers; None where it is no answer. in_a_cell: by a shape alone too."""
        plain = said.strip().strip(".。").lower()
        if not plain or len(plain) > LONGEST_ANSWER:
            return None
        if plain in self.words and (in_a_cell or plain not in "01ny"):
            return self.words[plain]
        if in_a_cell and (sign := SIGN.fullmatch(plain)):
            return _SIGNS[sign["inner"] or sign["bare"]]
        if in_a_cell and (mark := MARK.fullmatch(plain)):
            return PRESENT if mark["ticked"] or mark["filled"] else ABSENT
        return next((answer for begin, answer in self.begins if _begins(plain, begin)), None)


def _begins(said: str, begin: str) -> bool:
    """Does it begin with whole words of `begin`?"""
    rest = said[len(begin) :]
    return said.startswith(begin) and (
        not rest or not (begin[-1].isascii() and begin[-1].isalpha() and rest[0].isalnum())
    )


class FilledForms:
    """Finds what forms answer; built once per process."""

    def __init__(self, path: Path = RULES) -> None:
        rules = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        words = {str(word): kind for kind, lists in rules.items() for word in lists.get("words", ())}
        begins = [(str(word), kind) for kind, lists in rules.items() for word in lists.get("begins", ())]
        columns = {str(word): kind for kind, lists in rules.items() for word in lists.get("columns", ())}
        self._answers = _Answers(words, begins, columns)
        spoken = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True) if word not in "01?")
        going_on = "|".join(re.escape(word) for word, _ in sorted(begins, reverse=True))
        spoken = rf"(?:{going_on})[^,，、;；|\t:：=()（）]{{0,25}}(?:[(（][^()（）]*[)）])?|{spoken}|[(（](?:\+/-|[+±-])[)）]|\?"
        option = "|".join(re.escape(word) for word in sorted(columns, key=len, reverse=True) if word not in "+-?")
        mark = rf"(?:{TICKED}|{BOX}|[☐■□●○√])"
        # "[ ] yes [x] no", "Yes ☒ No ☐", "有 无√"
        self._options = re.compile(
            rf"(?:{mark}\s*[①②③]?(?:{option})(?![a-z])\s*){{2,4}}|(?:(?<![a-z])[①②③]?(?:{option})(?![a-z])\s*{mark}\s*){{2,4}}"
            rf"|[①②③]?(?:有|是)√?\s+[①②③]?(?:无|否)√?(?=\s|$)",
            re.IGNORECASE,
        )
        word = rf"(?<![a-z])[①②③]?(?P<word>{option})(?![a-z])"
        self._box_first = re.compile(rf"(?P<mark>{mark})\s*{word}", re.IGNORECASE)
        self._box_last = re.compile(rf"{word}\s*(?P<mark>{mark})", re.IGNORECASE)
        shape = r"[✗✘×✓√](?!\w)|[+±](?!\w)|\+/-|-(?=\s*$)"
        said = rf"(?P<said>{spoken}|{shape}|[01](?=\s*$))"
        # What follows must end the answer or begin the next item: in "Skin: no rash" the colon answers nothing.
        self._pair = re.compile(
            rf"(?:[:：=→]|(?<=\s)[-/](?=\s)|——|->)\s*{said}"
            r"(?=\s*(?:$|[|,，、;；.。)\]\t])|\s+(?:[^\s:：=.。]{1,14}(?:\s[^\s:：=.。]{1,14}){0,3}\s*[:：=]|\d|n/a\b|[-/]\s*$|about|for|since|约|近))",
            re.IGNORECASE,
        )
        # One bracket may stand in another: "heartburn (family (mother))". A line is a form's where it is such items alone.
        self._bracket = re.compile(
            r"[(（\[【]\s*(?P<said>[^()（）\[\]【】]{1,40}?(?:[(（][^()（）]*[)）])?)\s*[)）\]】]"
        )
        self._bracketed = re.compile(
            r"(?:[^()（）]{1,40}[(（][^()（）]*(?:[(（][^()（）]*[)）])?[)）])+[,，、;；.。\s]*"
        )
        # The answer before what it speaks of: "No | fever, cough"; and a line of few words that ends with one: "Fever no".
        self._first = re.compile(
            rf"(?P<said>{spoken}|[+±])\s*(?:[:：|\t]|\s-\s)\s*(?P<named>[^|:：\t;；.。]+)", re.IGNORECASE
        )
        self._last = re.compile(rf"(?P<named>\S+(?:\s\S+){{0,5}})\s(?P<said>{spoken}|[01+±✗✘×✓√-])\s*", re.IGNORECASE)

    def answered(self, text: str) -> list[Answered]:
        """All of a text, in order; none lies in another."""
        found: list[Answered] = []
        for block in blocks_of(text):
            found += self._in_a_block(Block(text, block))
        return sorted(found, key=lambda one: one.start)

    def _in_a_block(self, block: Block) -> Iterator[Answered]:
        columns: dict[int, str] = {}
        for start, end in block.lines:
            line = block.text[start:end]
            in_list = len(block.lines) > 1 and len(line) <= LONGEST_FIELDS
            shaped = SHAPED.search(line)
            if len(line) > _LONGEST_LINE or not (shaped or in_list):
                continue
            taken = _Taken(line)
            if "|" in line or "\t" in line:
                heading = self._columns_of(line)
                if heading:
                    columns = heading
                    continue
                self._row(line, columns, taken, block)
            if MARK.search(line) or CALLED.search(line):
                self._by_options(line, taken)
                self._by_marks(line, taken, block)
            if shaped:
                self._by_signs(line, taken, block)
                self._by_brackets(line, taken)
                self._by_pairs(line, taken)
                self._by_what_comes_first(line, taken)
            if in_list:
                self._by_fields(line, taken, block)
            for one in taken.found:
                yield Answered(
                    start + one.start, start + one.end, one.answer, start + one.said_start, start + one.said_end
                )

    def _columns_of(self, line: str) -> dict[int, str]:
        """Which column means what, where this line is the heading of columns of ticks."""
        cells = [line[start:end].strip().lower() for start, end in cells_of(line)]
        known = {
            place: self._answers.columns[cell]
            for place, cell in enumerate(cells)
            if place and cell in self._answers.columns
        }
        return known if len(set(known.values())) > 1 else {}

    def _row(self, line: str, columns: Mapping[int, str], taken: _Taken, block: Block) -> None:
        """A row: a name and a cell beside it that answers, or a tick in a column that does."""
        cells = cells_of(line)
        said = [line[start:end].strip() for start, end in cells]
        ticked = [place for place, cell in enumerate(said) if place and TICK.fullmatch(cell)]
        blank = [place for place, cell in enumerate(said) if place and not cell]
        if len(ticked) == 1 and (columns or (len(cells) >= 3 and ticked[0] <= 2 and (3 - ticked[0]) in blank)):
            answer = columns.get(ticked[0]) if columns else (PRESENT, ABSENT)[ticked[0] - 1]
            if answer:
                taken.take(cells[0], answer, cells[ticked[0]])
            return
        if self._options.search(line):
            return
        for place in range(1, len(cells)):
            answer = self._answers.of(said[place])
            if answer and said[place - 1] and not self._answers.of(said[place - 1]) and not MARK.match(said[place - 1]):
                if not hollow_alone(said[place], block):
                    taken.take(cells[place - 1], answer, cells[place])
                return
        first = self._answers.of(said[0]) if said else None
        if first and len(cells) > 1 and not hollow_alone(said[0], block):
            taken.take(cells[1], first, cells[0])

    def _by_options(self, line: str, taken: _Taken) -> None:
        """ "Fever: [ ] yes [x] no": what is ticked; nothing ticked says nothing."""
        begin = lead_of(line)
        for options in self._options.finditer(line):
            chosen = []
            leading = MARK.match(options.group()) is not None
            for option in (self._box_first if leading else self._box_last).finditer(options.group()):
                if re.fullmatch(rf"{TICKED}|{FILLED}", option["mark"]):
                    chosen.append(self._answers.columns[option["word"].lower()])
            answer = chosen[0] if len(chosen) == 1 else POSSIBLE
            taken.take((begin, options.start()), answer, options.span())
            begin = options.end()

    def _by_marks(self, line: str, taken: _Taken, block: Block) -> None:
        """ "[x] nausea [ ] vomiting" or "nausea [x], vomiting [ ]"; "NEG cough POS rash"."""
        marks = [
            mark for mark in MARK.finditer(line) if taken.free(*mark.span()) and not hollow_alone(mark.group(), block)
        ]
        boxed = [mark for mark in marks if mark["ticked"] or mark["box"] or block.has_both] or called_of(line)
        leading = bool(boxed) and boxed[0].start() <= lead_of(line)
        for place, mark in enumerate(boxed):
            if leading:
                name = (mark.end(), boxed[place + 1].start() if place + 1 < len(boxed) else len(line))
            else:
                name = (boxed[place - 1].end() if place else lead_of(line), mark.start())
            answer = self._answers.of(mark.group()) or self._answers.of(mark.group().strip("【】"))
            if answer:
                taken.take(name, answer, mark.span())

    def _by_signs(self, line: str, taken: _Taken, block: Block) -> None:
        """ "+cough, -rash", "ROS: (-) fever, chills (+) cough" or "cough (+), rash (-)"; bare signs where the block has both."""
        signs = [
            sign for sign in signs_of(line) if not sign["bare"] or sign["bare"] not in "+-" or block.has_both_signs
        ]
        if not signs:
            return
        leading = OPENING.fullmatch(line, lead_of(line), signs[0].start()) is not None
        for place, sign in enumerate(signs):
            if leading:
                stop = signs[place + 1].start() if place + 1 < len(signs) else len(line)
                name = (sign.end(), first_border(line, sign.end(), stop))
            else:
                before = signs[place - 1].end() if place else lead_of(line)
                name = (max(before, last_border(line, sign.start())), sign.start())
            taken.take(name, _SIGNS[sign["inner"] or sign["bare"]], sign.span())

    def _by_brackets(self, line: str, taken: _Taken) -> None:
        """ "fever (no), cough (unsure)"."""
        begin = lead_of(line)
        of_a_form = self._bracketed.fullmatch(line, begin) is not None
        for bracket in self._bracket.finditer(line):
            answer = self._answers.of(bracket["said"], in_a_cell=False)
            if answer in (PAST, FAMILY) and not of_a_form:
                answer = None  # "denies rash (mum)"
            if answer:
                name = (max(begin, last_border(line, bracket.start())), bracket.start())
                taken.take(name, answer, bracket.span())
            begin = bracket.end()

    def _by_pairs(self, line: str, taken: _Taken) -> None:
        """ "Fever: no", "cough = yes, rash = no", "Asthma: as a child"."""
        begin = lead_of(line)
        for pair in self._pair.finditer(line):
            name = line[begin : pair.start()]
            border = max(name.rfind(mark) for mark in ".。;；|\t:：)）")
            answer = self._answers.of(pair["said"])
            if answer:
                taken.take((begin + border + 1, pair.start()), answer, pair.span("said"))
            begin = pair.end()
        if begin == lead_of(line) and len(line) <= LONGEST_FIELDS:
            whole = re.fullmatch(
                r"(?P<named>[^:：=]{2,60}?)\s*(?:[:：=]|\s-\s|——|->|→|\s/\s)\s*(?P<said>[^:：=]{2,40})", line[begin:]
            )
            answer = self._answers.of(whole["said"]) if whole else None
            if whole and answer:
                taken.take(
                    (begin, begin + whole.end("named")),
                    answer,
                    (begin + whole.start("said"), begin + whole.end("said")),
                )

    def _by_what_comes_first(self, line: str, taken: _Taken) -> None:
        """ "Denied: fever, chills" and "No | fever"."""
        begin = lead_of(line)
        first = self._first.match(line, begin)
        if first and taken.free(*first.span()):
            answer = self._answers.of(first["said"])
            if answer:
                taken.take(first.span("named"), answer, first.span("said"))

    def _by_fields(self, line: str, taken: _Taken, block: Block) -> None:
        """ "fever,no,3 days" and "Fever no", where the lines of the block are such."""
        if taken.found:
            return
        fields = line.split(",")
        if len(fields) in (2, 3) and block.fields(self._answers.of):
            answer = self._answers.of(fields[1])
            if answer and len(fields[0]) <= LONGEST_NAME:
                at = len(fields[0]) + 1
                taken.take((0, at - 1), answer, (at, at + len(fields[1])))
            return
        last = self._last.fullmatch(line, lead_of(line))
        if last and block.ends_in_answers(self._last):
            answer = self._answers.of(last["said"])
            if answer:
                taken.take(last.span("named"), answer, last.span("said"))


class _Taken:
    """What of a line is answered already."""

    def __init__(self, line: str) -> None:
        self._line = line
        self.found: list[Answered] = []

    def free(self, start: int, end: int) -> bool:
        return not any(
            (one.start < end and start < one.end) or (one.said_start < end and start < one.said_end)
            for one in self.found
        )

    def take(self, name: tuple[int, int], answer: str, said: tuple[int, int]) -> None:
        """Nothing where the name is empty or too long, or part of it or of the answer is taken."""
        start, end = stripped(self._line, max(name[0], lead_of(self._line)) if said[0] >= name[1] else name[0], name[1])
        if start < end and end - start <= LONGEST_NAME and self.free(start, end) and self.free(*said):
            self.found.append(Answered(start, end, answer, *said))
