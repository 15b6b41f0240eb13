"""Which finding a stretch of words is nearest to: by its nearest name, and by where the finding lies among all others.

Input : names of findings and, where training brought them, their learned centres (finding_centres), as vectors
Output: for a vector the finding that is most like it, and how much
One name alone is a chance hit, the centre alone forgets rare names: half of each finds more than either (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp_core.encoder import Encoder, check_finite
from nlp_core.finding_centres import FindingCentres
from nlp_core.knowledge import Knowledge
from nlp_core.neutral_words import neutral

Vectors = NDArray[np.float32]

OF_THE_NAME = 0.5
"""What the nearest name weighs in a likeness; the rest is the centre's."""
KINDS = ("symptom", "sign", "imaging", "exposure")
"""Findings that are told in words; laboratory results and vital signs are measured."""


class NameIndex:
    """The names of all findings as vectors: `entries[i]` owns `vectors[i]` (float32 [names, width], unit length)."""

    def __init__(self, entries: Sequence[str], vectors: Vectors, centres: Mapping[str, Vectors] | None = None) -> None:
        """centres: learned centres [width], of any length; a finding without one has the mean of its names.

        Raises ValueError where entries and vectors differ in number.
        """
        if len(entries) != len(vectors):
            raise ValueError(f"{len(entries)} entries for {len(vectors)} vectors")
        self._findings = list(dict.fromkeys(entries))
        self._learned = dict(centres or {})
        self._rows = rows = {finding: row for row, finding in enumerate(self._findings)}
        owners = np.array([rows[entry] for entry in entries], dtype=np.int64)
        order = np.argsort(owners, kind="stable")
        self._owners, self._vectors = owners[order], np.asarray(vectors, np.float32)[order]
        self._firsts = np.searchsorted(self._owners, np.arange(len(self._findings)))
        self._centres = _unit(self._means_of_names())
        for finding in self._learned.keys() & rows.keys():
            self._centres[rows[finding]] = self._learned[finding]

    @staticmethod
    def build(knowledge: Knowledge, encoder: Encoder, centres: FindingCentres | None = None) -> NameIndex:
        """Embeds the names of every finding that is told in words. centres: what training brought."""
        pairs = [
            (finding.id, name)
            for finding in knowledge.findings.values()
            if finding.kind in KINDS
            for name in (
                *(en for en in finding.names.en if len(en) > 4),
                *(zh for zh in finding.names.zh if len(zh) > 1),
            )
        ]
        vectors = encoder.embed([neutral(name) for _, name in pairs])
        return NameIndex([entry for entry, _ in pairs], vectors, centres.by_finding() if centres else None)

    def save(self, path: Path) -> None:
        """Writes names and centres in half precision."""
        centres = np.array(list(self._learned.values()), np.float16).reshape(len(self._learned), self._vectors.shape[1])
        np.savez(
            path,
            entries=np.array([self._findings[row] for row in self._owners]),
            vectors=self._vectors.astype(np.float16),
            findings=np.array(list(self._learned), dtype=np.str_),
            centres=centres,
        )

    @staticmethod
    def load(path: Path) -> NameIndex:
        """What `save` wrote. Raises OSError, or ValueError or KeyError where the file is something else."""
        with np.load(path, allow_pickle=False) as stored:
            centres = stored["centres"].astype(np.float32)
            by_finding = {str(finding): centres[row] for row, finding in enumerate(stored["findings"])}
            entries = [str(entry) for entry in stored["entries"]]
            return NameIndex(entries, stored["vectors"].astype(np.float32), by_finding)

    def nearest(self, vectors: Vectors, most: int = 1) -> list[list[tuple[str, float]]]:
        """For each row (unit length) the `most` findings that are most like it, likest first, with the likeness, about 1 at most.

        Raises NotFinite.
        """
        if not len(vectors):
            return []
        by_name = np.maximum.reduceat(vectors @ self._vectors.T, self._firsts, axis=1)
        likeness = OF_THE_NAME * by_name + (1 - OF_THE_NAME) * (vectors @ self._centres.T)
        check_finite("the likeness to names", likeness)
        most = min(most, likeness.shape[1])
        likest = np.sort(np.argpartition(-likeness, most - 1, axis=1)[:, :most], axis=1)
        order = np.argsort(-np.take_along_axis(likeness, likest, axis=1), axis=1, kind="stable")
        return [
            [(self._findings[column], float(likeness[row, column])) for column in columns]
            for row, columns in enumerate(np.take_along_axis(likest, order, axis=1))
        ]

    def centres(self, findings: Sequence[str]) -> Vectors:
        """[findings, width], of unit length. Raises KeyError for a finding that has no names here."""
        return _unit(self._centres[[self._rows[finding] for finding in findings]])

    def _means_of_names(self) -> Vectors:
        """[findings, width], not of unit length."""
        if not self._findings:
            return np.zeros((0, self._vectors.shape[1] if self._vectors.ndim == 2 else 0), np.float32)
        counts = np.bincount(self._owners, minlength=len(self._findings))
        return np.asarray(np.add.reduceat(self._vectors, self._firsts, axis=0) / counts[:, None], np.float32)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)
