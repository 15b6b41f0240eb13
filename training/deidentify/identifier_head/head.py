"""Which words of a paragraph are identifiers: the trained head over all words, what the rules found among what it sees.

Input : a text, folded, and what the rules found in it     Output: where further identifiers stand; what of the rules' it doubts
Knows the weights beside this file (weights.npz; weights.json says what they were fitted on and their checksum). Nothing raises
on a text; weights that are not what their record says raise ValueError when they are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from training.deidentify.identifier_head.marks import Marks, is_measure, row
from training.deidentify.identifier_head.network import CLASSES, Floats, Weights, probabilities, read_weights
from training.deidentify.identifier_head.tokens import GAPS, Tokens, tokens_of
from training.deidentify.kinds import Found, Kind
from training.deidentify.vocabulary import Vocabulary

WEIGHTS = Path(__file__).parent / "weights.npz"
RECORD = Path(__file__).parent / "weights.json"
_MOST_FORMS = 100_000
_KINDS = {1: Kind.NAME, 2: Kind.PLACE, 3: Kind.DATE, 4: Kind.OTHER}
CLASS_OF = {Kind.NAME: 1, Kind.PLACE: 2, Kind.DATE: 3}
"""Class of a kind; any other is `number`, 4."""
_DOUBTED = (Kind.NAME, Kind.PLACE)
_APART = 2
"""Rows of nothing between two texts: as far as the first layer looks; the second sees the first's answers there as nothing."""
_NOTHING = np.zeros(_APART, np.int8)
_JOINED = frozenset(("space", "none", "hyphen", "apostrophe", "dot", "slash"))


class Thresholds(NamedTuple):
    """Probabilities: from which a word is an identifier, and under which a name or place of the rules is none."""

    latin: float
    chinese: float
    latin_doubt: float
    chinese_doubt: float
    latin_beside: float = 1.0
    chinese_beside: float = 1.0
    """From which a word beside one that is an identifier is part of it; 1: no other than any word's."""


class Looked(NamedTuple):
    """A text as the head sees it: its tokens, for each the class of the rules and the number of its form; [tokens, classes]."""

    tokens: Tokens
    ruled: NDArray[np.int8]
    numbers: NDArray[np.int64]
    chances: Floats


class IdentifierHead:
    """One per process."""

    def __init__(self, words: Vocabulary, weights: Weights, thresholds: Thresholds) -> None:
        self._marks = Marks(words)
        self._weights = weights
        self.thresholds = thresholds
        self._numbers: dict[str, int] = {}
        self._sums: NDArray[np.int16] = np.zeros((1024, weights.table.shape[1]), np.int16)
        self._chinese = np.zeros(1024, np.bool_)
        self._kept = np.zeros(1024, np.bool_)
        self._alone = np.zeros(1024, np.bool_)
        """Of the form with a number: may it be an identifier by itself?"""
        self._gaps = {name: number for number, name in enumerate(GAPS, 1)}
        self._gap_sums = np.stack([self._sum([]), *(self._sum([f"gap={name}"]) for name in GAPS)])
        self._ruled = np.stack([self._sum([f"rule={name}"] if number else []) for number, name in enumerate(CLASSES)])

    def judged(self, paragraphs: Sequence[tuple[str, list[Found]]]) -> list[list[Found]]:
        """Texts, folded, with what the rules found in each -> what it finds itself, and those of the rules' it does not doubt.

        One answer for each text, the same whatever other texts are beside it.
        """
        return [
            self._judged(one, found, self.reviewed(plain, one.tokens, one.ruled, one.chances))
            for one, (plain, found) in zip(self.looked_at(paragraphs), paragraphs, strict=True)
        ]

    def looked_at(self, paragraphs: Sequence[tuple[str, list[Found]]]) -> list[Looked]:
        """What is seen of each, before anything is decided."""
        if len(self._numbers) > _MOST_FORMS:
            self._numbers.clear()
        read = [tokens_of(plain) for plain, _ in paragraphs]
        ruled = [ruled_classes(tokens, found) for tokens, (_, found) in zip(read, paragraphs, strict=True)]
        numbers, chances = self._chances(read, ruled)
        looked, at = [], 0
        for tokens, classes in zip(read, ruled, strict=True):
            here = slice(at, at + len(tokens.starts))
            looked.append(Looked(tokens, classes, numbers[here], chances[here]))
            at = here.stop + _APART
        return looked

    def reviewed(self, plain: str, tokens: Tokens, ruled: NDArray[np.int8], chances: Floats) -> Floats:  # noqa: ARG002
        """What is thought of each token [tokens, classes] in the end; a second reader says more."""
        return chances

    def _chances(self, read: list[Tokens], ruled: list[NDArray[np.int8]]) -> tuple[NDArray[np.int64], Floats]:
        """The number of each token's form, and [tokens, classes]; between two texts stand `_APART` rows of nothing."""
        numbers: list[int] = []
        gaps: list[int] = []
        classes = []
        for tokens, found in zip(read, ruled, strict=True):
            numbers += [self._number(form) for form in tokens.forms]
            numbers += [0] * _APART
            gaps += [self._gaps[gap] for gap in tokens.gaps]
            gaps += [0] * _APART
            classes += [found, _NOTHING]
        forms = np.array(numbers)
        sums = self._sums[forms] + self._gap_sums[gaps] + self._ruled[np.concatenate(classes)]
        return forms, probabilities(sums.astype(np.float32), self._weights, forms == 0)

    def _judged(self, looked: Looked, found: list[Found], chances: Floats) -> list[Found]:
        tokens, numbers = looked.tokens, looked.numbers
        told, limits, chinese = 1 - chances[:, 0], self.thresholds, self._chinese[numbers]
        sure = told >= np.where(chinese, np.float32(limits.chinese), np.float32(limits.latin))
        sure &= ~self._kept[numbers]
        beside = told > np.where(chinese, np.float32(limits.chinese_beside), np.float32(limits.latin_beside))
        kept = found
        if any(one.kind in _DOUBTED for one in found):
            stands = told >= np.where(chinese, np.float32(limits.chinese_doubt), np.float32(limits.latin_doubt))
            starts = np.array(tokens.starts)
            kept = [one for one in found if one.kind not in _DOUBTED or _any(one, starts, stands)]
        if not (sure | beside).any():
            return kept
        alone = self._alone[numbers] & ~_measured(tokens, sure | beside)
        if beside.any():
            reached = _reached(
                tokens, (sure & alone) | (ruled_classes(tokens, kept) > 0), beside & ~self._kept[numbers]
            )
            sure, alone = sure | reached, alone | reached
        return [*kept, *_spans(tokens, sure, chances, alone)] if sure.any() else kept

    def _number(self, form: str) -> int:
        number = self._numbers.get(form)
        if number is None:
            number = self._numbers[form] = len(self._numbers) + 1
            if number >= len(self._sums):
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
                self._chinese = np.concatenate([self._chinese, np.zeros_like(self._chinese)])
                self._alone = np.concatenate([self._alone, np.zeros_like(self._alone)])
                self._kept = np.concatenate([self._kept, np.zeros_like(self._kept)])
            self._sums[number] = self._sum(self._marks.said(form))
            self._chinese[number] = "|" in form
            self._kept[number] = self._marks.is_kept(form)
            self._alone[number] = not self._marks.says_no_one(form)
        return number

    def _sum(self, marks: list[str]) -> NDArray[np.int16]:
        rows = sorted({row(mark) for mark in marks})
        summed: NDArray[np.int16] = self._weights.table[rows].sum(axis=0, dtype=np.int16)
        return summed


