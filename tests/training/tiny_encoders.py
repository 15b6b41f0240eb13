"""Encoders small enough for a test, with random weights, saved as a user would save theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from nlp_core.bundle_manifest import TOKENIZER
from tests.nlp_core.byte_pieces import COUNT, modernbert_words, roberta_words
from tests.nlp_core.tiny_bundle import tiny_tokenizer

WIDTH, LAYERS, VOCABULARY, LONGEST = 32, 2, 50, 40
AS_PUBLISHED = ("bert as published", "roberta as published", "modernbert as published")
"""With the head for guessing words that hubs' models come with, so that every tensor's name has a prefix; and with a vocabulary
of the family's own kind."""
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


def save_encoder(kind: str, folder: Path) -> Path:
    """kind: bert, bert with free slots, bert for words, roberta, modernbert, or one of AS_PUBLISHED."""
    torch.manual_seed(3)
    saved = _MADE[kind]()
    for parameter in saved.parameters():  # freshly made biases are all zero and would hide a wrong match
        torch.nn.init.normal_(parameter, std=0.2)
    saved.save_pretrained(folder)
    _WORDS.get(kind, tiny_tokenizer)().save(str(folder / TOKENIZER))
    return folder


def word_pieces() -> Tokenizer:
    """A WordPiece tokenizer as the base encoder's: letters, a few words, ten free slots."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = [*special, *(f"[unused{n}]" for n in range(10)), "chest", "pain", "##s", *"abcdefghijklm", *"。，"]
    tokenizer = Tokenizer(models.WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _bert(model: Any) -> Any:
    return model(transformers.BertConfig(**SIZES, max_position_embeddings=LONGEST))


def _roberta(model: Any, vocabulary: int = VOCABULARY) -> Any:
    sizes = {**SIZES, "vocab_size": vocabulary}
    return model(transformers.RobertaConfig(**sizes, max_position_embeddings=LONGEST + 2, pad_token_id=1))


def _modernbert(model: Any, vocabulary: int = VOCABULARY) -> Any:
    sizes = {**SIZES, "vocab_size": vocabulary}
    places = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    config = transformers.ModernBertConfig(
        **sizes, **places, max_position_embeddings=LONGEST, local_attention=16, global_attn_every_n_layers=2
    )
    return model(config)


_MADE: dict[str, Any] = {
    "bert": lambda: _bert(transformers.BertModel),
    "bert with free slots": lambda: _bert(transformers.BertModel),
    "bert for words": lambda: _bert(transformers.BertForMaskedLM),
    "bert as published": lambda: _bert(transformers.BertForMaskedLM),
    "roberta": lambda: _roberta(transformers.RobertaModel),
    "roberta as published": lambda: _roberta(transformers.RobertaForMaskedLM, COUNT),
    "modernbert": lambda: _modernbert(transformers.ModernBertModel),
    "modernbert as published": lambda: _modernbert(transformers.ModernBertForMaskedLM, COUNT),
}
_WORDS: dict[str, Callable[[], Tokenizer]] = {
    "bert with free slots": word_pieces,
    "bert as published": word_pieces,
    "roberta as published": roberta_words,
    "modernbert as published": modernbert_words,
}
