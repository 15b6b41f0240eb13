"""Findings put together from a symptom and what is said of it, within a sentence or over the next two.

Input : chest pain (named), then "It gets worse when she breathes in." (trigger: breathing)
Output: pleuritic_chest_pain, with the second sentence as its words.
Knows which attributes make a finding more than its parent (the knowledge says so) and which symptom an attribute belongs
to: the nearest one it can change. Does not know the words (lexicon) nor how they are asserted (assertion).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from nlp_core.assertion import Assertion
from nlp_core.knowledge import Finding, Knowledge
from nlp_core.sections import Section

SENTENCES_BACK = 2
"""How far behind its symptom an attribute may stand."""
MOST_APART = 12
"""Tokens between a bare symptom ("pain") and its site."""
_BARE = "symptom "
_WITHIN_ITS_SENTENCE = ("site ", "side ", "duration ")
"""Of "Rash on the legs. Abdomen soft." the abdomen is no place of the rash; "He retired 10 years ago" no age of a cough."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something a sentence says at document tokens `[start, end)`: a finding's id, or an attribute as `kind value`."""

    what: str
    start: int
    end: int
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class Composed:
    """A finding put together; tokens `[start, end)` hold its words, those of an earlier sentence left out."""

    finding: str
    start: int
    end: int
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class _Rule:
    """`finding` is its anchor and, of each of `needs`, at least one."""

    finding: str
    needs: tuple[frozenset[str], ...]

    def needs_one_of(self, attributes: Set[str]) -> bool:
        return any(need & attributes for need in self.needs)

    def answer(self, said: Mapping[str, Assertion]) -> Assertion | None:
        """PRESENT when all is said, ABSENT when just one need is denied and the others are said, else None."""
        answers = [self._of(need, said) for need in self.needs]
        if None in answers:
            return None
        denied = answers.count(Assertion.ABSENT)
        return Assertion.PRESENT if not denied else Assertion.ABSENT if denied == 1 else None

    @staticmethod
    def _of(need: frozenset[str], said: Mapping[str, Assertion]) -> Assertion | None:
        answers = {said[attribute] for attribute in need if attribute in said}
        if Assertion.PRESENT in answers:
            return Assertion.PRESENT
        return Assertion.ABSENT if Assertion.ABSENT in answers else None


@dataclass(slots=True)
class _Anchor:
    """A symptom that is present, with what has been said of it so far."""

    said: Said
    rules: tuple[_Rule, ...]
    attributes: dict[str, Said] = field(default_factory=dict)

    def can_take(self, attribute: Said) -> bool:
        if self.said.what.startswith(_BARE) and _distance(self.said, attribute) > MOST_APART:
            return False
        return any(attribute.what in need for rule in self.rules for need in rule.needs)

    def found(self, by: Set[str]) -> Iterator[tuple[_Rule, Assertion]]:
        """What it has become by one of the attributes `by`, and how that is asserted."""
        answers = {what: attribute.assertion for what, attribute in self.attributes.items()}
        for rule in self.rules:
            answer = rule.answer(answers) if rule.needs_one_of(by) else None
            if answer is not None:
                yield rule, answer


