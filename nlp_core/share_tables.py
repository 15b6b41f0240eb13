"""What every finding says of every diagnosis, as numbers: the knowledge's shares turned into log odds.

A finding that the knowledge does not list for a diagnosis borrows from its nearest relative in the is-a hierarchy, else
from a listed finding whose names mean nearly the same to the encoder, else it says a little against (it is not explained)
when present and nothing when absent. Built from the knowledge or loaded as
compiled; how the numbers are added up is diagnoses' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from nlp_core.knowledge import Diagnosis, Frequency, Knowledge

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
    like: float = 0.5
    """A share borrowed from a finding of the same meaning; less of it the farther the meanings lie apart."""
    least_like: float = 0.55
    """Cosine of two findings' names below which nothing is borrowed."""
    told: float = 0.3
    """What a sentence moves as a whole, where no finding explains it."""
    unexplained: float = -0.35
    """A present finding that the diagnosis does not explain."""
    strongest: float = 4.6
    """No single finding adds more than this (natural log)."""
    setting: float = 0.5
    """Where a patient is seen says less than the shares: hospitals differ."""
    denied: float = -3.0
    """A note rules the diagnosis out. One that states or suspects it adds nothing: the reader knows, and a note that
    shouts a diagnosis must not be able to make it likely."""


DEFAULT_WEIGHTS = Weights(
    prior={"very_common": 0.0, "common": -0.5, "uncommon": -1.2, "rare": -1.9, "very_rare": -2.5},
)


@dataclass(slots=True)
class _Cell:
    """What one finding says of one diagnosis: log ratio when present, when absent, and the row the share is from."""

    present: float
    absent: float
    basis: int


MOST_LENDERS = 512
"""Likest findings that one may borrow from. The shipped encoder knows at most 444 for any; one that tells nothing apart
finds all of them alike, and would take minutes to lend nonsense."""


@dataclass(frozen=True, slots=True)
class ShareTables:
    """[findings, diagnoses] each, in the order of the knowledge, before the weight of evidence.

    present: natural-log ratio when the finding is present. absent: when it is denied. basis: the row of the finding that
    the share is taken from, -1 where it is nobody's (two findings that borrow from one relative count once).
    """

    weights: Weights
    present: Floats
    absent: Floats
    basis: Ints

    @staticmethod
    def of(knowledge: Knowledge, weights: Weights = DEFAULT_WEIGHTS, likeness: Floats | None = None) -> ShareTables:
        """Builds them; seconds for the shipped knowledge.

        likeness: cosine of the meanings of the findings [findings, findings] (name_index); None = unknown.
        """
        cells = list(_cells(knowledge, weights))
        columns = ([row for row, *_ in cells], [column for _, column, _ in cells])
        values = [(cell.present, cell.absent, cell.basis) for *_, cell in cells]
        tables = _dense(_size(knowledge), weights, columns, np.array(values, dtype=np.float32).reshape(-1, 3))
        return tables if likeness is None else tables._lent_by_likeness(likeness)

    def _lent_by_likeness(self, likeness: Floats) -> ShareTables:
        """What no cell says is borrowed from the listed finding that gives most: its share times its likeness."""
        lent = np.clip((likeness - self.weights.least_like) / (1 - self.weights.least_like), 0, 1) * self.weights.like
        np.fill_diagonal(lent, 0)
        said = np.where(self.basis >= 0, np.maximum(self.present, 0), 0).astype(np.float32)
        present, basis = self.present.copy(), self.basis.copy()
        for row in range(len(present)):
            (near,) = np.nonzero(lent[row])
            if len(near) > MOST_LENDERS:
                near = np.sort(np.argpartition(-lent[row], MOST_LENDERS)[:MOST_LENDERS])
            if not len(near):
                continue
            offers = lent[row, near, None] * said[near]
            best = offers.argmax(axis=0)
            offered = offers[best, np.arange(offers.shape[1])]
            takes = (self.basis[row] < 0) & (offered > present[row]) & (offered > 0)
            present[row, takes] = offered[takes]
            basis[row, takes] = self.basis[near[best], np.arange(offers.shape[1])][takes]
        return ShareTables(self.weights, present, self.absent, basis)

    def save(self, path: Path) -> None:
        """Writes the cells that say anything, with the weights and the size."""
        rows, columns = np.nonzero(
            (self.present != np.float32(self.weights.unexplained)) | (self.absent != 0) | (self.basis >= 0)
        )
        values = np.stack(
            [array[rows, columns].astype(np.float32) for array in (self.present, self.absent, self.basis)], axis=1
        )
        weights = np.frombuffer(orjson.dumps(asdict(self.weights)), dtype=np.uint8)
        np.savez(
            path,
            size=self.present.shape,
            rows=rows.astype(np.int16),
            columns=columns.astype(np.int16),
            values=values,
            weights=weights,
        )

    @staticmethod
    def load(path: Path) -> ShareTables:
        """Reads what `save` wrote. Raises OSError, or ValueError or KeyError where the file is something else."""
        with np.load(path, allow_pickle=False) as stored:
            weights = Weights(**orjson.loads(stored["weights"].tobytes()))
            size = (int(stored["size"][0]), int(stored["size"][1]))
            return _dense(size, weights, (stored["rows"], stored["columns"]), stored["values"])


