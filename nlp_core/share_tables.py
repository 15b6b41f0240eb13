"""What every finding says of every diagnosis, as numbers: the knowledge's shares turned into log odds.

A finding that the knowledge does not list for a diagnosis borrows from its nearest relative in the is-a hierarchy, else it says a
little against (it is not explained) when present and nothing when absent. Built from the knowledge or loaded as compiled; how the
numbers are added up is weighing's and diagnoses' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from nlp_core.knowledge import Diagnosis, Frequency, Knowledge

Floats = NDArray[np.float32]
Ints = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Weights:
    """How strongly each part of the sum counts. Chosen on simulated patients, see docs/decisions."""

    prior: dict[Frequency, float]
    evidence: float = 0.8
    """Findings are not independent: their joint word counts for less than the sum of each alone."""
    absent: float = 0.4
    """A denial in a chart is less certain than a complaint."""
    borrowed: float = 0.5
    """A share borrowed from a more general finding."""
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
    prior={"very_common": 0.0, "common": -0.65, "uncommon": -1.55, "rare": -2.5, "very_rare": -3.25},
)


@dataclass(slots=True)
class _Cell:
    """What one finding says of one diagnosis: log ratio when present, when absent, and the row the share is from."""

    present: float
    absent: float
    basis: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What R findings say of all D diagnoses, [R, D] each, before the weight of evidence.

    present: natural-log ratio when the finding is present. absent: when it is denied. basis: the row of the finding that
    the share is taken from, -1 where it is nobody's (two findings that borrow from one relative count once).
    """

    present: Floats
    absent: Floats
    basis: Ints


@dataclass(frozen=True, slots=True, eq=False)
class ShareTables:
    """The same of all findings in the order of the knowledge, only the cells that say anything.

    Most findings say nothing of most diagnoses: full tables would be ten times as large, and a chart asks for a few rows.
    """

    weights: Weights
    diagnoses: int
    firsts: NDArray[np.int64]
    """[findings + 1]: the cells of finding i are `firsts[i]` up to `firsts[i + 1]`."""
    columns: Ints
    """[cells]: which diagnosis."""
    present: Floats
    absent: Floats
    basis: Ints

    @staticmethod
    def of(knowledge: Knowledge, weights: Weights = DEFAULT_WEIGHTS) -> ShareTables:
        """Builds them; seconds for the shipped knowledge."""
        cells = sorted(_cells(knowledge, weights), key=lambda cell: cell[:2])
        counts = np.bincount(np.array([row for row, *_ in cells], np.int64), minlength=len(knowledge.findings))
        return ShareTables(
            weights,
            len(knowledge.diagnoses),
            np.concatenate([[0], counts.cumsum()]).astype(np.int64),
            np.array([column for _, column, _ in cells], np.int16),
            np.array([cell.present for *_, cell in cells], np.float32),
            np.array([cell.absent for *_, cell in cells], np.float32),
            np.array([cell.basis for *_, cell in cells], np.int16),
        )

    def rows(self, findings: Sequence[int] | NDArray[np.intp]) -> Rows:
        """The full rows of some findings, by their place in the knowledge. A cell that is not kept: present it is unexplained, denied
        it says nothing."""
        asked = np.asarray(findings, np.intp)
        counts = self.firsts[asked + 1] - self.firsts[asked]
        begins = np.repeat(self.firsts[asked] - np.concatenate([[0], counts.cumsum()[:-1]]), counts)
        cells = begins + np.arange(counts.sum())
        places = (np.repeat(np.arange(len(asked)), counts), self.columns[cells])
        full = Rows(
            np.full((len(asked), self.diagnoses), self.weights.unexplained, np.float32),
            np.zeros((len(asked), self.diagnoses), np.float32),
            np.full((len(asked), self.diagnoses), -1, np.int16),
        )
        full.present[places] = self.present[cells]
        full.absent[places] = self.absent[cells]
        full.basis[places] = self.basis[cells]
        return full

    def save(self, path: Path) -> None:
        """Writes them with the weights."""
        weights = np.frombuffer(orjson.dumps(asdict(self.weights)), dtype=np.uint8)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez(path, weights=weights, diagnoses=self.diagnoses, **arrays)

    @staticmethod
    def load(path: Path) -> ShareTables:
        """Reads what `save` wrote. Raises OSError, or ValueError or KeyError where the file is something else."""
        with np.load(path, allow_pickle=False) as stored:
            weights = Weights(**orjson.loads(stored["weights"].tobytes()))
            return ShareTables(weights, int(stored["diagnoses"]), *(stored[name] for name in _ARRAYS))


_ARRAYS = ("firsts", "columns", "present", "absent", "basis")


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
