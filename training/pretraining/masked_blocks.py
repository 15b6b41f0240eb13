"""Texts as blocks of tokens with some words masked.

Input : texts, e.g. a note of 700 tokens
Output: blocks of at most `longest` tokens, each a stretch of one text between the tokenizer's own marks; in a batch some
        words replaced by [MASK] and asked for
A word is masked whole (Chinese: a character), so that no piece of it gives the rest away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast, TrainerCallback

_READ_TOGETHER = 256
"""Texts whose tokens are lists of numbers at one time: those take some hundred bytes a token."""


@dataclass(frozen=True, slots=True)
class _Block:
    """As it is kept, 13 bytes a token."""

    ids: NDArray[np.int32]
    """[length]."""
    special: NDArray[np.int8]
    """[length]."""
    places: NDArray[np.int32]
    """[length, 2], see `word_places`."""


class Blocks(torch.utils.data.Dataset[dict[str, Any]]):
    """All blocks of some texts, in their order."""

    def __init__(self, texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, longest: int) -> None:
        """longest: tokens of a block, the marks at both ends included."""
        self._blocks = [
            block
            for start in range(0, len(texts), _READ_TOGETHER)
            for block in _read(texts[start : start + _READ_TOGETHER], tokenizer, longest)
        ]
        self._unknown = tokenizer.unk_token_id

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, place: int) -> dict[str, Any]:
        block = self._blocks[place]
        return {
            "input_ids": block.ids.tolist(),
            "special_tokens_mask": block.special.tolist(),
            "offset_mapping": [(start, end) for start, end in block.places.tolist()],
        }

    @property
    def fingerprint(self) -> str:
        """Tells these blocks from others and gives none of them away."""
        digest = hashlib.sha256()
        for block in self._blocks:
            digest.update(repr(block.ids.tolist()).encode())
        return digest.hexdigest()

    @property
    def tokens(self) -> int:
        return sum(len(block.ids) for block in self._blocks)

    @property
    def unknown_share(self) -> float:
        """Tokens that the vocabulary has no word for."""
        unknown = sum(int((block.ids == self._unknown).sum()) for block in self._blocks)
        return unknown / max(1, self.tokens)


def _read(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, longest: int) -> Iterator[_Block]:
    read = tokenizer(
        list(texts), truncation=True, max_length=longest, return_overflowing_tokens=True,
        return_special_tokens_mask=True,
    )  # fmt: skip
    for encoding in read.encodings:
        if not all(encoding.special_tokens_mask):
            yield _Block(
                np.array(encoding.ids, np.int32),
                np.array(encoding.special_tokens_mask, np.int8),
                np.array(word_places(encoding.word_ids), np.int32),
            )


class Masking:
    """The collator: blocks padded to one length, `share` of the words masked.

    Which words follows from the seed, the epoch and the batch alone. Batches are fetched ahead of the step that a checkpoint is
    written after; masks drawn from a running generator would therefore be others in a run that goes on from there.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, share: float, seed: int) -> None:
        """Raises ValueError where the tokenizer has no token for masking."""
        self.epoch = 0
        self._seed = seed
        self._collate = DataCollatorForLanguageModeling(
            tokenizer,
            whole_word_mask=True,
            mask_replace_prob=1.0,
            random_replace_prob=0.0,
            mlm_probability=share,
            seed=seed,  # a generator of its own, set for each batch
        )

    def __call__(self, blocks: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(block["input_ids"]) for block in blocks)
        padded = [
            {**block, "offset_mapping": block["offset_mapping"] + [(0, 0)] * (longest - len(block["input_ids"]))}
            for block in blocks
        ]
        self._collate.generator = torch.Generator().manual_seed(self._seed_of(blocks))
        batch: dict[str, torch.Tensor] = dict(self._collate(padded))
        return batch

    def _seed_of(self, blocks: list[dict[str, Any]]) -> int:
        told = repr((self._seed, self.epoch, [block["input_ids"] for block in blocks]))
        return int.from_bytes(hashlib.sha256(told.encode()).digest()[:7])


class MaskedAnew(TrainerCallback):
    """Tells the collator the epoch, so that each epoch asks for other words."""

    def __init__(self, masking: Masking) -> None:
        self._masking = masking

    def on_epoch_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:  # noqa: ARG002 - the Trainer's names
        """A run that goes on within an epoch finds that epoch's number."""
        self._masking.epoch = int(state.epoch or 0)


def word_places(words: Sequence[int | None]) -> list[tuple[int, int]]:
    """For each token a stretch that begins where the one before ends exactly if both are of one word.

    That is how the collator tells words apart. Places in the text would not do: in Chinese no blank stands between two words,
    and a whole sentence would be masked at once.
    """
    places: list[tuple[int, int]] = []
    for place, word in enumerate(words):
        joined = place > 0 and word is not None and word == words[place - 1]
        places.append((2 * place - 1 if joined else 2 * place, 2 * place + 1))
    return places
