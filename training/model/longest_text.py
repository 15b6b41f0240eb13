"""How many tokens an encoder has positions for."""

from __future__ import annotations

from typing import Any


def longest_text(model: Any) -> int:
    """Of a Hugging Face encoder. RoBERTa counts positions from behind the padding's; ModernBERT has no table of positions."""
    positions = getattr(model.embeddings, "position_embeddings", None)
    if positions is None:
        return int(model.config.max_position_embeddings)
    padding = getattr(positions, "padding_idx", None)
    return int(positions.num_embeddings) - (0 if padding is None else int(padding) + 1)
