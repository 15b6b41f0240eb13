"""What a tensor is called in model.safetensors, where the encoder was published with a head for guessing words: behind a prefix.

`encoder.layer.0.output.dense.weight` in torch is `roberta.encoder.layer.0.output.dense.weight` in the file. Knows names alone.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any


def stored_name(name: str, model: Any, stored: Container[str]) -> str:
    """name: of a parameter of the Hugging Face encoder `model`. stored: the file's names, or those that an adapter changes."""
    prefixed = f"{model.base_model_prefix}.{name}"
    return prefixed if prefixed in stored else name
