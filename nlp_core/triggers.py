"""Where a note has words that rule what is asserted near them: rules/assertion.yaml found in a document's tokens.

Input  : "Cough, no fever." and the rules
Output : Trigger "no", tokens [2, 3), kind "absent before".
Knows the words and the places where they mean nothing; how far each reaches is assertion's business.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import yaml
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from nlp_core.filled_forms import FilledForms
from nlp_core.text_view import view

RULES = Path(__file__).parent / "rules" / "assertion.yaml"
UNLIMITED = 1000
"""Tokens: more than a sentence has."""
_YEAR = re.compile(r"(?:19|20)\d\ds?")
_MONTHS = frozenset(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sept sep oct nov dec winter summer spring fall autumn".split()
)
_BEFORE_YEARS = frozenset("in ( circa from around about early late mid a an the his her my until".split())
"""Words that a year follows."""
_OPERATED = re.compile(
    r"(?:\w{3,}(?:ectomy|plasty|otomy|ostomy)|surgery|repair|bypass|cabg|mi|tia|cva|infarction)", re.IGNORECASE
)
"""Words that a year follows directly: "appendectomy 1982"."""
_MEASURED = frozenset(
    "ml mg g cc ng pg mcg µg kcal cal units unit iu cells mm cm k / x × * per hu mosm cfu copies".split()
)
"""Words after which a number of four digits was no year."""
_CLAUSE_ENDS = frozenset(".;!?。；")


@dataclass(frozen=True, slots=True)
class Group:
    """What the rules say of a list of words."""

    kind: str
    """An assertion's value, `end`, `now` or `inert`."""
    place: Literal["before", "after", "beside", ""] = ""
    """Where the words stand: before what they rule, or after; beside: a form's answer, whose tokens are what it rules."""
    reach: int = UNLIMITED
    across_commas: bool = False
    weak: bool = False
    """A doubt that a denial before it takes away."""
    closing: bool = False
    opening: bool = False
    compound: bool = False
    """It is joined to the word it rules, as "non-" is."""
    through: bool = False
    """It tells when the whole sentence happened ("in 2004 he was admitted with ..."): no `end` word stops it, only `now`."""


_YEAR_GROUPS = (Group("past", "before", 16, through=True), Group("past", "after", 8))


@dataclass(frozen=True, slots=True)
class Trigger:
    """A ruling word: tokens `[start, end)` of the document. Of what stands beside a form's answer: what is answered."""

    start: int
    end: int
    group: Group

    @property
    def kind(self) -> str:
        return self.group.kind

    @property
    def place(self) -> str:
        return self.group.place


@dataclass(frozen=True, slots=True)
class _Unless:
    """Triggers of one kind that mean nothing near certain words."""

    first_words: frozenset[str]
    within: int
    next: tuple[tuple[str, ...], ...]
    previous: tuple[tuple[str, ...], ...]

    def applies(self, trigger: Trigger, doc: Doc) -> bool:
        if self.first_words and doc[trigger.start].lower_ not in self.first_words:
            return False
        after = _clause(doc, range(trigger.end, min(len(doc), trigger.end + self.within)))
        before = _clause(doc, range(trigger.start - 1, max(-1, trigger.start - 1 - self.within), -1))[::-1]
        return _holds(after, self.next) or _holds(before, self.previous)


class AssertionRules:
    """The rules, compiled once per process."""

    def __init__(self, nlp: Language, path: Path = RULES, *, forms: bool = True) -> None:
        """forms: whether what forms answer is read beside words (filled_forms)."""
        rules = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
        self._groups: dict[str, Group] = {}
        self._unless: dict[str, list[_Unless]] = defaultdict(list)
        for entry in rules.pop("unless"):
            self._unless[entry["kind"]].append(_unless(entry, nlp))
        self._forms = FilledForms() if forms else None
        for group, words in _phrases(rules):
            key = str(group)
            self._groups[key] = group
            self._matcher.add(key, [nlp.make_doc(way) for word in words for way in written_ways(str(word))])

    def triggers(self, doc: Doc) -> list[Trigger]:
        """All triggers of a document in order; longer ones and inert ones switch off what they overlap, a form's answers all others."""
        answered = list(self._answered(doc))
        saying = {index for beside, said in answered if _rules_nothing_else(beside, said) for index in said}
        spoken = [t for t in self._spoken(doc) if saying.isdisjoint(range(t.start, t.end))]
        return sorted([*(beside for beside, _ in answered), *spoken], key=lambda trigger: trigger.start)

    def _answered(self, doc: Doc) -> Iterator[tuple[Trigger, range]]:
        """What stands beside answers of forms, and the tokens of the answers."""
        starts = [token.idx for token in doc]
        for one in self._forms.answered(doc.text) if self._forms else ():
            first, last = bisect_left(starts, one.start), bisect_left(starts, one.end)
            if first < last:
                said = range(bisect_left(starts, one.said_start), bisect_left(starts, one.said_end))
                yield Trigger(first, last, Group(one.answer, "beside")), said

    def _spoken(self, doc: Doc) -> list[Trigger]:
        """The ruling words of a document, in order."""
        found = [Trigger(start, end, self._groups[doc.vocab.strings[key]]) for key, start, end in self._matcher(doc)]
        found = [trigger for trigger in (*found, *_years(doc)) if self._means_something(trigger, doc)]
        found.sort(key=lambda trigger: (-(trigger.end - trigger.start), trigger.kind != "inert", trigger.start))
        kept: list[Trigger] = []
        taken: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for trigger in found:
            others = {span for index in range(trigger.start, trigger.end) for span in taken[index]}
            if others - {(trigger.start, trigger.end)}:
                continue
            for index in range(trigger.start, trigger.end):
                taken[index].add((trigger.start, trigger.end))
            kept.append(trigger)
        inert = {(trigger.start, trigger.end) for trigger in kept if trigger.kind == "inert"}
        return sorted(
            (t for t in kept if t.kind != "inert" and (t.start, t.end) not in inert), key=lambda trigger: trigger.start
        )

    def _means_something(self, trigger: Trigger, doc: Doc) -> bool:
        if trigger.group.closing and not _closes(doc, trigger.end):
            return False
        if trigger.group.opening and trigger.start and doc[trigger.start - 1].text[0].isalnum():
            return False
        return not any(unless.applies(trigger, doc) for unless in self._unless.get(trigger.kind, ()))