def ruled_classes(tokens: Tokens, found: Sequence[Found]) -> NDArray[np.int8]:
    """For each token the class of what was found over it, 0 for none."""
    classes = np.zeros(len(tokens.starts), np.int8)
    if not found:
        return classes
    starts, ends = np.array(tokens.starts), np.array(tokens.ends)
    for one in found:
        classes[np.searchsorted(ends, one.start, "right") : np.searchsorted(starts, one.end)] = CLASS_OF.get(
            one.kind, 4
        )
    return classes


def _any(one: Found, starts: NDArray[np.int64], stands: NDArray[np.bool_]) -> bool:
    first, last = np.searchsorted(starts, (one.start, one.end))
    return first == last or bool(stands[first:last].any())


def _measured(tokens: Tokens, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Numbers behind which a unit stands: no identifiers by themselves. Looked for `among` some tokens alone."""
    measured, behind = np.zeros(len(tokens.forms), np.bool_), [*tokens.forms[1:], ""]
    for at in np.flatnonzero(among).tolist():
        measured[at] = is_measure(tokens.forms[at], behind[at])
    return measured


def _reached(tokens: Tokens, found: NDArray[np.bool_], beside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tokens that may be part of what is found beside them, step by step from one to the next."""
    reached = np.zeros_like(found)
    places = np.flatnonzero(found | beside).tolist()
    run: list[int] = []
    for at, following in zip(places, [*places[1:], -1], strict=True):
        run.append(at)
        if following != at + 1 or tokens.gaps[following] not in _JOINED:
            if found[run].any():
                reached[run] = beside[run]
            run = []
    return reached


def _spans(tokens: Tokens, sure: NDArray[np.bool_], chances: Floats, alone: NDArray[np.bool_]) -> Iterator[Found]:
    """Tokens side by side of one class are one identifier, where one of them at least may be one by itself."""
    places = np.flatnonzero(sure)
    kinds = (chances[places, 1:].argmax(axis=1) + 1).tolist()
    runs: list[list[int]] = []
    before = 0
    for at, kind in zip(places.tolist(), kinds, strict=True):
        if runs and at == runs[-1][-1] + 1 and kind == before and tokens.gaps[at] in _JOINED:
            runs[-1].append(at)
        else:
            runs.append([at])
        before = kind
    for run in runs:
        if alone[run].any():
            yield Found(tokens.starts[run[0]], tokens.ends[run[-1]], _KINDS[int(chances[run[0], 1:].argmax()) + 1])


def shipped_weights() -> Weights:
    """The weights beside this file. Raises ValueError where they are not those of their record."""
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    if digest != orjson.loads(RECORD.read_bytes())["sha256"]:
        raise ValueError(f"{WEIGHTS.name} has another checksum than {RECORD.name} says: fit it anew or restore it")
    return read_weights(WEIGHTS)


def shipped_head(words: Vocabulary) -> IdentifierHead:
    """The head beside this file. Raises ValueError where the weights are not those of their record."""
    record = orjson.loads(RECORD.read_bytes())
    return IdentifierHead(words, shipped_weights(), Thresholds(**record["thresholds"]))
