"""Small safetensors files of what was learned: tensors in half precision and a few words beside them.

Knows the format alone. Imported late by who uses it: most commands open no such file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file


def save_halves(path: Path, tensors: Mapping[str, NDArray[Any]], words: Mapping[str, str]) -> None:
    """Writes float16."""
    halves = {name: np.ascontiguousarray(tensor, np.float16) for name, tensor in tensors.items()}
    save_file(halves, path, metadata=dict(words))


def read_tensors(path: Path, what: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The tensors and the words. what: it should hold, for the error. Raises OSError, or ValueError where the file is something
    else."""
    try:
        with safe_open(path, framework="numpy") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # no mapping
            return tensors, dict(stored.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path} holds no {what}: {error}") from error