def _rules_nothing_else(beside: Trigger, said: range) -> bool:
    """Of a form's answer: "cough: no, sore throat" denies one, but "denies: fever, rash" both, and "mother only" tells of whom the
    rest of its line speaks."""
    return beside.kind in ("present", "absent", "possible") and bool(said) and said[0] >= beside.end


def written_ways(phrase: str) -> Iterator[str]:
    """ "he|she has" is "he has" and "she has"; an apostrophe is written straight or curly; marks as a view shows them."""
    for words in product(*(part.split("|") for part in phrase.split(" "))):
        way = view(" ".join(words)).text
        yield way
        if "'" in way:
            yield way.replace("'", "’")


def _phrases(rules: dict[str, Any]) -> Iterator[tuple[Group, list[str]]]:
    for kind, content in rules.items():
        if kind in ("end", "now", "inert"):
            yield Group(kind), [word for words in content for word in words]
            continue
        for place, groups in content.items():
            for group in groups:
                flags = {key: value for key, value in group.items() if key != "words"}
                yield Group(kind, place, **flags), group["words"]


def _unless(entry: dict[str, Any], nlp: Language) -> _Unless:
    sides = {
        side: tuple(
            tuple(token.lower_ for token in nlp.make_doc(way))
            for word in entry.get(side, ())
            for way in written_ways(str(word))
        )
        for side in ("next", "previous")
    }
    return _Unless(frozenset(map(str, entry.get("of", ()))), entry["within"], **sides)


def _years(doc: Doc) -> Iterator[Trigger]:
    """ "in 1998", "(2011)", "the 1980s", "MI 2001" and 2015年 tell of former times, before and after them in their sentence."""
    for token in doc:
        if len(token) in (4, 5) and _YEAR.fullmatch(token.text):
            chinese = token.i + 1 < len(doc) and doc[token.i + 1].text == "年"
            if chinese or _is_a_year(doc, token.i):
                for group in _YEAR_GROUPS:
                    yield Trigger(token.i, token.i + 1 + chinese, group)


def _is_a_year(doc: Doc, at: int) -> bool:
    """Do the words around token `at` make its four digits a year, and one that nothing began in?"""
    if not at or (at + 1 < len(doc) and doc[at + 1].lower_ in _MEASURED):
        return False
    before = doc[at - 1].lower_
    if before in _MONTHS:
        return at > 1 and doc[at - 2].lower_ in ("in", "of", "(", "the")
    return before in _BEFORE_YEARS or _OPERATED.fullmatch(before) is not None


def _closes(doc: Doc, end: int) -> bool:
    """Does a clause end at token `end`, so that what stands before it is meant?"""
    return end == len(doc) or not doc[end].text[0].isalnum() or doc[end].lower_ in ("and", "or", "but")


def _clause(doc: Doc, indices: range) -> list[str]:
    """The lower-case words at `indices`, up to where their clause ends."""
    words: list[str] = []
    for index in indices:
        word = doc[index].lower_
        if word in _CLAUSE_ENDS or "\n" in word:
            break
        words.append(word)
    return words


def _holds(words: Sequence[str], wanted: Sequence[tuple[str, ...]]) -> bool:
    if not words or not wanted:
        return False
    return any(
        tuple(words[at : at + len(phrase)]) == phrase for phrase in wanted for at in range(len(words) - len(phrase) + 1)
    )
