"""The encoder a tuning begins with, as a Hugging Face model with its tokenizer.

Input : nothing (the shipped encoder: the base with what `fit` taught it, Chinese characters included), a folder of `fit`,
        an encoder's folder, or a hub id
Output: the model without its pooler (unused, it would break training on several processes), and a fast tokenizer
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, PreTrainedTokenizerFast

from nlp_core.adapters import ADAPTER, Adapter
from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import BASE_WEIGHTS, TOKENIZER
from nlp_core.model_bundle import SHIPPED_BUNDLE, read_tokenizer
from training.export_model import base_of
from training.model.named_encoder import encoder_folder
from training.model.vocabulary_rows import lengthen

_SPECIAL = {
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def base_encoder(name: str | None) -> tuple[Any, PreTrainedTokenizerFast]:
    """(model, tokenizer). Raises ValueError where `name` is no encoder, BaseMissing, BaseMismatch, BundleDamaged."""
    weights, tokens, adapter = files_of(name)
    model = load(weights)
    if adapter:
        apply(model, adapter)
    return model, tokenizer_of(tokens)


def files_of(name: str | None) -> tuple[Path, Path, Adapter | None]:
    """(folder of the weights, tokenizer.json, what `fit` added to the weights). Raises as `base_encoder` does."""
    folder = encoder_folder(name) or SHIPPED_BUNDLE
    if not (folder / ADAPTER).is_file():
        return weights_folder(folder), folder / TOKENIZER, None
    base = base_files(base_of(None))[BASE_WEIGHTS].parent
    return base, folder / TOKENIZER, Adapter.open(folder / ADAPTER)


def weights_folder(folder: Path) -> Path:
    """`folder`, where it holds an encoder. Raises ValueError."""
    for name in ("config.json", BASE_WEIGHTS):
        if not (folder / name).is_file():
            raise ValueError(f"{folder} holds no {name}")
    return folder


def load(folder: Path, attention: str = "sdpa") -> Any:
    """The encoder in float32."""
    model = AutoModel.from_pretrained(
        folder, attn_implementation=attention, dtype=torch.float32, local_files_only=True, use_safetensors=True
    )
    if hasattr(model, "pooler"):
        model.pooler = None
    return model


def tokenizer_of(path: Path) -> PreTrainedTokenizerFast:
    """From tokenizer.json alone. Raises ValueError where there is none, or none that pads."""
    if not path.is_file():
        raise ValueError(f"{path.parent} holds no {path.name}; save the encoder there with its fast tokenizer")
    tokenizer = read_tokenizer(path)
    special = {
        kind: token for kind, tokens in _SPECIAL.items() for token in tokens if tokenizer.token_to_id(token) is not None
    }
    if "pad_token" not in special:
        raise ValueError(f"{path} has no token for padding ({' or '.join(_SPECIAL['pad_token'])})")
    made: Any = PreTrainedTokenizerFast  # its __init__ has no types
    fast: PreTrainedTokenizerFast = made(tokenizer_object=tokenizer, **special)
    return fast


def save(model: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """config.json, model.safetensors and tokenizer.json, as `--model` takes them everywhere."""
    model.save_pretrained(folder)
    (folder / TOKENIZER).write_text(tokenizer.backend_tokenizer.to_str(), encoding="utf-8")


def longest_of(model: Any) -> int:
    """Most tokens of a text, as the encoder was made for."""
    config = model.config
    return int(config.max_position_embeddings) - (
        2 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    )


def apply(model: Any, adapter: Adapter, *, whole: Any = None) -> None:
    """Changes the weights in place, its vocabulary grown as the adapter's. whole: see lengthen. Raises BundleDamaged, or KeyError
    where the adapter is another encoder's."""
    lengthen(model, adapter, whole=whole)
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name in adapter.changes:
            own[name].copy_(torch.from_numpy(np.ascontiguousarray(adapter.applied(name, own[name].numpy()))))
