"""An encoder with a head that guesses masked words: made, measured, saved.

Knows transformers. An encoder published without that head begins with a new one, whose first perplexity is that of guessing;
`head_is_new` says so.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

from training.pretraining.masked_blocks import Blocks, Masking
from training.tuning.encoders import apply, files_of, save, tokenizer_of

ENCODER, WHOLE = "encoder", "masked-language-model"
_MASKS_SEED = 7
"""The same words are asked for before and after."""


def language_model(name: str | None) -> tuple[Any, PreTrainedTokenizerFast, bool]:
    """(model, tokenizer, head_is_new). Raises ValueError where `name` is no encoder, or its tokenizer has no mask."""
    weights, tokens, adapter = files_of(name)
    tokenizer = tokenizer_of(tokens)
    if tokenizer.mask_token is None:
        raise ValueError(f"{tokens} has no token for masking ([MASK] or <mask>); this encoder cannot learn so")
    model, loading = AutoModelForMaskedLM.from_pretrained(
        weights, attn_implementation="sdpa", dtype=torch.float32, local_files_only=True, use_safetensors=True,
        output_loading_info=True,
    )  # fmt: skip
    if adapter:
        apply(model.base_model, adapter, whole=model)
    return model, tokenizer, bool(loading["missing_keys"])


def perplexity(model: Any, blocks: Blocks, tokenizer: PreTrainedTokenizerFast, share: float, batch: int) -> float:
    """Of the masked words of `blocks`, always the same ones: how many words it hesitates between. inf where it overflows."""
    collate = Masking(tokenizer, share, seed=_MASKS_SEED)
    device = model.device
    loss, words = 0.0, 0
    model.eval()
    with torch.no_grad():
        for start in range(0, len(blocks), batch):
            inputs = collate([blocks[place] for place in range(start, min(start + batch, len(blocks)))])
            asked = int((inputs["labels"] != -100).sum())
            if asked:
                loss += asked * float(model(**{name: value.to(device) for name, value in inputs.items()}).loss)
                words += asked
    return math.exp(min(loss / words, 700)) if words else math.nan


def save_both(model: Any, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """The encoder alone, as `fit`, `tune` and `export-model` take it; and the whole, to go on with its head."""
    save(model, tokenizer, out / WHOLE)
    save(model.base_model, tokenizer, out / ENCODER)
