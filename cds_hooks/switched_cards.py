"""Cards without the diagnoses that are switched off.

Wraps the card maker that ships: whatever a card says is built from what is left. Knows switches and assessments; what
else is off or in the shadow is switched_answers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cds_hooks.build_cards import news_candidates
from cds_hooks.occasion import BuiltCards, CardMaker, Occasion
from cds_hooks.switches import Switches, without
from nlp_core.assessment import Assessment, Candidate
from nlp_core.chart import Chart

SWITCHED_OFF = "switched-off"


@dataclass(frozen=True, slots=True)
class SwitchedCards:
    """A CardMaker."""

    cards: CardMaker
    switches: Callable[[], Switches]
    """Those in force now."""

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """See CardMaker. Silence of its own: `switched-off`, where but for a switch there might have been a card."""
        off = self.switches().diagnoses_off(assessment, occasion.tenant)
        left = without(assessment, off)
        if left.silence and not assessment.silence:
            return BuiltCards(silence=SWITCHED_OFF)
        built = await self.cards(left, chart, occasion)
        if not built.cards and _worth_showing(off):
            return BuiltCards(silence=SWITCHED_OFF, listed=built.listed)
        return built


def _worth_showing(off: Sequence[Candidate]) -> bool:
    return bool(news_candidates([candidate for candidate in off if candidate.evidence_for], hide_past=False))
