"""Cards as far as the switches let them: a diagnosis that is off is left out, a model that is off says nothing, and in
shadow mode what would have been shown is counted and not sent.

Wraps the card maker that ships. Knows switches and assessments; a tenant that is off is never read at all (answer).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from cds_hooks.build_cards import EXTENSION
from cds_hooks.json_log import log_event
from cds_hooks.occasion import BuiltCards, CardMaker, Occasion
from cds_hooks.switches import Switches
from cds_hooks.watch import SHADOW_CARDS, SHADOW_DIAGNOSES
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart

log = logging.getLogger("dxspan.switches")

SWITCHED_OFF = "switched-off"
SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class SwitchedCards:
    """A CardMaker."""

    cards: CardMaker
    switches: Callable[[], Switches]
    """Those in force now."""

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """See CardMaker. Silences of its own: `switched-off`, `shadow`."""
        switches, tenant, model = self.switches(), occasion.tenant, assessment.model_version
        if switches.model_off(tenant, model):
            return BuiltCards(silence=SWITCHED_OFF)
        left = tuple(
            candidate
            for candidate in assessment.candidates
            if not switches.diagnosis_off(tenant, model, candidate.diagnosis, candidate.icd10cm)
        )
        if assessment.candidates and not left:
            return BuiltCards(silence=SWITCHED_OFF)
        if len(left) < len(assessment.candidates):
            assessment = assessment.model_copy(update={"candidates": left})
        built = await self.cards(assessment, chart, occasion)
        return _in_the_shadow(built, tenant, model) if switches.in_shadow(tenant, model) else built


def _in_the_shadow(built: BuiltCards, tenant: str, model: str) -> BuiltCards:
    """Counted and logged by diagnosis, so that two models or sites can be compared; what was found on the problem list is
    remembered all the same."""
    if not built.cards:
        return built
    shown = [(getattr(card, "extension", None) or {}).get(EXTENSION, {}) for card in built.cards]
    diagnoses = [one["id"] for extension in shown for one in extension.get("diagnoses", ())]
    SHADOW_CARDS.inc(len(built.cards))
    for diagnosis in diagnoses:
        SHADOW_DIAGNOSES.labels(diagnosis).inc()
    log_event(log, "shadow", tenant=tenant, model=model, diagnoses=",".join(diagnoses))
    return BuiltCards(silence=SHADOW, listed=built.listed)
