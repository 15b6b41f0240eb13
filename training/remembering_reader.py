"""The shipped reader for measurements that read nearly the same text many times: a clause once encoded is remembered.

Serving remembers nothing (a chart's words stay nowhere); these are our own texts. Vectors are the encoder's own, so the
answers are those of serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nlp_core.assess import Reader
from nlp_core.batches import Batch
from nlp_core.concepts import ConceptReader, NameIndex
from nlp_core.encoder import Encoder, Vectors
from nlp_core.model_bundle import NAMES, Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder


class RememberingEncoder:
    """Another encoder's vectors, asked for once per text."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    @property
    def width(self) -> int:
        return self._encoder.width

    def encode(self, batch: Batch) -> Vectors:
        return self._encoder.encode(batch)

    def embed(self, texts: Sequence[str]) -> Vectors:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known.update(zip(new, self._encoder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def remembering_reader(bundle_path: Path | None = None) -> Reader:
    """A reader of a composed bundle, by default the one set-up made; one thread, so that cores do not change figures.

    Raises BundleError when the bundle is missing or does not match its checksums.
    """
    path = bundle_path or composed_bundle_path()
    bundle = Bundle.open(path)
    encoder = RememberingEncoder(OnnxEncoder.open(bundle, threads=1))
    return Reader.load(path, concepts=ConceptReader(encoder, NameIndex.load(bundle.file(NAMES))))
