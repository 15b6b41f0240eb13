"""Findings to ranked diagnoses, each finding's share kept.

The model is a sum: how common the diagnosis is, how well age, sex and onset fit, and for every observed finding the
logarithm of how much more often it occurs with the diagnosis than without. A finding the knowledge does not list for a
diagnosis borrows from its nearest relative in the is-a hierarchy, else it says nothing. The shares of the sum are the
evidence. Knows numbers only; the words behind a finding are kept by findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from nlp_core.assertion import Assertion
from nlp_core.chart import Sex
from nlp_core.findings import ChartFindings
from nlp_core.knowledge import Diagnosis, Frequency, Knowledge, Onset
from nlp_core.onset import ONSETS

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Weights:
    """How strongly each part of the sum counts. Chosen on simulated patients, see docs/decisions."""

    prior: dict[Frequency, float]
    evidence: float = 0.8
    """Findings are not independent: their joint word counts for less than the sum of each alone."""
    absent: float = 0.4
    """A denial in a chart is less certain than a complaint."""
    borrowed: float = 0.6
    """A share borrowed from a more general finding."""
    unexplained: float = -0.35
    """A present finding that the diagnosis does not explain."""
    strongest: float = 4.6
    """No single finding adds more than this (natural log)."""
    denied: float = -3.0
    """A note rules the diagnosis out. One that states or suspects it adds nothing: the reader knows, and a note that
    shouts a diagnosis must not be able to make it likely."""


DEFAULT_WEIGHTS = Weights(
    prior={"very_common": 0.0, "common": -0.5, "uncommon": -1.2, "rare": -1.9, "very_rare": -2.5},
)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of the patient besides findings."""

    age_years: float | None = None
    sex: Sex = "unknown"
    onset: Onset | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """One diagnosis with its score and the share of every observed finding that moved it."""

    diagnosis: Diagnosis
    score: float
    """Natural-log odds up to a constant common to all diagnoses of this patient."""
    probability: float
    """Share of this diagnosis among all; uncalibrated."""
    shares: dict[str, float]
    """Finding id -> natural-log odds it adds."""


