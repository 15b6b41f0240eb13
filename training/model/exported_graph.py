"""A trained encoder as graph, table and weights in a folder, held against torch before anybody takes it.

Input : the base's weights, what a training run adds, and the precision in which weights are stored
Output: encoder.graph.onnx, initializers.json, encoder.weights, parity.json
Knows the order: trace, match weights, store, compose, compare. Torch is needed here and in what it calls, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import onnx

from nlp_core.adapters import Adapter
from nlp_core.bundle_manifest import GRAPH, TABLE, WEIGHTS, Initializer, Precision, write_table
from nlp_core.compose_weights import write_weights
from nlp_core.model_bundle import read_tokenizer
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.windows import windows_over
from training.model.half_weights import store_in_half
from training.model.initializer_table import match_initializers, placed, point_outside
from training.model.parity import SENTENCES, measured, put_in
from training.model.parity_report import PARITY, require
from training.model.quantise_rows import quantise_products
from training.model.trace_graph import TokenVectorsAndHeads, TracedEncoder, load_encoder, load_heads, trace
from training.model.vocabulary_rows import lengthen

Storing = Callable[[onnx.ModelProto, Iterable[Initializer]], tuple[Initializer, ...]]
"""Changes a graph in place, and gives the rows of the table that fit it."""


def _as_they_are(_: onnx.ModelProto, rows: Iterable[Initializer]) -> tuple[Initializer, ...]:
    return tuple(rows)


_STORED: dict[Precision, Storing] = {"fp32": _as_they_are, "fp16": store_in_half, "int8-rows": quantise_products}


@dataclass(frozen=True, slots=True)
class ExportedGraph:
    """An encoder as files in one folder, and what is known of it."""

    folder: Path
    traced: TracedEncoder

    @property
    def graph(self) -> Path:
        return self.folder / GRAPH

    @property
    def table(self) -> Path:
        return self.folder / TABLE

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS

    @property
    def parity(self) -> Path:
        return self.folder / PARITY


def make_graph(
    folder: Path, weights: Path, tokenizer: Path, adapter: Adapter | None, heads: Path | None, precision: Precision
) -> ExportedGraph:
    """weights: model.safetensors beside its config.json. heads: their file; None = the encoder alone.

    Raises ValueError for an encoder that cannot be written so, ParityError (one too) where something else comes out.
    """
    encoder = load_encoder(weights.parent)
    if adapter:
        lengthen(encoder.model, adapter)
    width = int(encoder.model.config.hidden_size)  # type: ignore[union-attr, arg-type]  # a Hugging Face model
    trained = TokenVectorsAndHeads(encoder, load_heads(heads, width)) if heads else encoder
    traced = trace(trained)
    rows = match_initializers(traced.graph.graph, weights, heads, adapter)
    table = placed(_STORED[precision](traced.graph, rows))
    point_outside(traced.graph.graph, table)
    made = ExportedGraph(folder, traced)
    made.graph.write_bytes(traced.graph.SerializeToString(deterministic=True))
    write_table(made.table, table)
    write_weights(weights, table, made.weights, adapter=adapter)
    if adapter:
        put_in(adapter, trained)
    words = read_tokenizer(tokenizer)
    exported = OnnxEncoder(
        made.graph,
        words,
        width=traced.width,
        longest=traced.longest,
        vocabulary=traced.vocabulary,
        heads=heads is not None,
    )
    length = min(traced.longest, 512)
    sentences = [windows_over(text, words, length=length)[0].ids for text in SENTENCES]
    parity = measured(exported, sentences, traced, trained, precision)
    require(parity)
    made.parity.write_text(parity.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return made
