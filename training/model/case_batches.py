"""Whole cases as the encoder takes them: those of training/cases, cut and tokenised once, a batch drawn for each step.

Input : cases, a tokenizer, the diagnoses that are known
Output: CutCase; of each diagnosis one is kept apart to measure on, the same as for the case matcher
Cases are seen and cut into sentences as serving does with notes (traditional characters as simplified ones, words of one sex made
neutral). Knows texts and tokens, no tensors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spacy.language import Language
from tokenizers import Tokenizer
from tqdm import tqdm

from nlp_core.neutral_words import neutral
from nlp_core.sections import sentences
from nlp_core.text_view import view
from nlp_core.windows import frame_of, tokens_of
from nlp_core.words import blank_pipeline
from training.matching.cases import TrainingCase, read_cases
from training.matching.fit_matcher import is_apart


@dataclass(frozen=True, slots=True, eq=False)
class CutCase:
    """diagnosis: its place in the knowledge. sentences: the tokens of each, with their frame; at least one."""

    diagnosis: int
    sentences: tuple[tuple[int, ...], ...]


class CaseCutter:
    """Cuts with one tokenizer; sentences too long for a row become several."""

    def __init__(self, tokenizer: Tokenizer, longest: int) -> None:
        """longest: most tokens of a row."""
        self._tokenizer, self._frame = tokenizer, frame_of(tokenizer)
        self._room = longest - len(self._frame)

    def rows(self, text: str, nlp: Language) -> Iterator[tuple[int, ...]]:
        """Token ids of each sentence; none of one without tokens."""
        seen = view(text).text
        for sentence in sentences(seen, nlp):
            ids = tokens_of(neutral(seen[sentence.start : sentence.end]), self._tokenizer).ids
            for start in range(0, len(ids), self._room):
                yield tuple(self._frame.around(ids[start : start + self._room]).tolist())


class CaseBatches:
    """Draws cases; equal seeds draw equal batches, and every case comes once before any comes again."""

    def __init__(
        self, folder: Path, places: Mapping[str, int], tokenizer: Tokenizer, *, longest: int, seed: int
    ) -> None:
        """places: id -> place of every diagnosis that is known; cases of others are left out. longest: most tokens of a row.

        Raises OSError, or ValueError naming file and line of what is no case, or where no case is left to learn from.
        """
        known = read_cases(folder, places)
        self.fingerprint = fingerprint(known)
        cutter, nlp = CaseCutter(tokenizer, longest), blank_pipeline()
        self.apart: list[CutCase] = []
        """Never drawn."""
        self.taught: list[CutCase] = []
        for case in tqdm(known, desc="cases", unit="case", disable=None):
            if rows := tuple(cutter.rows(case.text, nlp)):
                (self.apart if is_apart(case) else self.taught).append(CutCase(places[case.diagnosis], rows))
        if not self.taught:
            raise ValueError(f"{folder} holds no case to learn from of a diagnosis that the knowledge has")
        self._random = np.random.default_rng(seed)

    def batches(self, size: int, count: int) -> Iterator[list[CutCase]]:
        """`count` batches of `size` cases."""
        stream = self._stream()
        for _ in range(count):
            yield [next(stream) for _ in range(size)]

    def _stream(self) -> Iterator[CutCase]:
        while True:
            for place in self._random.permutation(len(self.taught)):
                yield self.taught[place]


def fingerprint(cases: Sequence[TrainingCase]) -> str:
    """Hex SHA-256: other cases are another run."""
    return hashlib.sha256("".join(f"{case.model_dump_json()}\n" for case in cases).encode()).hexdigest()
