"""What there is to tell of one invented patient: the illness, what was asked and denied, the past, the family, the rest.

Drawn from the knowledge as simulated_patients draws (shares blurred, some findings unasked), with what real charts hold
besides: other people's illnesses, old ones, feared ones, advice for later, complaints that have nothing to do with it.
Knows entries and assertions; how they are worded is write_note's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from nlp_core.assertion import Assertion
from nlp_core.chart import Setting
from nlp_core.knowledge import Diagnosis, Knowledge, Onset
from training.simulated_patients import drawn_age, drawn_findings, drawn_onset, drawn_setting

_SYMPTOMS = ("symptom",)
_SIGNS = ("sign", "vital")
_RESULTS = ("lab", "imaging")
_TELLING = 2.0
"""Share over background from which a finding is said to be explained by the diagnosis."""
_DOUBTED = 0.15
"""Of the patient's findings but the first of each kind, those that are told as possible."""
_OTHERS_DOUBTED, _OTHERS_HEDGED = 0.6, 0.4
"""Possible findings besides, on average: of a story's complaints, and of its signs and results each."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to be told: an entry (finding id, or `d:` and a diagnosis id) and how it is asserted."""

    entry: str
    assertion: Assertion
    telling: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """One patient as a writer of notes knows them; the lists hold what each part of a note draws from."""

    diagnosis: Diagnosis
    age_years: float
    sex: str
    onset: Onset
    setting: Setting
    symptoms: tuple[Told, ...]
    denied: tuple[Told, ...]
    signs: tuple[Told, ...]
    signs_absent: tuple[Told, ...]
    results: tuple[Told, ...]
    results_absent: tuple[Told, ...]
    past: tuple[Told, ...]
    family: tuple[Told, ...]
    possible: tuple[Told, ...]
    conditional: tuple[Told, ...]
    doubted: tuple[Told, ...] = ()
    """Complaints that the patient is not sure of."""
    signs_hedged: tuple[Told, ...] = ()
    results_hedged: tuple[Told, ...] = ()


