"""What every observed finding says of every diagnosis, in natural-log odds.

Input : the findings of a chart, and the tables of shares
Output: one row of shares for each finding that counts, and which meaning of its words counted most for whom
Words that a name explains mean their finding. Words told otherwise mean one of the findings near to them, or nothing; for a
diagnosis they count by all that they may mean, `log(sum of p x ratio, + 1 - sum of p)`: "my chest whistles" speaks for whoever
wheezes, whichever of the kinds of wheezing is listed. Findings that another one makes redundant are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp_core.findings import ChartFindings, Observed
from nlp_core.knowledge import Knowledge
from nlp_core.share_tables import Floats, Ints, ShareTables


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """F findings that count, M meanings of their words in all, D diagnoses."""

    findings: tuple[str, ...]
    meanings: tuple[str, ...]
    """[M] finding ids; a named finding has one, itself."""
    owners: NDArray[np.intp]
    """[M]: whose meaning it is, a place in `findings`; in order."""
    probabilities: Floats
    """[M]: that the words mean it."""
    ratios: Floats
    """[M, D]: natural-log odds that the meaning adds where it is sure."""
    counted: NDArray[np.bool_]
    """[F, D]: False where another finding says the same of that diagnosis, and more."""
    shares: Floats
    """[F, D]: natural-log odds that each finding adds; 0 where it is not counted."""

    def meant(self, diagnosis: int) -> dict[str, str]:
        """Finding -> the meaning of its words that says most of a diagnosis (its column)."""
        told = self.probabilities * np.expm1(self.ratios[:, diagnosis])
        best: dict[int, int] = {}
        for meaning, owner in enumerate(self.owners.tolist()):
            if owner not in best or abs(told[meaning]) > abs(told[best[owner]]):
                best[owner] = meaning
        return {self.findings[owner]: self.meanings[meaning] for owner, meaning in best.items()}


def mixed(owners: NDArray[np.intp], probabilities: Floats, ratios: Floats) -> Floats:
    """[findings, diagnoses]: `log(sum of p exp(ratio), + 1 - sum of p)` over each finding's meanings.

    owners, probabilities: [M]; ratios: [M, D]; every finding up to the last owner has a meaning.
    """
    if not len(owners):
        return np.zeros((0, ratios.shape[1]), np.float32)
    firsts = np.searchsorted(owners, np.arange(owners[-1] + 1))
    with np.errstate(divide="ignore", invalid="ignore"):  # what comes of numbers that are none is told by who ranks
        return np.asarray(np.log1p(np.add.reduceat(probabilities[:, None] * np.expm1(ratios), firsts)), np.float32)


class Weigher:
    """Weighs findings by one knowledge; built once per process."""

    def __init__(self, knowledge: Knowledge, tables: ShareTables) -> None:
        self._knowledge, self._tables = knowledge, tables
        self._row = {finding: row for row, finding in enumerate(knowledge.findings)}

    def weigh(self, found: ChartFindings) -> Weighed:
        """Present findings first, then denied ones."""
        present = self._most_specific({f: o.trust for f, o in found.observed.items() if o.present})
        absent = self._most_general(f for f, o in found.observed.items() if not o.present)
        findings = (*present, *absent)
        pairs = [(place, *meaning) for place, f in enumerate(findings) for meaning in _meanings(found.observed[f])]
        owners = np.array([place for place, *_ in pairs], np.intp)
        probabilities = np.array([probability for *_, probability in pairs], np.float32)
        rows = self._tables.rows([self._row[meaning] for _, meaning, _ in pairs])
        told = (owners < len(present))[:, None]
        ratios = np.where(told, rows.present, rows.absent)
        ratios *= np.float32(self._tables.weights.evidence)
        ratios[self._said_anyway(findings, pairs, found)] = 0
        basis = np.where(told, rows.basis, np.int16(-1))
        meanings = tuple(meaning for _, meaning, _ in pairs)
        shares = mixed(owners, probabilities, ratios)
        counted = _counted(shares, _leading(owners, probabilities, ratios, basis))
        shares = np.where(counted, shares, np.float32(0))
        return Weighed(findings, meanings, owners, probabilities, ratios, counted, shares)

    def _said_anyway(
        self, findings: Sequence[str], pairs: Sequence[tuple[int, str, float]], found: ChartFindings
    ) -> list[int]:
        """Places of the meanings that the chart states or denies by name besides: told otherwise they add nothing."""
        named = {finding for finding, one in found.observed.items() if not one.meanings}
        known = named.union(*(self._knowledge.ancestors(finding) for finding in named))
        return [at for at, (owner, meaning, _) in enumerate(pairs) if findings[owner] not in named and meaning in known]

    def _most_specific(self, present: Mapping[str, float]) -> list[str]:
        """Drops findings that another one, trusted as much, implies: pleuritic chest pain makes chest pain redundant.

        present: finding -> trust.
        """
        implied = {
            ancestor
            for finding, trust in present.items()
            for ancestor in self._knowledge.ancestors(finding)
            if trust >= present.get(ancestor, 0.0)
        }
        return [finding for finding in present if finding not in implied]

    def _most_general(self, absent: Iterable[str]) -> list[str]:
        """Drops denials that another one already covers: who denies chest pain denies pleuritic chest pain."""
        denied = list(absent)
        return [f for f in denied if not any(ancestor in denied for ancestor in self._knowledge.ancestors(f))]


def _meanings(observed: Observed) -> Iterator[tuple[str, float]]:
    if not observed.meanings:
        yield observed.finding, observed.trust
    for meaning in observed.meanings:
        yield meaning.finding, meaning.probability


def _counted(shares: Floats, leading: Ints) -> NDArray[np.bool_]:
    """[F, D]: where two findings rest on one share of the knowledge, the weaker is not counted.

    shares: [F, D], each finding's by itself. leading: [F, D], what it rests on, -1 for none.
    """
    counted = np.ones(shares.shape, np.bool_)
    for later in range(1, len(leading)):
        for earlier in range(later):
            same = (leading[later] == leading[earlier]) & (leading[later] >= 0)
            weaker = np.abs(shares[later]) < np.abs(shares[earlier])
            counted[later] &= ~(same & weaker)
            counted[earlier] &= ~(same & ~weaker)
    return counted


def _leading(owners: NDArray[np.intp], probabilities: Floats, ratios: Floats, basis: Ints) -> Ints:
    """[F, D]: the basis of the meaning that counts most for each diagnosis.

    basis: [M, D], the row of the tables that a meaning's ratio is taken from, -1 for none.
    """
    if not len(owners):
        return basis
    told = np.abs(probabilities[:, None] * np.expm1(ratios))
    firsts = np.searchsorted(owners, np.arange(owners[-1] + 2))
    best = [first + told[first:end].argmax(axis=0) for first, end in pairwise(firsts)]
    return np.take_along_axis(basis, np.array(best), axis=0)
