"""The main path: gather the chart, have it read, build the cards, and say what came of it.

Knows the order of the steps and the deadline. An answer is always 200 with `cards`; when there are none, or when
something was not available, `extension["org.dxspan.status"]` says which and why in fixed words, so that a failure is
never mistaken for "nothing found":

    answered   cards, or part of them
    silent     read, and nothing to show: the assessment's reason, or the card builder's
    degraded   not read: deadline, queue-unavailable, reader-failed, loading, overloaded, cards-failed; where the
               patient's last card stands in, `computed` says when it was made
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from cds_hooks.feedback import FeedbackStore
from cds_hooks.fhir_access import server_for
from cds_hooks.fhir_server import FhirServer
from cds_hooks.gather_notes import Gathering, OutOfTime, gather
from cds_hooks.hook_request import HookRequest
from cds_hooks.json_log import Value, log_event
from cds_hooks.kept_answers import Answer
from cds_hooks.last_answers import LastAnswer, LastAnswers, kept_assessment
from cds_hooks.occasion import BuiltCards, CardMaker, Occasion
from cds_hooks.outbound import Outbound
from cds_hooks.security_events import security_event
from cds_hooks.services import Service
from cds_hooks.settings import Settings
from cds_hooks.trust import Caller
from cds_hooks.watch import ANSWER_SECONDS, ANSWERS, LAST_CARDS
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart, Unread
from worker.client import Reading, ReadingClient

log = logging.getLogger("dxspan.answers")

STATUS_EXTENSION = "org.dxspan.status"
OPTIONAL_SHARE = 0.5
"""Share of the time that optional data may take; the rest is for reading."""

WRITING_SECONDS = 0.004
"""Time kept for the answer of each other call in hand: those that fall due together are written one after the other."""
MOST_KEPT_SHARE = 0.5
"""Share of the time that may be kept for the answers of others."""

State = Literal["answered", "silent", "degraded"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call."""

    state: State
    reason: str = ""
    cards: Sequence[BaseModel] = ()
    unread: tuple[Unread, ...] = ()
    """What of the chart was not read."""
    computed: datetime | None = None
    """When the cards were computed, where they stand in for a reading that did not come."""


class HookResponse(BaseModel):
    """The body of a 200: CDS Hooks' response, with our status in its extension. Describes what `_body` writes."""

    cards: list[dict[str, Any]]
    extension: dict[str, Any]


