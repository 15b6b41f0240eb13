"""What a note says of a finding it names: present, absent, possible, past, someone else's, or only if it comes to that.

Which ruling words (triggers) reach a finding in its sentence, and the section's own meaning. Knows nothing of what the
finding is, nor which words rule (rules/assertion.yaml).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
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


def assertion_of(
    start: int,
    end: int,
    sentence: Span,
    section: Section,
    triggers: Iterable[Trigger],
    *,
    apart_from: Assertion | None = None,
) -> Assertion:
    """How the sentence asserts what stands at its document tokens `[start, end)`.

    triggers: those of the whole document or of the sentence alone. apart_from: a ruling to leave out of account.
    """
    first, last = sentence.start, sentence.end
    # A trigger that is part of the finding's own words ("no appetite") does not rule it.
    inside = [t for t in triggers if first <= t.start and t.end <= last and not (start <= t.start and t.end <= end)]
    nearest = _nearest(start, end, inside, sentence.doc)
    rulings = set(nearest)
    if section in _BY_SECTION:
        rulings.add(_BY_SECTION[section])
    if Assertion.POSSIBLE in nearest and Assertion.ABSENT in nearest:
        rulings.discard(_overruled(nearest[Assertion.POSSIBLE], nearest[Assertion.ABSENT], start, sentence.doc))
    rulings.discard(apart_from or Assertion.PRESENT)
    return next((assertion for assertion in _ORDER if assertion in rulings), Assertion.PRESENT)


def _nearest(start: int, end: int, inside: Sequence[Trigger], doc: Doc) -> dict[Assertion, Trigger]:
    """For each assertion the nearest trigger that reaches tokens `[start, end)`."""
    reaching: dict[Assertion, Trigger] = {}
    settled: set[str] = set()
    ends, commas = sorted(t.start for t in inside if t.kind == "end"), _commas(doc)
    for trigger in sorted(inside, key=lambda t: (abs(t.start - start), t.start - t.end)):
        if trigger.kind in settled or trigger.kind == "end":
            continue  # of a thousand denials in one sentence the nearest that reaches is enough
        kind, _, place = trigger.kind.partition(" ")
        if (place == "before" and _rules_forward(trigger, start, ends, commas, doc)) or (
            place == "after" and _rules_backward(trigger, end, ends, commas)
        ):
            settled |= {f"{kind} before", f"{kind} after"}
            reaching[Assertion(kind)] = trigger
    return reaching


def _rules_forward(trigger: Trigger, start: int, ends: Sequence[int], commas: Sequence[int], doc: Doc) -> bool:
    if trigger.start >= start or start - trigger.end > trigger.group.reach:  # "[no history of] asthma" may share words
        return False
    if _any_between(ends, trigger.end, start):
        return False
    # In Chinese a comma ends what 无 or 未 deny (their lists use 、); 否认 and 家族史 reach across.
    chinese = not (doc[trigger.start].text.isascii() and doc[trigger.end - 1].text.isascii())
    return not chinese or trigger.group.across_commas or not _any_between(commas, trigger.end, start)


def _rules_backward(trigger: Trigger, end: int, ends: Sequence[int], commas: Sequence[int]) -> bool:
    if trigger.end <= end or trigger.start - end > trigger.group.reach:
        return False
    if _any_between(ends, end, trigger.start):
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
    near, far = sorted((doubt, denial), key=lambda t: (abs(t.start - start), -(t.end - t.start)))
    return Assertion.POSSIBLE if far is doubt else Assertion.ABSENT
