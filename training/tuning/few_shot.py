"""A new label from a few texts: which of them are learned, and where its row of the head begins.

The row begins between the mean of its texts and the mean of all others, as long as the rows that are there, so that the first
step already tells it apart. Knows vectors; the training behind it is as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import torch
from transformers import PreTrainedTokenizerFast

from training.tuning.classifier import TextClassifier
from training.tuning.labelled_texts import LabelledText

SHOTS = 16


def few_of(texts: Sequence[LabelledText], labels: Sequence[str], shots: int, seed: int) -> list[LabelledText]:
    """At most `shots` texts of each of `labels`, all texts of the others."""
    kept = [example for example in texts if example.label not in labels]
    for label in labels:
        own = [example for example in texts if example.label == label]
        Random(f"{seed}:{label}").shuffle(own)  # noqa: S311 - which texts are learned is no secret
        kept += own[:shots]
    return kept


def extended_head(
    old: torch.nn.Linear,
    new: Sequence[str],
    texts: Sequence[LabelledText],
    classifier: TextClassifier,
    tokenizer: PreTrainedTokenizerFast,
    longest: int,
) -> None:
    """Sets the classifier's rows: the old ones, and one for each of `new` from its texts.

    Raises ValueError where a new label has no text.
    """
    head = classifier.head
    with torch.no_grad():
        head.weight[: old.out_features] = old.weight
        head.bias[: old.out_features] = old.bias
        length = old.weight.norm(dim=1).mean()
        for place, label in enumerate(new, start=old.out_features):
            own = [example.text for example in texts if example.label == label]
            others = [example.text for example in texts if example.label != label]
            if not own:
                raise ValueError(f"there is no text of the new label {label!r}")
            mean = _mean(own, classifier, tokenizer, longest)
            middle = _mean(others, classifier, tokenizer, longest) if others else torch.zeros_like(mean)
            away = mean - middle
            head.weight[place] = length * away / away.norm().clamp(min=1e-6)
            head.bias[place] = -head.weight[place] @ (mean + middle) / 2


def _mean(
    texts: Sequence[str], classifier: TextClassifier, tokenizer: PreTrainedTokenizerFast, longest: int, batch: int = 64
) -> torch.Tensor:
    """[width]."""
    classifier.eval()
    vectors = []
    for start in range(0, len(texts), batch):
        padded = tokenizer(
            list(texts[start : start + batch]), truncation=True, max_length=longest, padding=True, return_tensors="pt"
        )
        vectors.append(classifier.pooled(padded["input_ids"], padded["attention_mask"]))
    return torch.cat(vectors).mean(dim=0)
