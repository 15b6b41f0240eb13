"""Encoders of the usual size with random weights, saved as hubs publish theirs: BERT, RoBERTa and ModernBERT.

Output: a folder with config.json, model.safetensors (behind a prefix, beside the head for guessing words) and tokenizer.json
Knows torch and transformers, and what each family's vocabulary is like: word pieces that know no Chinese but for free slots, or
bytes. Vocabularies are learned from our English names and phrases; rows that nothing was learned for stay unused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from nlp_core.bundle_manifest import TOKENIZER

FREE_SLOTS = 994
_SPREAD = 0.02
"""Of the random numbers added to every weight: freshly made biases are all zero, and one taken for another would not be seen."""


@dataclass(frozen=True, slots=True)
class Family:
    """How an encoder of a family is made."""

    name: str
    vocabulary: int
    """Rows of the table of words, as published."""
    model: Callable[[], Any]
    words: Callable[[Iterable[str], int], Tokenizer]


def save(family: Family, texts: Iterable[str], folder: Path) -> int:
    """Returns how many weights the encoder has, the head for guessing words included. texts: what the vocabulary is learned from."""
    import torch

    torch.manual_seed(1)
    model = family.model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(_SPREAD * torch.randn_like(parameter))
    model.save_pretrained(folder)
    family.words(texts, family.vocabulary).save(str(folder / TOKENIZER))
    return sum(parameter.numel() for parameter in model.parameters())


def _bert() -> Any:
    from transformers import BertConfig, BertForMaskedLM

    return BertForMaskedLM(BertConfig())


def _roberta() -> Any:
    from transformers import RobertaConfig, RobertaForMaskedLM

    return RobertaForMaskedLM(RobertaConfig(max_position_embeddings=514, type_vocab_size=1))


def _modernbert() -> Any:
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    frame: dict[str, Any] = {
        "pad_token_id": 0,
        "cls_token_id": 2,
        "bos_token_id": 2,
        "sep_token_id": 3,
        "eos_token_id": 3,
    }
    return ModernBertForMaskedLM(ModernBertConfig(**frame))


_BERTS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def _word_pieces(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = [*_BERTS, *(f"[unused{number}]" for number in range(FREE_SLOTS))]
    _learn(
        tokenizer, texts, trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = _framed()
    return tokenizer


def _robertas_bytes(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    tokenizer = _bytes(texts, vocabulary, ("<s>", "<pad>", "</s>", "<unk>", "<mask>"))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def _modernberts_bytes(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    tokenizer = _bytes(texts, vocabulary, _BERTS)
    tokenizer.normalizer, tokenizer.post_processor = normalizers.NFC(), _framed()
    return tokenizer


def _bytes(texts: Iterable[str], vocabulary: int, special: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    _learn(tokenizer, texts, trainer)
    return tokenizer


def _learn(tokenizer: Any, texts: Iterable[str], trainer: Any) -> None:
    tokenizer.train_from_iterator(texts, trainer)


def _framed() -> Any:
    return processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])


FAMILIES = (
    Family("BERT-base", 30_522, _bert, _word_pieces),
    Family("RoBERTa-base", 50_265, _roberta, _robertas_bytes),
    Family("ModernBERT-base", 50_368, _modernbert, _modernberts_bytes),
)
