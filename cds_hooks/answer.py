"""The main path: gather the chart, have it read, recall what was shown before, build the cards, and remember them.

Knows the order of the steps and the deadline. Every fault of our own becomes an outcome in fixed words (outcome); nothing
here knows how a chart is read or a card written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cds_hooks.after_answers import AfterAnswers
from cds_hooks.fhir_access import server_for
from cds_hooks.fhir_server import FhirServer
from cds_hooks.gather_notes import Gathering, OutOfTime, gather
from cds_hooks.hook_request import HookRequest
from cds_hooks.kept_answers import Answer
from cds_hooks.last_answers import LastAnswer, LastAnswers, kept_assessment
from cds_hooks.memory.counted_readings import CountedReadings
from cds_hooks.memory.feedback import FeedbackStore
from cds_hooks.memory.suggestion_memory import Recalled
from cds_hooks.occasion import CardMaker, Occasion
from cds_hooks.opened_charts import OpenedCharts
from cds_hooks.outbound import Outbound
from cds_hooks.outcome import Outcome, answer_of
from cds_hooks.reading_outcome import (
    MEMORY_UNAVAILABLE,
    built_outcome,
    fell_short,
    has_failed,
    silence_of,
    unread_outcome,
)
from cds_hooks.security_events import security_event
from cds_hooks.server_address import ServerAddress
from cds_hooks.services import RECORD_SUMMARY, Service
from cds_hooks.settings import Settings
from cds_hooks.switched_answers import SwitchedAnswers
from cds_hooks.switched_cards import SWITCHED_OFF
from cds_hooks.trust import Caller
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.client import Reading, ReadingClient
from worker.tracing import note, span

log = logging.getLogger("dxspan.answers")

OPTIONAL_SHARE = 0.5
"""Share of the time that optional data may take; the rest is for reading."""
WRITING_SECONDS = 0.004
"""Time kept for the answer of each other call in hand: those that fall due together are written one after the other."""
MOST_KEPT_SHARE = 0.5
"""Share of the time that may be kept for the answers of others."""


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """What answering works with."""

    client: ReadingClient
    cards: CardMaker
    feedback: FeedbackStore
    outbound: Outbound
    last: LastAnswers
    switched: SwitchedAnswers
    after: AfterAnswers
    readings: CountedReadings
    opened: OpenedCharts


class Answering:
    """Answers hook calls with the parts it is given."""

    def __init__(self, settings: Settings, parts: AnswerParts) -> None:
        self._settings = settings
        self._parts = parts
        self._in_hand = 0

    @property
    def in_hand(self) -> int:
        """Calls under way."""
        return self._in_hand

    async def close(self) -> None:
        """Finish what goes on after answers."""
        await self._parts.after.close()

    async def answer(
        self, request: HookRequest, service: Service, caller: Caller, arrived: float, *, small: bool = False
    ) -> Answer:
        """The body for `request`, which arrived at `arrived` (`time.monotonic()` seconds); `small`: see Gathering.

        Raises BadRequest, Forbidden or MissingData; every fault of our own is a degraded answer.
        """
        server = server_for(request, caller, self._settings, self._parts.outbound)
        occasion, bounds = self._occasion(request, service, caller), self._bounds(caller, arrived, small)
        self._in_hand += 1
        try:
            outcome = await self._outcome(request, service, occasion, server, bounds)
            outcome = await self._remembered(outcome, occasion, bounds.required_by)
        finally:
            self._in_hand -= 1
        return answer_of(outcome, arrived, tenant=caller.tenant, hookInstance=str(request.instance))

    def shed(self, caller: Caller, arrived: float) -> Answer:
        """For a call whose turn came too late: nothing of it was looked at."""
        return answer_of(Outcome("degraded", "overloaded"), arrived, tenant=caller.tenant)

    def _bounds(self, caller: Caller, arrived: float, small: bool) -> Gathering:
        seconds = (self._settings.deadline_ms - self._settings.reserve_ms) / 1000
        seconds -= min(self._in_hand * WRITING_SECONDS, seconds * MOST_KEPT_SHARE)
        return Gathering(
            as_of=datetime.now(UTC),
            required_by=arrived + seconds,
            optional_by=arrived + seconds * OPTIONAL_SHARE,
            max_entries=self._settings.max_entries,
            max_attachments=self._settings.max_attachments,
            tenant=caller.tenant,
            allow_restricted=caller.tenant in self._settings.restricted_tenants,
            small=small,
        )

    async def _outcome(
        self, request: HookRequest, service: Service, occasion: Occasion, server: FhirServer | None, bounds: Gathering
    ) -> Outcome:
        if self._parts.switched.all_off(occasion.tenant):
            return Outcome("silent", SWITCHED_OFF)

        def on_security_event(kind: str) -> None:
            security_event(kind, tenant=occasion.tenant, hookInstance=str(request.instance))

        try:
            with span("gather notes"):
                chart = await gather(request, service.prefetch, server, bounds, self._parts.opened, on_security_event)
                note({"dxspan.notes": len(chart.notes), "dxspan.unread": sum(one.count for one in chart.unread)})
        except OutOfTime:
            return Outcome("degraded", "deadline")
        # The reader keeps the deadline itself; this is the belt to its braces.
        at_most = max(bounds.required_by - time.monotonic(), 0) + self._settings.reserve_ms / 2000
        try:
            async with asyncio.timeout(at_most):
                outcome = await self._read(chart, occasion, bounds.required_by)
        except TimeoutError:
            return Outcome("degraded", "deadline", unread=chart.unread)
        if outcome.assessment and outcome.state != "degraded" and service.id != RECORD_SUMMARY.id:
            # A degraded answer tells of our machines and not of charts.
            self._parts.readings.observe(outcome.assessment, chart)
        return self._parts.switched.outcome(outcome, chart, occasion)

    async def _read(self, chart: Chart, occasion: Occasion, deadline: float) -> Outcome:
        """Reads and recalls at the same time: neither waits for the other."""
        recalling = asyncio.create_task(self._parts.feedback.recall(occasion, by=deadline))
        try:
            reading, last = await self._reading_and_last(chart, occasion, deadline)
            if reading.assessment is None or fell_short(reading.assessment, occasion):
                return await self._last_card(last, unread_outcome(reading, chart), chart, occasion, recalling)
            self._keep(reading.assessment, chart, occasion)
            silence = silence_of(reading.assessment, occasion)
            if silence:
                return Outcome("silent", silence, (), chart.unread, assessment=reading.assessment)
            return await self._shown(reading.assessment, chart, occasion, recalling)
        finally:
            recalling.cancel()

    async def _shown(
        self, assessment: Assessment, chart: Chart, occasion: Occasion, recalling: asyncio.Task[Recalled]
    ) -> Outcome:
        try:
            recalled = await recalling
            with span("compose card"):
                built = await self._parts.cards(assessment, chart, replace(occasion, recalled=recalled))
        except Exception:
            log.exception("the cards could not be built")
            return Outcome("degraded", "cards-failed", (), chart.unread, assessment=assessment)
        return built_outcome(built, chart, recalled, assessment)

    async def _reading_and_last(
        self, chart: Chart, occasion: Occasion, deadline: float
    ) -> tuple[Reading, LastAnswer | None]:
        """The reading, and the patient's last answer where the reading failed. Looked up while there is time for it."""
        task = asyncio.ensure_future(self._parts.client.read(chart, tenant=occasion.tenant, deadline=deadline))
        try:
            await asyncio.wait({task}, timeout=max(0.0, (deadline - time.monotonic()) / 2))
            failed = task.done() and (task.exception() or has_failed(task.result(), occasion))
            last = await self._find_last(chart, occasion) if failed or not task.done() else None
            return await task, last
        except Exception:
            log.exception("the reading client raised")
            return Reading(None, "reader-failed"), None
        finally:
            task.cancel()

    async def _find_last(self, chart: Chart, occasion: Occasion) -> LastAnswer | None:
        if not self._settings.last_card_seconds:
            return None
        return await self._parts.last.find(occasion.tenant, occasion.patient_id, chart)

    async def _last_card(
        self,
        last: LastAnswer | None,
        nothing: Outcome,
        chart: Chart,
        occasion: Occasion,
        recalling: asyncio.Task[Recalled],
    ) -> Outcome:
        """`nothing`, or in its place the patient's last card, marked, where there is one that still holds."""
        if last is None:
            return nothing
        shown = await self._shown(last.assessment, chart, replace(occasion, earlier=last.reading), recalling)
        if not shown.cards:
            return nothing
        return replace(nothing, cards=shown.cards, assessment=last.assessment, computed=last.reading.computed)

    def _keep(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> None:
        """Keep the assessment for a call that will not be read in time, after the answer."""
        computed = datetime.now(UTC)

        async def keep() -> None:
            kept = kept_assessment(assessment, chart, computed)
            await self._parts.last.keep(occasion.tenant, occasion.patient_id, kept)

        if self._settings.last_card_seconds:
            self._parts.after.start(keep())

    async def _remembered(self, outcome: Outcome, occasion: Occasion, deadline: float) -> Outcome:
        """Keep what is shown before it is: feedback about it may come at any time, also after a restart."""
        if not outcome.cards and not outcome.listed:
            return outcome
        at_most = max(deadline - time.monotonic(), self._settings.reserve_ms / 4000)
        try:
            with span("remember"):
                async with asyncio.timeout(at_most):
                    await self._parts.feedback.remember(occasion, outcome.cards, outcome.listed, datetime.now(UTC))
        except Exception:
            log.exception("shown cards could not be kept")
            answered = outcome.cards and outcome.state == "answered"
            return replace(outcome, reason=MEMORY_UNAVAILABLE) if answered else outcome
        return outcome

    def _occasion(self, request: HookRequest, service: Service, caller: Caller) -> Occasion:
        return Occasion(
            tenant=caller.tenant,
            service_id=service.id,
            hook_instance=request.instance,
            patient_id=request.context.patient_id,
            user_id=request.context.user_id,
            encounter_id=request.context.encounter_id,
            language=self._settings.language,
            fhir_server=ServerAddress.parse(request.fhir_server).text.rstrip("/") if request.fhir_server else "",
        )