class Reasoner:
    """Ranks the diagnoses of one knowledge; its tables are built once per process."""

    def __init__(self, knowledge: Knowledge, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self.knowledge = knowledge
        self._weights = weights
        self._diagnoses = list(knowledge.diagnoses.values())
        self._column = {diagnosis.id: index for index, diagnosis in enumerate(self._diagnoses)}
        self._row = {finding: index for index, finding in enumerate(knowledge.findings)}
        self._present, self._absent, self._basis = self._tables()
        self._prior = np.array([weights.prior[d.frequency] for d in self._diagnoses], dtype=np.float32)

    def rank(self, found: ChartFindings, patient: Patient) -> list[Ranked]:
        """All possible diagnoses, best first; without any observed finding by frequency, age and sex alone."""
        present = self._most_specific(f for f, o in found.observed.items() if o.present)
        absent = self._most_general(f for f, o in found.observed.items() if not o.present)
        shares = self._shares(present, absent)
        scores = self._prior + shares.sum(axis=0) + self._fits(patient) + self._naming(found)
        possible = np.isfinite(scores)
        if not possible.any():
            return []
        odds = np.exp(scores - scores[possible].max())
        probabilities = odds / odds.sum()
        findings = [*present, *absent]
        order = np.argsort(-scores, kind="stable")
        return [
            Ranked(self._diagnoses[i], float(scores[i]), float(probabilities[i]), _nonzero(findings, shares[:, i]))
            for i in order
            if possible[i]
        ]

    def share(self, diagnosis: str, finding: str) -> float:
        """P(finding | diagnosis) as the knowledge has it, the background rate where it is silent."""
        listed = self.knowledge.diagnoses[diagnosis].shares.get(finding)
        return listed if listed is not None else self.knowledge.findings[finding].background

    def _most_specific(self, present: Iterable[str]) -> list[str]:
        """Drops findings that another one already implies: pleuritic chest pain makes chest pain redundant."""
        present = list(present)
        implied = {ancestor for finding in present for ancestor in self.knowledge.ancestors(finding)}
        return [finding for finding in present if finding not in implied]

    def _most_general(self, absent: Iterable[str]) -> list[str]:
        """Drops denials that another one already covers: who denies chest pain denies pleuritic chest pain."""
        denied = list(absent)
        return [f for f in denied if not any(ancestor in denied for ancestor in self.knowledge.ancestors(f))]

    def _shares(self, present: Sequence[str], absent: Sequence[str]) -> Floats:
        """[findings, diagnoses]: present ones first; two findings borrowing from one relative count once."""
        rows = [self._row[finding] for finding in present]
        shares = self._present[rows]
        basis = self._basis[rows]
        for later in range(1, len(rows)):
            for earlier in range(later):
                same = (basis[later] == basis[earlier]) & (basis[later] >= 0)
                weaker = np.abs(shares[later]) < np.abs(shares[earlier])
                shares[later, same & weaker] = 0
                shares[earlier, same & ~weaker] = 0
        denied = self._absent[[self._row[finding] for finding in absent]]
        return np.concatenate([shares, denied]) * np.float32(self._weights.evidence)

    def _fits(self, patient: Patient) -> Floats:
        """[diagnoses]: how age, sex and onset fit; -inf where they exclude."""
        fits = np.zeros(len(self._diagnoses), dtype=np.float32)
        for index, diagnosis in enumerate(self._diagnoses):
            if "unknown" != patient.sex != diagnosis.sex != "any":
                fits[index] = -np.inf
            else:
                fits[index] = _age_fit(diagnosis, patient.age_years) + _onset_fit(diagnosis, patient.onset)
        return fits

    def _naming(self, found: ChartFindings) -> Floats:
        naming = np.zeros(len(self._diagnoses), dtype=np.float32)
        for diagnosis, ways in found.named.items():
            if Assertion.ABSENT in ways and not ways.keys() & {Assertion.PRESENT, Assertion.POSSIBLE}:
                naming[self._column[diagnosis]] = self._weights.denied
        return naming

    def _tables(self) -> tuple[Floats, Floats, Ints]:
        """[findings, diagnoses] each: log ratio when present, when absent, and the finding the share is taken from."""
        size = (len(self._row), len(self._diagnoses))
        present = np.full(size, self._weights.unexplained, dtype=np.float32)
        absent = np.zeros(size, dtype=np.float32)
        basis = np.full(size, -1, dtype=np.int32)
        children = self._descendants()
        for column, diagnosis in enumerate(self._diagnoses):
            listed = diagnosis.shares
            for finding in listed.keys() & self._row.keys():
                row = self._row[finding]
                present[row, column] = self._ratio(listed[finding], finding)
                absent[row, column] = self._absence(listed[finding], finding)
                basis[row, column] = row
            self._borrow(column, listed, present, absent, basis, children)
        return present, absent, basis

    def _borrow(
        self,
        column: int,
        listed: dict[str, float],
        present: Floats,
        absent: Floats,
        basis: Ints,
        children: dict[str, list[str]],
    ) -> None:
        """Fills findings that are near relatives of listed ones."""
        for finding in listed:
            if finding not in self._row:
                continue
            for child in children.get(finding, ()):  # listed: chest pain; seen: pleuritic chest pain
                row = self._row[child]
                if child not in listed and basis[row, column] < 0:
                    borrowed = present[self._row[finding], column]
                    present[row, column] = borrowed * (self._weights.borrowed if borrowed > 0 else 1.0)
                    basis[row, column] = self._row[finding]
            for parent in self.knowledge.ancestors(finding):  # listed: pleuritic chest pain; seen: chest pain
                row = self._row[parent]
                if parent not in listed:
                    candidate = self._ratio(listed[finding], parent)
                    present[row, column] = max(
                        present[row, column], min(candidate, present[self._row[finding], column])
                    )
                    denial = self._absence(listed[finding], finding)
                    absent[row, column] = min(absent[row, column], denial)

    def _descendants(self) -> dict[str, list[str]]:
        children: dict[str, list[str]] = {}
        for finding in self._row:
            for ancestor in self.knowledge.ancestors(finding):
                children.setdefault(ancestor, []).append(finding)
        return children

    def _ratio(self, share: float, finding: str) -> float:
        limit = self._weights.strongest
        return max(-limit, min(limit, log(share / self.knowledge.findings[finding].background)))

    def _absence(self, share: float, finding: str) -> float:
        background = self.knowledge.findings[finding].background
        ratio = log((1 - share) / (1 - background)) * self._weights.absent
        return max(-self._weights.strongest, min(self._weights.strongest, ratio))


def _age_fit(diagnosis: Diagnosis, age: float | None) -> float:
    """Within the typical ages a narrow range speaks for the diagnosis, outside them it speaks against."""
    if age is None:
        return 0.0
    (low, high), (youngest, oldest) = diagnosis.age.typical, diagnosis.age.possible
    if not youngest <= age <= oldest + 1:
        return float("-inf")
    if low <= age <= high + 1:
        return 0.3 * log(90 / max(5.0, high - low))
    distance = (low - age) / max(low, 1.0) if age < low else (age - high) / max(20.0, high)
    return -0.5 - 1.5 * min(1.0, distance)


def _onset_fit(diagnosis: Diagnosis, onset: Onset | None) -> float:
    if onset is None:
        return 0.0
    distance = abs(ONSETS.index(diagnosis.onset) - ONSETS.index(onset))
    return (0.4, 0.1, -0.4, -0.8, -1.0, -1.0)[distance]


def _nonzero(findings: Sequence[str], column: Floats) -> dict[str, float]:
    return {finding: float(share) for finding, share in zip(findings, column, strict=True) if abs(share) > 1e-6}