class StoryTeller:
    """Draws stories of one knowledge; equal generators draw equal stories."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._histories = [f.id for f in knowledge.findings.values() if f.kind == "history"]
        self._complaints = [f.id for f in knowledge.findings.values() if f.kind in ("symptom", "sign")]
        self._doubtful: dict[tuple[str, ...], list[str]] = {
            kinds: [f.id for f in knowledge.findings.values() if f.kind in kinds]
            for kinds in (_SYMPTOMS, _SIGNS, _RESULTS)
        }
        self._diagnoses = list(knowledge.diagnoses)

    def story(self, diagnosis: Diagnosis, random: np.random.Generator, *, known: float) -> Story:
        """known: share of the findings that are told, 0 to 1."""
        present, absent = drawn_findings(diagnosis, self._knowledge, random, known)
        told = [self._told(diagnosis, finding, Assertion.PRESENT) for finding in present]
        denied = [self._told(diagnosis, finding, Assertion.ABSENT) for finding in absent]
        denied += [Told(entry, Assertion.ABSENT) for entry in self._some(self._complaints, random, 2.0, present)]
        return Story(
            diagnosis=diagnosis,
            age_years=drawn_age(diagnosis, random),
            sex=diagnosis.sex if diagnosis.sex != "any" else str(random.choice(["female", "male"])),
            onset=drawn_onset(diagnosis, random),
            setting=drawn_setting(diagnosis, random) or get_args(Setting)[0],
            symptoms=self._of_kind(told, (*_SIGNS, *_RESULTS), inside=False),
            denied=self._of_kind(denied, (*_SIGNS, *_RESULTS), inside=False),
            signs=self._of_kind(told, _SIGNS),
            signs_absent=self._of_kind(denied, _SIGNS),
            results=self._of_kind(told, _RESULTS),
            results_absent=self._of_kind(denied, _RESULTS),
            past=self._others(random, Assertion.PAST, present, self._histories),
            family=self._others(random, Assertion.FAMILY, present, self._histories[:0]),
            possible=self._possible(diagnosis, random),
            conditional=tuple(
                Told(entry, Assertion.CONDITIONAL) for entry in self._some(self._complaints, random, 2.0, present)
            ),
        )

    def with_doubts(self, story: Story, random: np.random.Generator) -> Story:
        """The story as it is told where not all is certain: some of its findings are only possible, some others too."""
        symptoms, doubted = _parted(story.symptoms, random)
        signs, signs_hedged = _parted(story.signs, random)
        results, results_hedged = _parted(story.results, random)
        lists = (story.symptoms, story.denied, story.signs, story.signs_absent, story.results, story.results_absent)
        known = [told.entry for own in lists for told in own]

        def others(kinds: tuple[str, ...], mean: float) -> list[Told]:
            entries = self._some(self._doubtful[kinds], random, mean, known)
            return [Told(entry, Assertion.POSSIBLE) for entry in entries]

        return replace(
            story,
            symptoms=tuple(symptoms),
            doubted=(*doubted, *others(_SYMPTOMS, _OTHERS_DOUBTED)),
            signs=tuple(signs),
            signs_hedged=(*signs_hedged, *others(_SIGNS, _OTHERS_HEDGED)),
            results=tuple(results),
            results_hedged=(*results_hedged, *others(_RESULTS, _OTHERS_HEDGED)),
        )

    def _told(self, diagnosis: Diagnosis, finding: str, assertion: Assertion) -> Told:
        share = diagnosis.shares.get(finding, 0.0)
        explained = share > _TELLING * self._knowledge.findings[finding].background
        return Told(finding, assertion, explained and assertion is Assertion.PRESENT)

    def _of_kind(self, told: Sequence[Told], kinds: tuple[str, ...], *, inside: bool = True) -> tuple[Told, ...]:
        return tuple(one for one in told if (self._knowledge.findings[one.entry].kind in kinds) is inside)

    def _some(self, entries: Sequence[str], random: np.random.Generator, mean: float, but: Sequence[str]) -> list[str]:
        """A few of `entries`, none of which is, implies or is implied by one of `but`."""
        places = random.integers(len(entries), size=random.poisson(mean)) if entries else ()
        chosen = [entries[int(place)] for place in places]
        findings = self._knowledge.findings
        return [
            entry
            for entry in dict.fromkeys(chosen)
            if entry not in findings or not any(o in findings and self._knowledge.related(entry, o) for o in but)
        ]

    def _others(
        self, random: np.random.Generator, assertion: Assertion, but: Sequence[str], histories: Sequence[str]
    ) -> tuple[Told, ...]:
        """Old or other people's illnesses: diagnoses, for the past symptoms and histories as well."""
        entries = [f"d:{self._diagnoses[int(place)]}" for place in random.integers(len(self._diagnoses), size=2)]
        if histories:
            entries += self._some(histories, random, 1.0, but)
        entries += self._some(self._complaints, random, 0.5, but)
        random.shuffle(entries)
        return tuple(Told(entry, assertion) for entry in entries[: int(random.integers(4))])

    def _possible(self, diagnosis: Diagnosis, random: np.random.Generator) -> tuple[Told, ...]:
        """Rivals that the writer thinks of; never the diagnosis itself, which the reader is to find."""
        rivals = [name for name in diagnosis.confused_with if name in self._knowledge.diagnoses]
        random.shuffle(rivals)
        return tuple(Told(f"d:{rival}", Assertion.POSSIBLE) for rival in rivals[: int(random.integers(3))])


def _parted(told: Sequence[Told], random: np.random.Generator) -> tuple[list[Told], list[Told]]:
    """(as certain as they were, only possible); the first stays what it was."""
    certain: list[Told] = []
    possible: list[Told] = []
    for place, one in enumerate(told):
        if place and random.random() < _DOUBTED:
            possible.append(Told(one.entry, Assertion.POSSIBLE))
        else:
            certain.append(one)
    return certain, possible
