"""An encoder over the exported graph, whatever runs it: what is asked of the graph, and which answers are believed.

Knows the graph's inputs and outputs. Does not know the runtime (onnx_encoder, tensorrt_encoder).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from tokenizers import Tokenizer

from nlp_core.batches import Batch
from nlp_core.encoder import HeadAnswers, Vectors, check_answers, check_fits, check_vectors, embed_texts
from nlp_core.head_outputs import HEADS
from nlp_core.model_faults import EncoderError

IDS, MASK, VECTORS = "input_ids", "attention_mask", "last_hidden_state"


class GraphEncoder(ABC):
    """An Encoder (see encoder.py) but for the run itself."""

    def __init__(self, tokenizer: Tokenizer, *, width: int, longest: int, vocabulary: int, heads: bool) -> None:
        """heads: the graph has them."""
        self._tokenizer, self._heads = tokenizer, heads
        self._width, self._longest, self._vocabulary = width, longest, vocabulary

    @property
    def width(self) -> int:
        return self._width

    @property
    def longest(self) -> int:
        return self._longest

    @property
    def has_heads(self) -> bool:
        return self._heads

    def encode(self, batch: Batch) -> Vectors:
        """Token vectors float32 [rows, length, width] (see Encoder.encode)."""
        (vectors,) = self._checked(batch, (VECTORS,))
        return check_vectors(vectors, batch, self._width)

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        """Token vectors and the heads' answers (see Encoder.read)."""
        if not self._heads:
            raise EncoderError("this model was exported without heads")
        vectors, *answers = self._checked(batch, (VECTORS, *HEADS))
        return check_vectors(vectors, batch, self._width), check_answers(HeadAnswers(*answers))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Sentence vectors float32 [texts, width], unit length (see Encoder.embed)."""
        return embed_texts(
            texts, tokenizer=self._tokenizer, encode=self.encode, width=self._width, longest=self._longest
        )

    def _checked(self, batch: Batch, outputs: tuple[str, ...]) -> list[Vectors]:
        check_fits(batch, longest=self._longest, vocabulary=self._vocabulary)
        return self._run(batch, outputs)

    @abstractmethod
    def _run(self, batch: Batch, outputs: tuple[str, ...]) -> list[Vectors]:
        """The graph's outputs of those names for a batch that fits."""
