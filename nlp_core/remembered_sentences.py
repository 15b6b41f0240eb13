"""Sentences through the encoder, those that a memory knows without it.

Input : texts of sentences, and a memory that keeps bytes by text
Output: the readings SentenceEncoder gives, as far as serving asks for them (packed_readings)
A reading depends on the sentence's words and the model alone: on no heading, no neighbour, no patient (sentence_readings).
So what is remembered is what would be read again. Knows neither where the memory keeps things nor for how long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from tokenizers import Tokenizer

from nlp_core.encoder import Encoder
from nlp_core.packed_readings import NotPacked, packed, unpacked
from nlp_core.sentence_readings import SentenceEncoder, SentenceReading


class SentenceMemory(Protocol):
    """Keeps packed readings of one model by the sentence's text. Safe to use from several threads."""

    def recall(self, texts: Sequence[str]) -> Sequence[bytes | None]:
        """For each text what was kept for it, or None; a text may stand there several times. Asked before they are encoded; what it
        raises ends the reading of the chart."""
        ...

    def keep(self, readings: Mapping[str, bytes]) -> None:
        """Keep these for a while; a memory may forget any at any time."""
        ...


Remember = Callable[[str], SentenceMemory]
"""The memory for a model, by its version."""


class RememberedSentences(SentenceEncoder):
    """A SentenceEncoder in front of a memory; safe to use from several threads."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer, memory: SentenceMemory) -> None:
        super().__init__(encoder, tokenizer)
        self._memory = memory

    def read(self, texts: Sequence[str]) -> list[list[SentenceReading]]:
        """See SentenceEncoder.read."""
        known: dict[str, list[SentenceReading]] = {}
        for text, kept in dict(zip(texts, self._memory.recall(texts), strict=True)).items():
            pieces = _opened(kept)
            if pieces is not None:
                known[text] = pieces
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            read = dict(zip(new, super().read(new), strict=True))
            known |= read
            self._memory.keep({text: packed(pieces) for text, pieces in read.items()})
        return [known[text] for text in texts]


def _opened(kept: bytes | None) -> list[SentenceReading] | None:
    if kept is None:
        return None
    try:
        return unpacked(kept)
    except NotPacked:
        return None
