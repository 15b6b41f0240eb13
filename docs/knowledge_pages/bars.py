"""What a diagnosis's picture shows: each finding as two bars, how often with the disease and how often without.

Knows numbers and their order. The drawing is the template's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from nlp_core.assessment import Language
from nlp_core.knowledge import Diagnosis, Finding, Knowledge

GROUPS = ("findings", "risk_factors", "against")


@dataclass(frozen=True, slots=True)
class Bar:
    """One finding of one diagnosis."""

    group: str
    """`findings`, `risk_factors` or `against`: the list it stands in."""
    finding: Finding
    name: str
    share: float
    """With the disease, 0 to 1."""
    background: float
    """Without it, 0 to 1."""

    @property
    def weight(self) -> float:
        """Natural logarithm of how much more often it occurs with the disease than without."""
        return log(self.share / self.background)


def bars_of(diagnosis: Diagnosis, knowledge: Knowledge, language: Language) -> list[Bar]:
    """All findings of a diagnosis, group by group, the most telling first."""
    bars = []
    for group in GROUPS:
        shares: dict[str, float] = getattr(diagnosis, group)
        of_group = [
            Bar(group, entry, entry.names.display.said_in(language), share, entry.background)
            for finding, share in shares.items()
            if (entry := knowledge.findings.get(finding)) is not None
        ]
        bars += sorted(of_group, key=lambda bar: -abs(bar.weight))
    return bars
