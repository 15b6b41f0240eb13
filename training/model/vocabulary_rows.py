"""A vocabulary with more rows than its encoder was published with: training may add some behind the last.

Knows torch's and Hugging Face's embeddings; what the rows hold is training's business.
"""

from __future__ import annotations

from typing import Any

import torch

from nlp_core.adapters import Adapter
from training.model.stored_names import stored_name


def with_rows(model: Any, count: int) -> torch.nn.Embedding:
    """The vocabulary's vectors of a Hugging Face encoder; where it has fewer than `count`, it gets so many, the further ones zero."""
    words: torch.nn.Embedding = model.get_input_embeddings()
    known = words.num_embeddings
    if known < count:
        words = model.resize_token_embeddings(count, mean_resizing=False)
        with torch.no_grad():
            words.weight[known:] = 0
    return words


def lengthen(model: Any, adapter: Adapter, *, whole: Any = None) -> None:
    """Gives the vocabulary of a Hugging Face encoder as many rows as `adapter` makes it have; what they hold is not put in.

    whole: the model that `model` is the encoder of, where its head guesses words of the same vocabulary. Raises BundleDamaged where it
    has more already.
    """
    words = model.get_input_embeddings().weight
    name = next(name for name, parameter in model.named_parameters() if parameter is words)
    longer = adapter.lengthened(stored_name(name, model, adapter.changes), words.detach().numpy())
    with_rows(model if whole is None else whole, len(longer))
