"""What a training run is measured by while it goes: names nearest to held-apart phrases, and the heads on held-apart charts.

Knows phrases, sentences and figures between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from nlp_core.knowledge import Knowledge
from training.model.sentence_batches import SentenceExample, SentenceSampler
from training.phrases import Phrase

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class Measured(BaseModel):
    """Figures after a step; all but the losses between 0 and 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    losses: dict[str, float]
    nearest_english: float
    """Share of held-apart English phrases whose nearest name, of all findings, is their own or a relative's."""
    nearest_chinese: float
    finding_f1: float
    """Tokens inside findings, precision and recall balanced."""
    assertion_accuracy: float
    salience_accuracy: float
    evidence_agreement: float
    """Share of telling sentences whose three diagnoses moved most by the knowledge hold the one that the head moves most."""
    case_first: float | None = None
    """Share of whole cases kept apart whose diagnosis comes first of all; None where cases are not learned from."""
    case_within_three: float | None = None

    def figures(self) -> dict[str, float]:
        """Those that were measured."""
        return self.model_dump(exclude={"step", "losses"}, exclude_none=True)

    def line(self) -> str:
        losses = ", ".join(f"{name} {value:.2f}" for name, value in self.losses.items())
        figures = ", ".join(f"{name} {value:.3f}" for name, value in self.figures().items())
        return f"step {self.step}: {figures}; losses {losses}"

    def table(self) -> Iterator[str]:
        """The figures as a Markdown table."""
        yield "| figure | held apart |"
        yield "|---|---:|"
        for name, value in self.figures().items():
            yield f"| {name.replace('_', ' ')} | {value:.3f} |"


def nearest_name_shares(
    phrases: Mapping[str, Sequence[Phrase]], held_apart: Sequence[Phrase], knowledge: Knowledge, embed: Embed
) -> tuple[float, float]:
    """(English, Chinese): nearest name of each held-apart phrase, English and Chinese names together."""
    names = [
        (entry, phrase.text)
        for entry, own in phrases.items()
        if not entry.startswith("d:")
        for phrase in own
        if phrase.source == "name"
    ]
    index = embed([text for _, text in names])
    right: dict[str, list[bool]] = {"en": [], "zh": []}
    if held_apart:
        nearest = (embed([phrase.text for phrase in held_apart]) @ index.T).argmax(axis=1)
        for phrase, row in zip(held_apart, nearest, strict=True):
            right[phrase.language].append(knowledge.related(names[int(row)][0], phrase.entry))
    english, chinese = (float(np.mean(answers)) if answers else 0.0 for answers in right.values())
    return english, chinese


class SentenceMeasure:
    """A fixed set of sentences from charts that training does not see."""

    def __init__(self, knowledge: Knowledge, *, count: int, seed: int, chinese: float) -> None:
        sampler = SentenceSampler(knowledge, seed=seed, chinese=chinese)
        self._examples: list[SentenceExample] = next(iter(sampler.batches(count, 1)))
        self._targets = sampler.targets(self._examples)

    def of(self, encoder: Any, heads: Any, features: Any) -> dict[str, float]:
        """Figures of `Measured` that concern the heads."""
        import torch

        from training.model.losses import NOT_ASKED, token_labels

        encoder.eval()
        counts = np.zeros(3)  # found, wanted, both
        asserted: list[NDArray[np.bool_]] = []
        salience: list[bool] = []
        agreed: list[bool] = []
        with torch.no_grad():
            placed = heads.placed(features)
            for group in encoder.read([example.text for example in self._examples]):
                answered, labels = heads(group.vectors, group.mask), token_labels(group, self._examples)
                asked = labels.finding != NOT_ASKED
                said, gold = answered.finding.argmax(-1)[asked] > 0, labels.finding[asked] > 0
                counts += [int(said.sum()), int(gold.sum()), int((said & gold).sum())]
                asked = labels.assertion != NOT_ASKED
                asserted.append((answered.assertion.argmax(-1)[asked] == labels.assertion[asked]).cpu().numpy())
                moved = (answered.evidence @ placed.T).argmax(dim=1).cpu().numpy()
                for row, place in enumerate(group.places):
                    telling = self._examples[place].telling
                    salience.append(bool(answered.salience[row] > 0) == telling)
                    if telling:
                        agreed.append(int(moved[row]) in np.argsort(-self._targets[place])[:3])
        return {
            "finding_f1": float(2 * counts[2] / max(1, counts[0] + counts[1])),
            "assertion_accuracy": float(np.concatenate(asserted).mean()),
            "salience_accuracy": float(np.mean(salience)),
            "evidence_agreement": float(np.mean(agreed)) if agreed else 0.0,
        }
