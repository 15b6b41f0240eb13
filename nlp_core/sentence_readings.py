"""Sentences through the encoder and its heads, each read once: what the readers behind it ask of a stretch of words.

Input : texts of sentences
Output: per sentence its tokens with character offsets, their vectors, and the heads' answers as probabilities
Knows tokens and arrays. A sentence is the unit: it is read the same in any note, so equal sentences are read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nlp_core.assertion import Assertion
from nlp_core.batches import same_length_batches
from nlp_core.encoder import Encoder, Vectors
from nlp_core.head_outputs import ASSERTIONS
from nlp_core.neutral_words import neutral_with_offsets
from nlp_core.windows import USUAL_LENGTH, Tokens, frame_of, tokens_of

TELLING_DIGITS = 4
"""What one number per row says beyond them depends on how many rows were read together (1e-7 apart), and would tell apart
what is remembered from what is read again; vectors and answers per token are the same to the last bit on a CPU."""


@dataclass(frozen=True, slots=True, eq=False)
class SentenceReading:
    """One piece of a sentence, at most 256 tokens and no more than the encoder takes.

    starts, ends: int64 [tokens], characters of the sentence. vectors [tokens, width]. mean [width]: of all its vectors.
    finding [tokens]: probability of standing inside a finding. assertion [tokens, 6] in the order of Assertion. telling: probability that it tells anything
    of the illness. evidence [128]: see head_outputs.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    vectors: Vectors
    mean: Vectors
    finding: Vectors
    assertion: Vectors
    telling: float
    evidence: Vectors

    def tokens_within(self, start: int, end: int) -> NDArray[np.int64]:
        """Places of the tokens that touch the characters `[start, end)`."""
        return np.flatnonzero((self.starts < end) & (self.ends > start) & (self.ends > self.starts))

    def vector_of(self, places: NDArray[np.int64]) -> Vectors:
        """Unit vector [width]: mean of the tokens at `places`, of which there must be one at least."""
        mean = self.vectors[places].mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)

    def asserted(self, places: NDArray[np.int64]) -> tuple[Assertion, float]:
        """How the tokens at `places` are asserted, and its probability."""
        shares = self.assertion[places].mean(axis=0)
        best = int(shares.argmax())
        return ASSERTIONS[best], float(shares[best])


class SentenceEncoder:
    """Reads sentences with an encoder that has heads; safe to use from several threads."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        self._encoder, self._tokenizer = encoder, tokenizer
        self._frame = frame_of(tokenizer)

    def read(self, texts: Sequence[str]) -> list[list[SentenceReading]]:
        """For each text its pieces in order; none for a text without tokens."""
        distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        pieces = [(place, piece) for text, place in distinct.items() for piece in self._pieces(text)]
        found: list[list[SentenceReading]] = [[] for _ in distinct]
        readings: list[SentenceReading | None] = [None] * len(pieces)
        batches = same_length_batches([self._frame.around(piece.ids) for _, piece in pieces])
        # All are read before any answer is taken apart: a run of the encoder leaves nothing else in the processor's caches.
        for batch, (vectors, answers) in [(batch, self._encoder.read(batch)) for batch in batches]:
            inner = slice(len(self._frame.before), batch.ids.shape[1] - len(self._frame.after))
            findings = 1 - softmax(answers.finding[:, inner])[..., 0]
            assertions = softmax(answers.assertion[:, inner])
            for row, member in enumerate(batch.members):
                tokens = pieces[member][1]
                readings[member] = SentenceReading(
                    starts=tokens.starts,
                    ends=tokens.ends,
                    vectors=vectors[row, inner],
                    mean=np.add.reduce(vectors[row, inner]) / len(tokens.ids),  # as .mean, in a quarter of its time
                    finding=findings[row],
                    assertion=assertions[row],
                    telling=round(float(1 / (1 + np.exp(-answers.salience[row]))), TELLING_DIGITS),
                    evidence=answers.evidence[row],
                )
        for (place, _), reading in zip(pieces, readings, strict=True):
            if reading is not None:
                found[place].append(reading)
        return [found[distinct[text]] for text in texts]

    def _pieces(self, text: str) -> list[Tokens]:
        """The text's tokens, words of one sex made neutral, cut where a row of the encoder would be too long."""
        seen = neutral_with_offsets(text)
        tokens = tokens_of(seen.text, self._tokenizer)
        starts, ends = tokens.starts, tokens.ends
        if seen.text != text:
            starts = np.append(seen.starts, len(text))[tokens.starts]
            ends = np.where(tokens.ends > tokens.starts, seen.ends[tokens.ends - 1], starts)
        room = min(self._encoder.longest, USUAL_LENGTH) - len(self._frame)
        return [
            Tokens(tokens.ids[at : at + room], starts[at : at + room], ends[at : at + room])
            for at in range(0, len(tokens.ids), room)
        ]


def softmax(logits: Vectors) -> Vectors:
    """Over the last axis."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), np.float32)
