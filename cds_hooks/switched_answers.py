"""What the switches make of an outcome as a whole: a model that is off says nothing; in the shadow nothing is shown, and
what would have been is kept, so that it can be laid beside what others show (`dxspan-switch compare`).

Input: an outcome that is about to leave. Output: the outcome that may. Knows switches, outcomes and where compared
answers are kept; single diagnoses are switched_cards' business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cds_hooks.after_answers import AfterAnswers
from cds_hooks.memory.compared_answer import ComparedAnswer, Seen
from cds_hooks.memory.feedback import FeedbackStore
from cds_hooks.occasion import Occasion
from cds_hooks.operation_outcome import Unavailable
from cds_hooks.outcome import Outcome, diagnoses_shown
from cds_hooks.services import RECORD_SUMMARY
from cds_hooks.switched_cards import SWITCHED_OFF
from cds_hooks.switches import Switches
from cds_hooks.watch import COMPARED_LOST, SHADOW_ANSWERS
from nlp_core.chart import Chart
from worker.chart_digest import chart_digest

log = logging.getLogger("dxspan.switches")

SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class SwitchedAnswers:
    """The switches in force, at work on answers."""

    switches: Callable[[], Switches]
    """Those in force now."""
    feedback: FeedbackStore
    after: AfterAnswers

    def all_off(self, tenant: str) -> bool:
        """Is nothing to be read for this tenant?"""
        return self.switches().all_off(tenant)

    def outcome(self, outcome: Outcome, chart: Chart, occasion: Occasion) -> Outcome:
        """What may leave of `outcome`. Silences of its own: `switched-off`, `shadow`; a failure stays degraded."""
        read = outcome.assessment
        if read is None:
            return outcome
        switches, tenant = self.switches(), occasion.tenant
        off = switches.all_off(tenant, read.model_version)
        in_shadow = switches.in_shadow(tenant, read.model_version)
        if outcome.state == "degraded":  # cards, if any, are an earlier reading's: nothing to compare
            return replace(outcome, cards=(), computed=None) if off or in_shadow else outcome
        if off:
            return replace(outcome, state="silent", reason=SWITCHED_OFF, cards=())
        names_diagnoses = occasion.service_id != RECORD_SUMMARY.id
        if names_diagnoses and (in_shadow or switches.comparing(tenant)):
            seen: Seen = "shadow" if in_shadow else "shown"
            self.after.start(self._keep(outcome, read.model_version, chart, occasion, seen))
        if not in_shadow:
            return outcome
        SHADOW_ANSWERS.labels(outcome.state, outcome.reason).inc()
        return replace(outcome, state="silent", reason=SHADOW, cards=())

    async def _keep(self, outcome: Outcome, model: str, chart: Chart, occasion: Occasion, seen: Seen) -> None:
        silence = outcome.reason if outcome.state == "silent" else ""
        try:
            digest = await asyncio.to_thread(chart_digest, chart)
            answer = ComparedAnswer(seen, model, digest, diagnoses_shown(outcome.cards), silence)
            await self.feedback.remember_compared(occasion, answer, datetime.now(UTC))
        except Unavailable:
            COMPARED_LOST.inc()  # nobody's answer depends on it; that the database is away is said by its delivery
        except Exception:
            COMPARED_LOST.inc()
            log.exception("an answer could not be kept for comparison")
