"""Byte-level tokenizers as RoBERTa and ModernBERT have them, small: 256 bytes, the tokens of the frame, and what is often written.

The blank before a word is part of its token, and a character that is rarely written two to four tokens. They differ in what
they say of the blank: RoBERTa's offsets leave it out, ModernBERT's do not.
"""

from __future__ import annotations

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

COUNT = 300
WRITTEN = ("chest pain on a stair, pain in the chest, a cough", "胸痛，咳嗽")


def roberta_words() -> Tokenizer:
    tokenizer = _trained("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def modernbert_words() -> Tokenizer:
    tokenizer = _trained("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _trained(*special: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=COUNT,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(WRITTEN, trainer)
    return tokenizer
