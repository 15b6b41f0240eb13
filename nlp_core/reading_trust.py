"""How far what was read can be trusted: the probability that the words mean the finding, by the way they were read.

Input : the way of reading, for a concept the findings near to it with their likeness, its language and how common they are
Output: probabilities, which reasoning takes as such (weighing: a share counts as far as its finding is there)
The table in force is learned on our own cases and on invented charts (training.fit_trust); without one, hand-set figures
hold. Knows no words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp_core.assessment import Language

Way = Literal["name", "measurement", "attributes", "concept", "coded"]
"""How a finding came to be known: named in a note, measured there, put together from a symptom and what is said of it,
told in other words, or coded in the chart."""
Probability = float


@dataclass(frozen=True, slots=True)
class Meaning:
    """A finding that words may mean."""

    finding: str
    likeness: float
    """Of the name index, about 1 at most."""
    probability: Probability


class ConceptTrust(BaseModel):
    """Log odds that a clause means a finding rather than none: `base + likeness x + commonness log10(background)`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: dict[Language, float] = {"en": -15.3, "zh": -13.8}
    likeness: dict[Language, float] = {"en": 25.0, "zh": 25.0}
    commonness: float = 0.0
    """A find of something rare is more often wrong than one of something common."""

    def meanings(
        self, nearest: Sequence[tuple[str, float]], backgrounds: Mapping[str, float], language: Language
    ) -> tuple[Meaning, ...]:
        """What a clause may mean; what is left of 1 is that it means nothing.

        nearest: findings with their likeness (name_index). backgrounds: finding -> share of all patients with it, 0 to 1; 1 where
        it is unknown.
        """
        odds = [exp(self._odds(likeness, backgrounds.get(finding, 1.0), language)) for finding, likeness in nearest]
        whole = 1 + sum(odds)
        return tuple(
            Meaning(finding, likeness, own / whole) for (finding, likeness), own in zip(nearest, odds, strict=True)
        )

    def _odds(self, likeness: float, background: float, language: Language) -> float:
        odds = self.base[language] + self.likeness[language] * likeness
        odds += self.commonness * log(max(background, 1e-6)) / log(10)
        return max(-30.0, min(30.0, odds))


class ReadingTrust(BaseModel):
    """Probabilities by the way of reading, with what they were learned on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fitted_on: str = ""
    """In words for the model card; empty = hand-set."""
    charts: int = Field(default=0, ge=0)
    ways: dict[Way, float] = {}
    """Probability that a finding read this way is there; 1 for a way that is not listed."""
    concept: ConceptTrust = ConceptTrust()
    knowledge_version: str = ""

    @staticmethod
    def load(path: Path) -> ReadingTrust:
        """Raises OSError or ValidationError."""
        return ReadingTrust.model_validate_json(path.read_bytes())

    def of(self, way: Way) -> Probability:
        """Of anything but a concept, which brings its own."""
        return self.ways.get(way, 1.0)


HAND_SET = ReadingTrust()
