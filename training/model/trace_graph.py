"""A Hugging Face encoder with its heads as one plain ONNX graph: standard operators, any mask, any batch and length.

Input : a folder with config.json and model.safetensors (BERT, RoBERTa, ModernBERT and their kin)
Output: input_ids, attention_mask int64 [batch, length] -> last_hidden_state float32 [batch, length, width], and what the
        heads answer (nlp_core.head_outputs) where there are heads
Knows torch and its exporter. The graph is not fused: ONNX Runtime's fused attention is silently wrong for left padding
and holes, and no faster here (docs/log.md); every other form (int8, TensorRT) is derived from this one.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import AutoModel

from nlp_core.head_outputs import HEADS
from training.model.heads import Heads
from training.model.longest_text import longest_text

OPSET = 18
INPUTS = ("input_ids", "attention_mask")
OUTPUT = "last_hidden_state"


@dataclass(frozen=True, slots=True)
class TracedEncoder:
    """The graph with its weights inside, and what callers must know of it."""

    graph: onnx.ModelProto
    width: int
    longest: int
    """Most tokens of a row."""
    vocabulary: int


class TokenVectors(torch.nn.Module):
    """The encoder with nothing behind its last hidden state."""

    outputs: tuple[str, ...] = (OUTPUT,)

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """int64 [batch, length] twice to float32 [batch, length, width]."""
        vectors: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return vectors


class TokenVectorsAndHeads(torch.nn.Module):
    """The encoder and what its heads make of the token vectors."""

    outputs = (OUTPUT, *HEADS)

    def __init__(self, encoder: TokenVectors, heads: Heads) -> None:
        super().__init__()
        self.model, self.heads = encoder.model, heads

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """int64 [batch, length] twice to the outputs in their order."""
        vectors = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        answered = self.heads(vectors, attention_mask.to(vectors.dtype))
        return vectors, answered.finding, answered.assertion, answered.salience, answered.evidence


def load_encoder(folder: Path) -> TokenVectors:
    """The encoder in float32 with eager attention, without pooler. Raises OSError where the folder holds none."""
    model = AutoModel.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, local_files_only=True, use_safetensors=True
    )
    if hasattr(model, "pooler"):
        model.pooler = None
    return TokenVectors(model).eval()


def load_heads(path: Path, width: int) -> Heads:
    """The heads of a training run. Raises ValueError where they belong to an encoder of another width."""
    from safetensors.torch import load_file

    heads = Heads(width)
    try:
        heads.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise ValueError(f"{path} holds no heads for vectors of {width}: {error}") from error
    return heads.eval()


def trace(encoder: TokenVectors | TokenVectorsAndHeads) -> TracedEncoder:
    """The graph of `encoder`, the same bytes for the same weights and versions."""
    config: Any = encoder.model.config
    ids = torch.full((2, 7), 5, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[0, 5:] = 0
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=longest_text(encoder.model))}
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            encoder,
            (ids, mask),
            dynamo=True,
            opset_version=OPSET,
            input_names=INPUTS,
            output_names=list(encoder.outputs),
            dynamic_shapes=dict.fromkeys(INPUTS, axes),
            external_data=False,
            verbose=False,
        )
    assert program is not None  # noqa: S101 - narrows the exporter's type; dynamo=True always gives a program
    graph = _tidied(program.model_proto)
    return TracedEncoder(graph, config.hidden_size, longest_text(encoder.model), config.vocab_size)


def _tidied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without what the exporter notes about this machine and run; values named by operator and place."""
    graph = model.graph
    names = {value.name: value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    for place, node in enumerate(graph.node):
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise ValueError(f"the traced graph holds a subgraph ({node.op_type}); this exporter expects a plain one")
        for number, output in enumerate(node.output):
            names.setdefault(output, f"{node.op_type}.{place}" + (f".{number}" if number else ""))
        node.name = f"{node.op_type}.{place}"
        node.doc_string = ""
        del node.metadata_props[:]
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names[name] if name else ""
        for place, name in enumerate(node.output):
            node.output[place] = names[name]
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    del graph.value_info[:], graph.metadata_props[:], model.metadata_props[:]
    graph.name, graph.doc_string, model.doc_string = "encoder", "", ""
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of torchvision and of names for axes; neither matters here."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