def _size(knowledge: Knowledge) -> tuple[int, int]:
    return len(knowledge.findings), len(knowledge.diagnoses)


def _dense(
    size: tuple[int, int],
    weights: Weights,
    places: tuple[NDArray[np.int16] | list[int], NDArray[np.int16] | list[int]],
    values: Floats,
) -> ShareTables:
    """The full tables; where no cell is given a present finding is unexplained and an absent one says nothing."""
    present = np.full(size, weights.unexplained, dtype=np.float32)
    absent = np.zeros(size, dtype=np.float32)
    basis = np.full(size, -1, dtype=np.int32)
    present[places], absent[places], basis[places] = values[:, 0], values[:, 1], values[:, 2].astype(np.int32)
    return ShareTables(weights, present, absent, basis)


def _cells(knowledge: Knowledge, weights: Weights) -> Iterator[tuple[int, int, _Cell]]:
    """(row, column, cell) of every listed finding and its near relatives."""
    rows = {finding: row for row, finding in enumerate(knowledge.findings)}
    children = _descendants(knowledge)
    for column, diagnosis in enumerate(knowledge.diagnoses.values()):
        for finding, cell in _column(diagnosis, knowledge, weights, rows, children).items():
            yield rows[finding], column, cell


def _column(
    diagnosis: Diagnosis, knowledge: Knowledge, weights: Weights, rows: dict[str, int], children: dict[str, list[str]]
) -> dict[str, _Cell]:
    """One diagnosis: finding -> its cell."""
    listed = {finding: share for finding, share in diagnosis.shares.items() if finding in rows}
    cells = {
        finding: _Cell(
            _ratio(share, finding, knowledge, weights), _absence(share, finding, knowledge, weights), rows[finding]
        )
        for finding, share in listed.items()
    }
    for finding, share in listed.items():
        own = cells[finding]
        for child in children.get(finding, ()):  # listed: chest pain; seen: pleuritic chest pain
            cell = cells.setdefault(child, _Cell(weights.unexplained, 0.0, -1))
            if child not in listed and cell.basis < 0:
                cell.present = own.present * (weights.borrowed if own.present > 0 else 1.0)
                cell.basis = own.basis
        for parent in knowledge.ancestors(finding):  # listed: pleuritic chest pain; seen: chest pain
            if parent not in listed:
                cell = cells.setdefault(parent, _Cell(weights.unexplained, 0.0, -1))
                cell.present = max(cell.present, min(_ratio(share, parent, knowledge, weights), own.present))
                cell.absent = min(cell.absent, own.absent)
    return cells


def _descendants(knowledge: Knowledge) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for finding in knowledge.findings:
        for ancestor in knowledge.ancestors(finding):
            children.setdefault(ancestor, []).append(finding)
    return children


def _ratio(share: float, finding: str, knowledge: Knowledge, weights: Weights) -> float:
    ratio = log(share / knowledge.findings[finding].background)
    return max(-weights.strongest, min(weights.strongest, ratio))


def _absence(share: float, finding: str, knowledge: Knowledge, weights: Weights) -> float:
    ratio = log((1 - share) / (1 - knowledge.findings[finding].background)) * weights.absent
    return max(-weights.strongest, min(weights.strongest, ratio))
