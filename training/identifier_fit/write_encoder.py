"""What fitting learnt as the files that the reader of de-identification opens.

Input : learnt tensors by their names in EncoderNet, the tensors of the adapter that they were learnt beside
Output: changes.safetensors, encoder.onnx
Both adapters become one of twice the rank, with biases and norms kept as whole numbers of 16 bits (nlp_core.adapters); the
table of marks is kept in 16-bit floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from nlp_core.adapters import AdapterWriter
from training.deidentify.identifier_encoder.weights import OWN, WORDS
from training.identifier_fit.encoder_graph import graph
from training.identifier_fit.encoder_net import LINEAR

WORD_VECTORS = "word_vectors"
"""In the order of the words' rows in the adapter that they are learnt beside."""
NORMS = ("attention.output", "output")
OWN_NAMES = {
    "marks.weight": "marks", "gaps.weight": "gaps", "ruled.weight": "ruled", "from_marks.weight": "from_marks",
    "beside.weight": "beside", "last.weight": "last", "last.bias": "last.bias",
}  # fmt: skip
TURNED = ("from_marks", "beside", "last")
Array = NDArray[Any]
Learnt = Mapping[str, Array]


def write_encoder(learnt: Learnt, beside: Learnt, changes: Path, graph_path: Path) -> None:
    """beside: the adapter's tensors as its file has them. Raises KeyError where something is missing, ValueError where vectors are
    not of the words that they are for."""
    writer = AdapterWriter()
    layers = 1 + max(int(name.split(".")[1]) for name in learnt if name.startswith("layers."))
    rows, vectors = beside[f"{WORDS}.rows"], learnt.get(WORD_VECTORS)
    if vectors is None:
        vectors = as_floats(beside, f"{WORDS}.values", f"{WORDS}.rows_exponent")
    if len(vectors) != len(rows):
        raise ValueError(
            f"vectors of {len(vectors)} words were learnt and {len(rows)} have rows: other notes, or other characters"
        )
    length = int(beside[f"{WORDS}.length"][0]) if f"{WORDS}.length" in beside else None
    writer.add_rows(WORDS, rows, vectors, length)
    _add_vectors(writer, learnt, "first_norm", "embeddings.LayerNorm")
    for at in range(layers):
        own = f"encoder.layer.{at}"
        for number, name in enumerate(LINEAR):
            of, weight = f"layers.{at}.linear.{number}", f"{own}.{name}.weight"
            first = balanced(
                beside[f"{weight}.low_rank_out"],
                as_floats(beside, f"{weight}.low_rank_in", f"{weight}.low_rank_exponent"),
            )
            second = balanced(learnt[f"{of}.out"], learnt[f"{of}.inner"])
            writer.add_low_rank(weight, np.concatenate([first[0], second[0]], 1), np.concatenate([first[1], second[1]]))
            _add_row(writer, f"{own}.{name}.bias", learnt[f"{of}.bias"])
        for number, name in enumerate(NORMS):
            _add_vectors(writer, learnt, f"layers.{at}.norms.{number}", f"{own}.{name}.LayerNorm")
    writer.save(changes)
    tensors = load_file(changes)
    for name, ours in OWN_NAMES.items():
        value = learnt[name].T if ours in TURNED else learnt[name]
        tensors[f"{OWN}{ours}"] = np.ascontiguousarray(value, np.float16)
    tensors[f"{OWN}marks"][0] = 0
    save_file({name: tensors[name] for name in sorted(tensors)}, changes)
    graph_path.write_bytes(graph(layers).SerializeToString(deterministic=True))


def as_floats(written: Learnt, name: str, exponent: str) -> Array:
    """The whole numbers `name` over the power of two that `exponent` says."""
    return written[name].astype(np.float64) * 2.0 ** -int(written[exponent][0])


def balanced(out: Array, inner: Array) -> tuple[Array, Array]:
    """The same change with both factors of each rank of one size: 16 bits then hold the ranks of both adapters alike."""
    of_out, of_inner = np.linalg.norm(out.astype(np.float64), axis=0), np.linalg.norm(inner.astype(np.float64), axis=1)
    scale = np.sqrt(np.where(of_out > 0, of_inner / np.where(of_out > 0, of_out, 1), 1))
    scale = np.where(scale > 0, scale, 1)
    return out * scale, inner / scale[:, None]


def _add_vectors(writer: AdapterWriter, learnt: Learnt, of: str, name: str) -> None:
    for part in ("weight", "bias"):
        _add_row(writer, f"{name}.{part}", learnt[f"{of}.{part}"])


def _add_row(writer: AdapterWriter, name: str, values: Array) -> None:
    writer.add_rows(name, np.arange(len(values)), values)
