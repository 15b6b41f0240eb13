"""What a note says of a finding it names: present, absent, possible, past, someone else's, or only if it comes to that.

Rules over spaCy tokens: trigger words and how far they reach (rules/assertion.yaml), the section's own meaning, and
durations ("three-day history of" is no history). Knows nothing of what the finding is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span

from nlp_core.sections import Section

RULES = Path(__file__).parent / "rules" / "assertion.yaml"


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
_DURATIONS = frozenset(
    "hour hours day days week weeks month months year years hr hrs wk wks mo yr minute minutes".split()
)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A ruling word: tokens `[start, end)` of the document."""

    start: int
    end: int
    kind: str
    """`<assertion> before`, `<assertion> after`, `end` or `inert`."""
    reach: int


class AssertionRules:
    """The rules, compiled once per process."""

    def __init__(self, nlp: Language, path: Path = RULES) -> None:
        self._matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
        self._reach: dict[str, int] = {}
        for label, words, reach in _phrases(yaml.safe_load(path.read_text(encoding="utf-8"))):
            key = f"{label} {reach}"
            self._reach[key] = reach
            self._matcher.add(key, [nlp.make_doc(str(word)) for word in words])

    def triggers(self, doc: Doc) -> list[Trigger]:
        """All triggers of a document in order; longer ones and inert ones switch off what they overlap."""
        found = []
        for key, start, end in self._matcher(doc):
            label, _, _ = doc.vocab.strings[key].rpartition(" ")
            if not _is_duration_history(doc, start, label) and not _is_heading_colon(doc, start, end):
                found.append(Trigger(start, end, label, self._reach[doc.vocab.strings[key]]))
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
    ends = [t for t in inside if t.kind == "end"]
    commas = _commas(sentence.doc)
    rulings = {_BY_SECTION[section]} if section in _BY_SECTION else set()
    settled: set[str] = set()
    for trigger in inside:
        if trigger.kind in settled:
            continue  # of a thousand denials in one sentence the first that reaches is enough
        kind, _, place = trigger.kind.partition(" ")
        if (place == "before" and _rules_forward(trigger, start, ends, commas, sentence.doc)) or (
            place == "after" and _rules_backward(trigger, end, ends, sentence.doc)
        ):
            settled |= {f"{kind} before", f"{kind} after"}
            rulings.add(Assertion(kind))
    if Assertion.POSSIBLE in rulings and Assertion.ABSENT in rulings:
        rulings.discard(_farther(inside, start))
    rulings.discard(apart_from or Assertion.PRESENT)
    return next((assertion for assertion in _ORDER if assertion in rulings), Assertion.PRESENT)


def _phrases(rules: dict[str, Any]) -> Iterator[tuple[str, list[str], int]]:
    for kind, content in rules.items():
        if kind in ("end", "inert"):
            for words in content:
                yield kind, words, 0
            continue
        for place, groups in content.items():
            for group in groups:
                yield f"{kind} {place}", group["words"], int(group.get("reach", 1000))


def _is_duration_history(doc: Doc, start: int, label: str) -> bool:
    """ "a 3-day history of cough" is about now."""
    if not label.startswith("past") or not doc[start].lower_.startswith(("history", "hx")):
        return False
    return any(token.lower_ in _DURATIONS for token in doc[max(0, start - 3) : start])


def _is_heading_colon(doc: Doc, start: int, end: int) -> bool:
    """ "Fever: no" denies what stands before, "Skin: no rash" what comes after."""
    return doc[start].text in ":：" and end < len(doc) and doc[end].text[0].isalpha()


def _rules_forward(trigger: Trigger, start: int, ends: list[Trigger], commas: list[int], doc: Doc) -> bool:
    if trigger.start >= start or start - trigger.end > trigger.reach:  # "[no history of] asthma" may share words
        return False
    if ends and any(trigger.end <= end.start < start for end in ends):
        return False
    return not (commas and _chinese_comma_between(doc, trigger, start, commas))


def _commas(doc: Doc) -> list[int]:
    """Token indices of the commas of a document, counted once."""
    if "commas" not in doc.user_data:
        doc.user_data["commas"] = [token.i for token in doc if token.text in ("，", ",")]
    commas: list[int] = doc.user_data["commas"]
    return commas


def _chinese_comma_between(doc: Doc, trigger: Trigger, start: int, commas: list[int]) -> bool:
    """In Chinese a comma ends what 无 or 未 deny (their lists use 、); 否认 and 家族史 reach across."""
    if doc[trigger.start].text.isascii() or doc[trigger.start].text in "否家父母":
        return False
    following = bisect_left(commas, trigger.end)
    return following < len(commas) and commas[following] < start


def _rules_backward(trigger: Trigger, end: int, ends: list[Trigger], doc: Doc) -> bool:
    if trigger.end <= end or trigger.start - end > trigger.reach:
        return False
    if any(end <= other.start < trigger.start for other in ends):
        return False
    return not any(token.text in ("，", ";", "；", ",") for token in doc[end : trigger.start])


def _farther(triggers: list[Trigger], start: int) -> Assertion:
    """Of a denial and a doubt the nearer one rules: "no evidence of possible ..." is rare, "cannot rule out" common."""
    nearest = min(
        (t for t in triggers if t.kind.startswith(("absent", "possible"))),
        key=lambda t: (abs(t.start - start), -(t.end - t.start)),
    )
    return Assertion.ABSENT if nearest.kind.startswith("possible") else Assertion.POSSIBLE