class CompositionRules:
    """What the attributes of one knowledge's findings allow to be put together; built once per process."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._of_parent: dict[str, list[_Rule]] = defaultdict(list)
        self._of_bare: dict[str, list[_Rule]] = defaultdict(list)
        for finding in knowledge.findings.values():
            if finding.attributes:
                self._add(finding)

    def of(self, what: str) -> tuple[_Rule, ...]:
        """The rules whose anchor is `what`, or something more general that it implies."""
        if what.startswith(_BARE):
            return tuple(self._of_bare.get(what, ()))
        if what not in self._knowledge.findings:
            return ()
        general = [what, *self._knowledge.ancestors(what)]
        return tuple(rule for parent in general for rule in self._of_parent.get(parent, ()) if rule.finding != what)

    def own(self, what: str) -> tuple[_Rule, ...]:
        """The rules whose anchor is the finding `what` itself."""
        return tuple(rule for rule in self._of_parent.get(what, ()) if rule.finding != what)

    def _add(self, finding: Finding) -> None:
        kinds = {kind: frozenset(f"{kind} {value}" for value in values) for kind, values in finding.attributes.items()}
        bare = kinds.pop("symptom", frozenset())
        rule = _Rule(finding.id, tuple(kinds.values()))
        if finding.is_a and not bare:
            self._of_parent[finding.is_a[0]].append(rule)
        for symptom in bare:
            self._of_bare[symptom].append(rule)


class Composer:
    """Follows one note from sentence to sentence."""

    def __init__(self, rules: CompositionRules) -> None:
        self._rules = rules
        self._made: set[tuple[str, Assertion]] = set()
        """What the note has made already: it keeps the words that made it first."""
        self._behind: deque[tuple[Section, list[_Anchor]]] = deque(maxlen=SENTENCES_BACK)

    def read(
        self, section: Section, findings: Sequence[Said], attributes: Sequence[Said], others: Sequence[Said] = ()
    ) -> list[Composed]:
        """What the next sentence completes. findings: those it names. attributes: those it says, bare symptoms too.

        others: what else it names (diagnoses): a duration beside one is not a symptom's.
        """
        named = [*findings, *others]
        attributes = [said for said in attributes if not _is_of_something_else(said, named, self._rules)]
        anchors = [anchor for said in findings if (anchor := self._anchor(said)) is not None]
        bare = [said for said in attributes if said.what.startswith(_BARE)]
        anchors += [anchor for said in bare if (anchor := self._anchor(said)) is not None]
        composed: dict[str, Composed] = {}
        waiting = [said for said in attributes if said.assertion in (Assertion.PRESENT, Assertion.ABSENT)]
        waiting.sort(key=lambda said: (not said.what.startswith("site "), said.start))
        before = -1
        while before != len(anchors):  # what a finding has become can take attributes that it could not
            before = len(anchors)
            waiting = [said for said in waiting if not self._attach(said, anchors, section, composed)]
        self._behind.append((section, [a for a in anchors if not a.said.what.startswith(_BARE)]))
        return list(composed.values())

    def leaves_open(self, denied: Said, limits: Sequence[Said]) -> bool:
        """Is `denied` open elsewhere? Not where it is denied at a place and is one finding wherever it stands: who has "no
        purpura on the legs" has none that anybody saw."""
        own = self._rules.own(denied.what)
        places = all(limit.what.startswith("site ") for limit in limits)
        return (
            denied.what.startswith(_BARE) or not places or any(_is_place(need) for rule in own for need in rule.needs)
        )

    def deny(self, denied: Said, limits: Sequence[Said]) -> list[Composed]:
        """What `denied` and its limits make together is denied, where the finding makes use of all the limits.

        Of a finding of several places a denial at one says nothing.
        """
        values = {limit.what for limit in limits}
        start = min(denied.start, *(limit.start for limit in limits))
        end = max(denied.end, *(limit.end for limit in limits))
        made = []
        for rule in self._rules.of(denied.what):
            needed = frozenset().union(*rule.needs)
            all_used = all(any(one.what in needed for one in limits if one.start == limit.start) for limit in limits)
            whole = all(need & values and (need <= values or not _is_place(need)) for need in rule.needs)
            key = (rule.finding, Assertion.ABSENT)
            if whole and all_used and key not in self._made:
                self._made.add(key)
                made.append(Composed(rule.finding, start, end, Assertion.ABSENT))
        return made

    def _attach(self, attribute: Said, anchors: list[_Anchor], section: Section, composed: dict[str, Composed]) -> bool:
        """Gives an attribute to its symptoms; adds what they become to `anchors` and `composed`. False where it has none."""
        owners = self._owners(attribute, anchors, section)
        for anchor in owners:
            anchor.attributes[attribute.what] = attribute
            anchors += self._complete(anchor, {attribute.what}, composed)
        return bool(owners)

    def _anchor(self, said: Said) -> _Anchor | None:
        if said.assertion is not Assertion.PRESENT:
            return None
        rules = self._rules.of(said.what)
        return _Anchor(said, rules) if rules else None

    def _owners(self, attribute: Said, anchors: Sequence[_Anchor], section: Section) -> list[_Anchor]:
        """The symptoms an attribute belongs to: the nearest of its sentence that it can change, else of those before."""
        able = [anchor for anchor in anchors if anchor.can_take(attribute)]
        if able:
            nearest = min(_distance(anchor.said, attribute) for anchor in able)
            return [anchor for anchor in able if _distance(anchor.said, attribute) == nearest]
        if attribute.what.startswith(_WITHIN_ITS_SENTENCE):
            return []
        for their_section, earlier in reversed(self._behind):
            able = [anchor for anchor in earlier if their_section is section and anchor.can_take(attribute)]
            if able:
                return able[-1:]
        return []

    def _complete(self, anchor: _Anchor, by: Set[str], composed: dict[str, Composed]) -> list[_Anchor]:
        """Notes what `anchor` has become by the attributes `by`; returns what later attributes can change further."""
        new: list[_Anchor] = []
        for rule, assertion in anchor.found(by):
            if rule.finding in composed or (rule.finding, assertion) in self._made:
                continue
            self._made.add((rule.finding, assertion))
            words = [said for said in anchor.attributes.values() if any(said.what in need for need in rule.needs)]
            newest = max(said.start for said in words)
            words = [said for said in (*words, anchor.said) if abs(said.start - newest) <= 2 * MOST_APART]
            start, end = min(said.start for said in words), max(said.end for said in words)
            composed[rule.finding] = Composed(rule.finding, start, end, assertion)
            if assertion is Assertion.PRESENT:
                further = self._anchor(Said(rule.finding, start, end, assertion))
                if further is not None:
                    further.attributes.update(anchor.attributes)
                    new += [further, *self._complete(further, anchor.attributes.keys(), composed)]
        return new


def _is_of_something_else(attribute: Said, named: Sequence[Said], rules: CompositionRules) -> bool:
    """Does an attribute belong to something named that it cannot change?

    A duration to what is nearest ("cough for 2 days and diabetes for 10 years"), a quality to what it stands before ("severe body
    aches, headache": the headache is not the severe one).
    """
    owner: Said | None = None
    if attribute.what.startswith("duration "):
        owner = min(named, key=lambda said: _distance(said, attribute), default=None)
    elif attribute.what.startswith("quality "):
        owner = next((said for said in named if said.start == attribute.end), None)
    return owner is not None and not any(attribute.what in need for rule in rules.of(owner.what) for need in rule.needs)


def _is_place(need: Set[str]) -> bool:
    return any(attribute.startswith("site ") for attribute in need)


def _distance(one: Said, other: Said) -> int:
    """Tokens between two stretches; 0 where they touch or overlap."""
    return max(0, other.start - one.end, one.start - other.end)
