"""The shipped reader for measurements that read nearly the same text many times: a sentence once encoded is remembered.

Unlike the memory of serving (remembered_sentences) this one keeps the texts and never forgets: they are our own. Vectors are the encoder's own, so the
answers are those of serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from nlp_core.assess import Reader
from nlp_core.encoder import Encoder
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.second_reader import HeadsUsed
from nlp_core.sentence_readings import SentenceEncoder, SentenceReading


class RememberingSentences(SentenceEncoder):
    """Each sentence is read once, however often it is asked for."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        super().__init__(encoder, tokenizer)
        self._known: dict[str, list[SentenceReading]] = {}

    def read(self, texts: Sequence[str]) -> list[list[SentenceReading]]:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known.update(zip(new, super().read(new), strict=True))
        return [self._known[text] for text in texts]


def remembering_reader(bundle_path: Path | None = None, used: HeadsUsed | None = None) -> Reader:
    """A reader of a composed bundle, by default the one set-up made; one thread, so that cores do not change figures.

    used: which heads count; None = all. Raises BundleError when the bundle is missing or does not match its checksums.
    """
    path = bundle_path or composed_bundle_path()
    bundle = Bundle.open(path)
    encoder = OnnxEncoder.open(bundle, threads=1)
    sentences = RememberingSentences(encoder, bundle.tokenizer()) if encoder.has_heads else None
    return Reader.load(path, second=bundle.second_reader_with(encoder, sentences, used))
