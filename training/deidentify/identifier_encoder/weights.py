"""The encoder's weights and words: the base's files, and what fitting adds to them.

Input : the base package, changes.safetensors beside this file     Output: tensors by name, the same bytes on every machine
Knows arrays; made anew in each process, which takes a second. What the reading model adds to the base is in the changes too, so
that another reading model changes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from nlp_core.adapters import Adapter
from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import BASE_WEIGHTS, read_manifest
from nlp_core.model_bundle import SHIPPED_BUNDLE

HERE = Path(__file__).parent
CHANGES, GRAPH, RECORD = "changes.safetensors", "encoder.onnx", "encoder.json"
OWN = "reader."
"""Begins the names of tensors that the base has nothing of."""
WORDS, PLACES, TYPES = (f"embeddings.{name}_embeddings.weight" for name in ("word", "position", "token_type"))
Tensors = dict[str, NDArray[Any]]


def base_file(name: str) -> Path:
    """A file of the base. Raises BundleError where it is not there or another one."""
    return base_files(read_manifest(SHIPPED_BUNDLE).base)[name]


def characters_of(folder: Path) -> str:
    """Chinese characters that the encoder of a folder has beside the base's. Raises OSError or KeyError where its record lacks them."""
    characters: str = orjson.loads((folder / RECORD).read_bytes())["characters"]
    return characters


def base_tensors(names: Iterable[str] | None = None) -> Tensors:
    """Of the base, float32; all but its pooler's where no names are given."""
    with safe_open(base_file(BASE_WEIGHTS), framework="numpy") as tensors:
        wanted = names or [name for name in tensors.keys() if not name.startswith("pooler.")]  # noqa: SIM118 - no mapping
        read = {name: tensors.get_tensor(name) for name in wanted}
    return {name: tensor for name, tensor in read.items() if tensor.dtype == np.float32}


def fitted_tensors(changes: Path) -> Tensors:
    """What the graph takes and the words' vectors, with what was fitted; the reader's own tensors without `reader.`."""
    written = load_file(changes)
    own = {name.removeprefix(OWN): value for name, value in written.items() if name.startswith(OWN)}
    adapter = Adapter({name: value for name, value in written.items() if not name.startswith(OWN)})
    base = base_tensors({*adapter.changes, WORDS, PLACES, TYPES})
    changed = {name: adapter.applied(name, tensor) for name, tensor in base.items()}
    return {**changed, **{name: value.astype(np.float32) for name, value in own.items()}}
