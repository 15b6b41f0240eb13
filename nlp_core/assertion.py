"""What a note says of a finding it names: present, absent, possible, past, someone else's, or only if it comes to that.

Which ruling words (triggers) reach a finding in its sentence, and the section's own meaning. Knows nothing of what the
finding is, nor which words rule (rules/assertion.yaml).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from spacy.tokens import Doc, Span

from nlp_core.sections import Section
from nlp_core.triggers import Trigger


class Assertion(StrEnum):
    """Strongest ruling first: a family's absent disease is the family's."""

    FAMILY = "family"
    CONDITIONAL = "conditional"
    POSSIBLE = "possible"
    ABSENT = "absent"
    PAST = "past"
    PRESENT = "present"


_ORDER = tuple(Assertion)
_BY_SECTION = {
    Section.PAST: Assertion.PAST,
    Section.FAMILY: Assertion.FAMILY,
    Section.ALLERGIES: Assertion.CONDITIONAL,
    Section.PLAN: Assertion.CONDITIONAL,
}
RULING_SECTIONS = frozenset(_BY_SECTION)
"""Sections whose heading says how their findings are asserted: a sentence alone cannot know."""
_MOST_TRIGGERS = 32
"""Triggers on either side of a finding that are looked at; with more between them no word of a sentence rules another."""


def assertion_of(
    start: int,
    end: int,
    sentence: Span,
    section: Section,
    triggers: Sequence[Trigger],
    *,
    apart_from: Assertion | None = None,
) -> Assertion:
    """How the sentence asserts what stands at its document tokens `[start, end)`.

    triggers: in order, those of the whole document or of the sentence alone; one that is part of the finding's own words
    ("no appetite") does not rule it. apart_from: a ruling to leave out of account.
    """
    return strongest(rulings_of(start, end, sentence, section, triggers) - {apart_from})


def strongest(rulings: Collection[Assertion]) -> Assertion:
    """The one of several that a finding is taken for; PRESENT where nothing rules it."""
    return next((assertion for assertion in _ORDER if assertion in rulings), Assertion.PRESENT)


def rulings_of(
    start: int, end: int, sentence: Span, section: Section, triggers: Sequence[Trigger]
) -> frozenset[Assertion]:
    """All that the sentence and its section say of tokens `[start, end)`: "no history of stroke" is past and absent.

    Of a doubt and a denial one is left. Empty where nothing rules: it is present. Beside a form's answer that rules, and what stands in
    the same place ("Family history of asthma | yes").
    """
    beside = _beside(start, end, triggers)
    if beside:
        triggers = _inside(beside, triggers)
    nearest = _nearest(start, end, sentence, triggers)
    rulings: set[Assertion] = set(nearest)
    if beside and beside.kind != Assertion.PRESENT:
        rulings.add(Assertion(beside.kind))
    if section in RULING_SECTIONS:
        rulings.add(_BY_SECTION[section])
    if Assertion.POSSIBLE in nearest and Assertion.ABSENT in nearest:
        rulings.discard(_overruled(nearest[Assertion.POSSIBLE], nearest[Assertion.ABSENT], start, sentence.doc))
    return frozenset(rulings)


def _beside(start: int, end: int, triggers: Sequence[Trigger]) -> Trigger | None:
    """What a form answers of tokens `[start, end)`."""
    following = bisect_right(triggers, start, key=_start)
    near = triggers[max(0, following - _MOST_TRIGGERS) : following]
    return next((t for t in near if t.place == "beside" and end <= t.end), None)


def _inside(beside: Trigger, triggers: Sequence[Trigger]) -> list[Trigger]:
    """Those among what a form answers."""
    first, last = (bisect_left(triggers, edge, key=_start) for edge in (beside.start, beside.end))
    return [t for t in triggers[first:last] if t.end <= beside.end]


def _nearest(start: int, end: int, sentence: Span, triggers: Sequence[Trigger]) -> dict[Assertion, Trigger]:
    """For each assertion the nearest trigger of the sentence that reaches tokens `[start, end)`.

    Walks away from the finding on both sides, so that of a thousand denials in one sentence few are looked at closely.
    """
    commas = _commas(sentence.doc)
    here = bisect_left(triggers, start, key=_start)
    nearest: dict[str, Trigger] = {}
    for trigger in _before(triggers, here, sentence.start):
        if trigger.kind not in nearest and _rules_forward(trigger, start, commas, sentence.doc):
            nearest[trigger.kind] = trigger
    behind: dict[str, Trigger] = {}
    for trigger in _behind(triggers, here, end, sentence.end):
        if trigger.kind not in behind and _rules_backward(trigger, end, commas):
            behind[trigger.kind] = trigger
    for kind, trigger in behind.items():
        if kind not in nearest or trigger.start - end < start - nearest[kind].end:
            nearest[kind] = trigger
    return {Assertion(kind): trigger for kind, trigger in nearest.items()}


def _start(trigger: Trigger) -> int:
    return trigger.start


def _before(triggers: Sequence[Trigger], here: int, first: int) -> Iterator[Trigger]:
    """Those that rule forward, nearest first, back to an `end` word or to token `first`.

    What tells of former times is ended by a word for now as well, and one that dates the whole sentence by nothing else.
    """
    cut = now = first
    for trigger in reversed(triggers[max(0, here - _MOST_TRIGGERS) : here]):
        if trigger.start < first:
            return
        if trigger.kind == "end":
            cut = max(cut, trigger.start)
        elif trigger.kind == "now":
            now = max(now, trigger.start)
        elif trigger.place == "before":
            past = trigger.kind == Assertion.PAST
            if trigger.end > max(now if past else first, first if past and trigger.group.through else cut):
                yield trigger


def _behind(triggers: Sequence[Trigger], here: int, end: int, last: int) -> Iterator[Trigger]:
    """Those that rule backward from behind token `end`, nearest first, up to an `end` word or to token `last`."""
    now = False
    for trigger in triggers[here : here + _MOST_TRIGGERS]:
        if trigger.end > last or (trigger.kind == "end" and trigger.start >= end):
            return
        now = now or (trigger.kind == "now" and trigger.start >= end)
        if trigger.place == "after" and trigger.end > end and not (now and trigger.kind == Assertion.PAST):
            yield trigger


def _rules_forward(trigger: Trigger, start: int, commas: Sequence[int], doc: Doc) -> bool:
    if start - trigger.end > trigger.group.reach:
        return False
    # In Chinese a comma ends what 无 or 未 deny (their lists use 、); 否认 and 家族史 reach across.
    chinese = not (doc[trigger.start].text.isascii() and doc[trigger.end - 1].text.isascii())
    return not chinese or trigger.group.across_commas or not _any_between(commas, trigger.end, start)


def _rules_backward(trigger: Trigger, end: int, commas: Sequence[int]) -> bool:
    if trigger.start - end > trigger.group.reach:
        return False
    return trigger.group.across_commas or not _any_between(commas, end, trigger.start)


def _any_between(places: Sequence[int], first: int, last: int) -> bool:
    """Is one of the sorted `places` in `[first, last)`?"""
    following = bisect_left(places, first)
    return following < len(places) and places[following] < last


def _commas(doc: Doc) -> list[int]:
    """Token indices of the commas and semicolons of a document, counted once."""
    if "commas" not in doc.user_data:
        doc.user_data["commas"] = [token.i for token in doc if token.text in ("，", ",", ";", "；")]
    commas: list[int] = doc.user_data["commas"]
    return commas


def _overruled(doubt: Trigger, denial: Trigger, start: int, doc: Doc) -> Assertion:
    """Of a denial and a doubt the nearer one rules, as in "cannot rule out"; but "no changes suggestive of" denies."""
    if doubt.group.weak and denial.start < doubt.start and not _any_between(_commas(doc), denial.end, doubt.start):
        return Assertion.POSSIBLE
    nearer = min((doubt, denial), key=lambda t: (abs(t.start - start), t.start - t.end))
    return Assertion.ABSENT if nearer is doubt else Assertion.POSSIBLE
