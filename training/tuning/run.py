"""A whole tuning: encoder and head made, trained, measured; alone, or several distilled to one.

Input : a name of an encoder, texts, options
Output: a `Tuned` classifier that answers texts and can be saved
Knows the order; each step is its neighbours' business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast, set_seed

from training.tuning.classifier import TextClassifier, save_head
from training.tuning.encoders import base_encoder, longest_of, save
from training.tuning.examples import Batches, Examples, Shares, shares_of
from training.tuning.labelled_texts import LabelledText
from training.tuning.methods import MERGEABLE, merged, with_method
from training.tuning.options import TuningOptions
from training.tuning.train import TrainingFigures, planned_steps, train

ENCODER, ADAPTER = "encoder", "adapter"
Start = Callable[[TextClassifier, PreTrainedTokenizerFast], None]
"""Sets a fresh classifier's first weights."""


@dataclass(slots=True)
class Tuned:
    """A classifier with what it needs to read texts."""

    classifier: TextClassifier
    tokenizer: PreTrainedTokenizerFast
    labels: tuple[str, ...]
    options: TuningOptions
    figures: TrainingFigures | None = None

    def logits(self, texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
        """float32 [texts, labels]."""
        found = np.zeros((len(texts), len(self.labels)), np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        device = self.classifier.head.weight.device
        self.classifier.eval()
        with torch.no_grad():
            for start in range(0, len(order), batch):
                places = order[start : start + batch]
                padded = self.tokenizer(
                    [texts[place] for place in places], truncation=True, max_length=self.options.longest,
                    padding=True, return_tensors="pt",
                )  # fmt: skip
                answer = self.classifier(padded["input_ids"].to(device), padded["attention_mask"].to(device))
                found[places] = answer["logits"].cpu().numpy()
        return found

    def answers(self, texts: Sequence[str]) -> list[int]:
        """The most likely label's place, text by text."""
        return [int(place) for place in self.logits(texts).argmax(axis=1)]

    def save(self, out: Path) -> None:
        """A merged encoder as `--model` takes it; of a prefix the adapter alone. The head beside it."""
        method = self.options.method
        save_head(self.classifier, self.labels, method, out)
        if method not in MERGEABLE:
            self.classifier.encoder.save_pretrained(out / ADAPTER)
            return
        self.classifier.encoder = merged(self.classifier.encoder, method)
        save(self.classifier.encoder, self.tokenizer, out / ENCODER)


def tuned(
    model: str | None,
    texts: Sequence[LabelledText],
    development: Sequence[LabelledText],
    labels: Sequence[str],
    options: TuningOptions,
    out: Path,
    *,
    shares: Shares | None = None,
    start: Start | None = None,
    resume: bool = False,
    report_to: str = "none",
) -> Tuned:
    """One classifier trained. shares: what each text is to be answered with instead of its own label. start: how its head
    begins (few shots, continual learning); None = at random.

    Raises ValueError where encoder and options do not fit.
    """
    set_seed(options.seed)
    encoder, tokenizer = base_encoder(model)
    options = options.model_copy(update={"longest": min(options.longest, longest_of(encoder))})
    width = int(encoder.config.hidden_size)
    adapted = with_method(
        encoder, options.method, rank=options.rank, steps=planned_steps(len(texts), options, _processes())
    )
    classifier = TextClassifier(adapted, len(labels), width=width, dropout=options.dropout)
    if start:
        start(classifier, tokenizer)
    found = Tuned(classifier, tokenizer, tuple(labels), options)
    wanted = shares_of(texts, labels) if shares is None else shares
    found.figures = train(
        classifier, _examples(texts, wanted, found), _examples(development, shares_of(development, labels), found),
        options, out, batches=Batches(tokenizer), resume=resume, report_to=report_to,
    )  # fmt: skip
    return found


def _examples(texts: Sequence[LabelledText], shares: Shares, of: Tuned) -> Examples:
    return Examples([example.text for example in texts], shares, of.tokenizer, of.options.longest)


def _processes() -> int:
    """How many trainings run side by side, as `torchrun` and `accelerate launch` say."""
    return int(os.environ.get("WORLD_SIZE", "1"))
