"""A tuned classifier as one ONNX graph: token ids in, logits out; 8 bits if asked; checked against torch.

Input : a merged classifier and texts to check it with
Output: model.onnx or model.int8.onnx, opset 18, any batch and length, any mask
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from pydantic import BaseModel, ConfigDict

from nlp_core.bundle_manifest import Initializer
from nlp_core.compose_weights import transformed
from training.model.quantise_rows import quantise_products
from training.model.trace_graph import INPUTS, TokenVectors, trace
from training.tuning.classifier import TextClassifier, load_head
from training.tuning.encoders import load
from training.tuning.run import ENCODER, Tuned

ExportPrecision = Literal["fp32", "int8"]
EXPORTS: tuple[ExportPrecision, ...] = ("fp32", "int8")
FILES: dict[ExportPrecision, str] = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
TOLERANCE = 1e-3
"""Largest difference of a logit between torch and the fp32 graph."""
INT8_AGREES = 0.95
"""Share of texts on which the 8-bit graph has to give torch's answer."""


class Agreement(BaseModel):
    """The graph beside torch, on the same texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    bytes: int
    texts: int
    largest_difference: float
    """Of a logit."""
    same_answers: float
    """Share of the texts with the same label."""


class TextLogits(TokenVectors):
    """The classifier as the tracer wants it."""

    outputs = ("logits",)

    def __init__(self, classifier: TextClassifier) -> None:
        super().__init__(classifier.encoder)
        self.head = classifier.head

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """int64 [batch, length] twice to float32 [batch, classes]."""
        vectors = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[..., None].to(vectors.dtype)
        logits: torch.Tensor = self.head((vectors * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1))
        return logits


def export(tuned: Tuned, out: Path, precision: ExportPrecision, texts: Sequence[str]) -> Agreement:
    """Writes the graph of the classifier that `tuned.save(out)` left, and compares both on `texts`.

    Raises ValueError where they differ by more than is allowed; the graph is then not kept.
    """
    classifier = TextClassifier(
        load(out / ENCODER, "eager"), len(tuned.labels), width=tuned.classifier.head.in_features
    )
    classifier.head = load_head(out)
    return keep(trace(TextLogits(classifier).eval()).graph, tuned, out, precision, texts)


def keep(
    graph: onnx.ModelProto, tuned: Tuned, out: Path, precision: ExportPrecision, texts: Sequence[str]
) -> Agreement:
    """Writes the traced `graph` in that precision where it answers as `tuned` does. Raises as `export` does."""
    if precision == "int8":
        _quantise(graph)
    target = out / FILES[precision]
    target.write_bytes(graph.SerializeToString(deterministic=True))
    found = agreement(tuned, target, texts)
    fault = found.largest_difference > TOLERANCE if precision == "fp32" else found.same_answers < INT8_AGREES
    if fault:
        target.unlink()
        raise ValueError(
            f"the {precision} graph does not answer as torch does: logits differ by up to {found.largest_difference:.2g}, "
            f"answers agree on {100 * found.same_answers:.1f} % of {len(texts)} texts; it was not kept"
        )
    return found


def agreement(tuned: Tuned, graph: Path, texts: Sequence[str]) -> Agreement:
    """Text by text, as nothing depends on company."""
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    answers = np.concatenate([_logits(session, tuned, text) for text in texts])
    wanted = tuned.logits(texts)
    return Agreement(
        file=graph.name, bytes=graph.stat().st_size, texts=len(texts),
        largest_difference=float(np.abs(answers - wanted).max()),
        same_answers=float((answers.argmax(axis=1) == wanted.argmax(axis=1)).mean()),
    )  # fmt: skip


def _logits(session: Any, tuned: Tuned, text: str) -> NDArray[np.float32]:
    read = tuned.tokenizer(text, truncation=True, max_length=tuned.options.longest, return_tensors="np")
    logits: NDArray[np.float32] = session.run(["logits"], {name: read[name].astype(np.int64) for name in INPUTS})[0]
    return logits


def _quantise(model: onnx.ModelProto) -> None:
    """Weights per output column and activations per token in 8 bits, inside the graph."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    rows = [
        Initializer(name=name, source=name, transforms=(), dtype="float32", shape=weight.shape, offset=0)
        for name, weight in weights.items()
        if weight.dtype == np.float32
    ]
    for row in quantise_products(model, rows):
        if row.transforms:
            model.graph.initializer.append(numpy_helper.from_array(transformed(weights[row.source], row), row.name))
