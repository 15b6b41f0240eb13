"""A small encoder with words of its own, and texts of three labels that it can learn to tell apart."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from nlp_core.bundle_manifest import TOKENIZER
from tests.training.tiny_encoders import LONGEST, SIZES, VOCABULARY
from training.tuning.labelled_texts import LabelledText

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = {
    "cold": ["cough", "sneezing", "runny", "nose"],
    "flu": ["fever", "chills", "aching", "muscles"],
    "allergy": ["rash", "itching", "pollen", "hives"],
    "other": ["back", "knee", "belly", "dizzy"],
}
FILLERS = ["for", "days", "with", "and", "some", "##s", "流", "感"]


def tokenizer() -> Tokenizer:
    words = [*SPECIAL, *(word for own in WORDS.values() for word in own), *FILLERS]
    assert len(words) <= VOCABULARY
    made = Tokenizer(models.WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def encoder(folder: Path) -> Path:
    """As a user's folder: weights as they are freshly made, from which a few steps learn."""
    torch.manual_seed(3)
    transformers.BertModel(transformers.BertConfig(**SIZES, max_position_embeddings=LONGEST)).save_pretrained(folder)
    tokenizer().save(str(folder / TOKENIZER))
    return folder


def texts(count: int, labels: tuple[str, ...] = ("cold", "flu", "allergy"), seed: int = 1) -> list[LabelledText]:
    """`count` of each label; no two alike words decide."""
    random = Random(seed)
    return [
        LabelledText(" ".join([*random.sample(WORDS[label], 2), *random.choices(FILLERS[:5], k=3)]), label)
        for label in labels
        for _ in range(count)
    ]


def write_csv(path: Path, rows: list[LabelledText]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((row.text, row.label) for row in rows)])
    return path