class Answering:
    """Answers hook calls with the parts it is given."""

    def __init__(
        self,
        settings: Settings,
        client: ReadingClient,
        cards: CardMaker,
        feedback: FeedbackStore,
        outbound: Outbound,
        last: LastAnswers,
    ) -> None:
        self._settings = settings
        self._client = client
        self._cards = cards
        self._feedback = feedback
        self._outbound = outbound
        self._last = last
        self._in_hand = 0
        self._remembering: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Finish what goes on after answers."""
        await asyncio.gather(*self._remembering)

    async def answer(
        self, request: HookRequest, service: Service, caller: Caller, arrived: float, *, small: bool = False
    ) -> Answer:
        """The body for `request`, which arrived at `arrived` (`time.monotonic()` seconds); `small`: see Gathering.

        Raises BadRequest, Forbidden or MissingData; every fault of our own is a degraded answer.
        """
        server = server_for(request, caller, self._settings, self._outbound)
        bounds = self._bounds(arrived, small)
        self._in_hand += 1
        try:
            outcome = await self._outcome(request, service, caller, server, bounds)
        finally:
            self._in_hand -= 1
        return _counted(outcome, arrived, tenant=caller.tenant, hookInstance=str(request.instance))

    def shed(self, caller: Caller, arrived: float) -> Answer:
        """For a call whose turn came too late: nothing of it was looked at."""
        return _counted(Outcome("degraded", "overloaded"), arrived, tenant=caller.tenant)

    def _bounds(self, arrived: float, small: bool) -> Gathering:
        seconds = (self._settings.deadline_ms - self._settings.reserve_ms) / 1000
        seconds -= min(self._in_hand * WRITING_SECONDS, seconds * MOST_KEPT_SHARE)
        return Gathering(
            as_of=datetime.now(UTC),
            required_by=arrived + seconds,
            optional_by=arrived + seconds * OPTIONAL_SHARE,
            max_entries=self._settings.max_entries,
            max_attachments=self._settings.max_attachments,
            small=small,
        )

    async def _outcome(
        self, request: HookRequest, service: Service, caller: Caller, server: FhirServer | None, bounds: Gathering
    ) -> Outcome:
        def on_security_event(kind: str) -> None:
            security_event(kind, tenant=caller.tenant, hookInstance=str(request.instance))

        try:
            chart = await gather(request, service.prefetch, server, bounds, on_security_event)
        except OutOfTime:
            return Outcome("degraded", "deadline")
        # The reader keeps the deadline itself; this is the belt to its braces.
        at_most = max(bounds.required_by - time.monotonic(), 0) + self._settings.reserve_ms / 2000
        try:
            async with asyncio.timeout(at_most):
                return await self._read(chart, self._occasion(request, service, caller), bounds.required_by)
        except TimeoutError:
            return Outcome("degraded", "deadline", unread=chart.unread)

    async def _read(self, chart: Chart, occasion: Occasion, deadline: float) -> Outcome:
        reading, last = await self._reading_and_last(chart, occasion, deadline)
        if reading.assessment is None:
            return await self._last_card(last, chart, occasion, reading.degraded or "reader-failed")
        self._keep(reading.assessment, chart, occasion)
        if reading.assessment.silence:
            return Outcome("silent", reading.assessment.silence, unread=chart.unread)
        try:
            built = await self._cards(reading.assessment, chart, occasion)
        except Exception:
            log.exception("the cards could not be built")
            return Outcome("degraded", "cards-failed", unread=chart.unread)
        if built.cards:
            self._remember(built.cards, occasion)
        return _built(built, chart)

    async def _reading_and_last(
        self, chart: Chart, occasion: Occasion, deadline: float
    ) -> tuple[Reading, LastAnswer | None]:
        """The reading, and the patient's last answer where the reading failed. Looked up while there is time for it."""
        task = asyncio.ensure_future(self._client.read(chart, tenant=occasion.tenant, deadline=deadline))
        try:
            await asyncio.wait({task}, timeout=max(0.0, (deadline - time.monotonic()) / 2))
            failed = task.done() and (task.exception() or task.result().assessment is None)
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
        return await self._last.find(occasion.tenant, occasion.patient_id, chart)

    async def _last_card(self, last: LastAnswer | None, chart: Chart, occasion: Occasion, reason: str) -> Outcome:
        """Not read, for `reason`: the patient's last card, marked, where there is one that still holds."""
        nothing = Outcome("degraded", reason, unread=chart.unread)
        if last is None:
            return nothing
        try:
            built = await self._cards(last.assessment, chart, replace(occasion, earlier=last.reading))
        except Exception:
            log.exception("the last card could not be shown")
            return nothing
        if not built.cards:
            return nothing
        self._remember(built.cards, occasion)
        LAST_CARDS.inc()
        return replace(nothing, cards=built.cards, computed=last.reading.computed)

    def _keep(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> None:
        """Keep the assessment for a call that will not be read in time, after the answer."""
        computed = datetime.now(UTC)

        async def keep() -> None:
            kept = kept_assessment(assessment, chart, computed)
            await self._last.keep(occasion.tenant, occasion.patient_id, kept)

        if self._settings.last_card_seconds:
            self._afterwards(keep())

    def _afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._remembering.add(task)
        task.add_done_callback(self._remembering.discard)

    def _remember(self, cards: Sequence[BaseModel], occasion: Occasion) -> None:
        """Tell the feedback store what is shown, after the answer: nobody gives feedback faster than that."""

        async def remember() -> None:
            try:
                await self._feedback.remember(occasion.tenant, occasion.service_id, cards, datetime.now(UTC))
            except Exception:
                log.exception("shown cards could not be kept")

        self._afterwards(remember())

    def _occasion(self, request: HookRequest, service: Service, caller: Caller) -> Occasion:
        return Occasion(
            tenant=caller.tenant,
            service_id=service.id,
            hook_instance=request.instance,
            patient_id=request.context.patient_id,
            user_id=request.context.user_id,
            encounter_id=request.context.encounter_id,
            language=self._settings.language,
        )


def _counted(outcome: Outcome, arrived: float, **fields: Value) -> Answer:
    """The answer for an outcome, after its metrics and its line in the log."""
    ANSWERS.labels(outcome.state, outcome.reason).inc()
    ANSWER_SECONDS.observe(time.monotonic() - arrived)
    log_event(
        log,
        "answer",
        level=logging.WARNING if outcome.state == "degraded" else logging.INFO,
        state=outcome.state,
        reason=outcome.reason or None,
        cards=len(outcome.cards),
        unread=sum(notice.count for notice in outcome.unread),
        **fields,
    )
    return Answer(_body(outcome), keep=outcome.state != "degraded")


def _built(built: BuiltCards, chart: Chart) -> Outcome:
    if built.cards:
        return Outcome("answered", cards=built.cards, unread=chart.unread)
    return Outcome("silent", built.silence or "no-card", unread=chart.unread)


def _body(outcome: Outcome) -> bytes:
    status: dict[str, Any] = {"state": outcome.state}
    if outcome.reason:
        status["reason"] = outcome.reason
    if outcome.computed:
        status["computed"] = outcome.computed.isoformat(timespec="seconds")
    if outcome.unread:
        status["unread"] = [notice.model_dump() for notice in outcome.unread]
    cards = [card.model_dump(mode="json", by_alias=True, exclude_none=True) for card in outcome.cards]
    return orjson.dumps({"cards": cards, "extension": {STATUS_EXTENSION: status}})
