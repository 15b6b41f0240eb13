"""The main path: gather the chart, have it read, build the cards, and say what came of it.

Knows the order of the steps and the deadline. An answer is always 200 with `cards`; when there are none, or when
something was not available, `extension["org.dxspan.status"]` says which and why in fixed words, so that a failure is
never mistaken for "nothing found":

    answered   cards; memory-unavailable: what became of earlier suggestions was not known, or will not be
    silent     read, and nothing to show: the assessment's reason, or the card builder's
    degraded   not read: deadline, queue-unavailable, reader-failed, loading, overloaded, cards-failed
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from cds_hooks.audit_notes import Computed, audit_notes
from cds_hooks.build_cards import EXTENSION
from cds_hooks.feedback import FeedbackStore
from cds_hooks.fhir_access import server_for
from cds_hooks.fhir_server import FhirServer
from cds_hooks.gather_notes import Gathering, OutOfTime, gather
from cds_hooks.hook_request import HookRequest
from cds_hooks.json_log import log_event
from cds_hooks.kept_answers import Answer
from cds_hooks.occasion import BuiltCards, CardMaker, Occasion
from cds_hooks.outbound import Outbound
from cds_hooks.security_events import security_event
from cds_hooks.server_address import ServerAddress
from cds_hooks.services import Service
from cds_hooks.settings import Settings
from cds_hooks.suggestion_memory import Recalled
from cds_hooks.switched_cards import SWITCHED_OFF
from cds_hooks.switches import NOTHING_SWITCHED, Switches
from cds_hooks.trust import Caller
from cds_hooks.watch import ANSWER_SECONDS, ANSWERS
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart, Unread
from worker.client import ReadingClient

log = logging.getLogger("dxspan.answers")

STATUS_EXTENSION = "org.dxspan.status"
OPTIONAL_SHARE = 0.5
"""Share of the time that optional data may take; the rest is for reading."""

MEMORY_UNAVAILABLE = "memory-unavailable"

State = Literal["answered", "silent", "degraded"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call."""

    state: State
    reason: str = ""
    cards: Sequence[BaseModel] = ()
    unread: tuple[Unread, ...] = ()
    """What of the chart was not read."""
    listed: tuple[str, ...] = ()
    """Diagnoses accepted earlier and now on the problem list."""
    assessment: Assessment | None = None
    """What it rests on; None where nothing was read."""


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
        switches: Callable[[], Switches] = lambda: NOTHING_SWITCHED,
    ) -> None:
        """switches: those in force now."""
        self._settings = settings
        self._client = client
        self._cards = cards
        self._feedback = feedback
        self._outbound = outbound
        self._switches = switches

    async def answer(
        self, request: HookRequest, service: Service, caller: Caller, arrived: float, *, small: bool = False
    ) -> Answer:
        """The body for `request`, which arrived at `arrived` (`time.monotonic()` seconds); `small`: see Gathering.

        Raises BadRequest, Forbidden or MissingData; every fault of our own is a degraded answer.
        """
        server = server_for(request, caller, self._settings, self._outbound)
        occasion, bounds = self._occasion(request, service, caller), self._bounds(arrived, small)
        outcome = await self._outcome(request, service, occasion, server, bounds)
        outcome = await self._remembered(outcome, occasion, bounds.required_by)
        ANSWERS.labels(outcome.state, outcome.reason).inc()
        ANSWER_SECONDS.observe(time.monotonic() - arrived)
        unread = sum(notice.count for notice in outcome.unread)
        log_event(
            log,
            "answer",
            level=logging.WARNING if outcome.state == "degraded" else logging.INFO,
            tenant=caller.tenant,
            hookInstance=str(request.instance),
            state=outcome.state,
            reason=outcome.reason or None,
            cards=len(outcome.cards),
            unread=unread,
        )
        return Answer(_body(outcome), keep=outcome.state != "degraded", computed=_computed(outcome))

    def _bounds(self, arrived: float, small: bool) -> Gathering:
        seconds = (self._settings.deadline_ms - self._settings.reserve_ms) / 1000
        return Gathering(
            as_of=datetime.now(UTC),
            required_by=arrived + seconds,
            optional_by=arrived + seconds * OPTIONAL_SHARE,
            max_entries=self._settings.max_entries,
            max_attachments=self._settings.max_attachments,
            small=small,
        )

    async def _outcome(
        self, request: HookRequest, service: Service, occasion: Occasion, server: FhirServer | None, bounds: Gathering
    ) -> Outcome:
        if self._switches().tenant_off(occasion.tenant):
            return Outcome("silent", SWITCHED_OFF)

        def on_security_event(kind: str) -> None:
            security_event(kind, tenant=occasion.tenant, hookInstance=str(request.instance))

        try:
            chart = await gather(request, service.prefetch, server, bounds, on_security_event)
        except OutOfTime:
            return Outcome("degraded", "deadline")
        # The reader keeps the deadline itself; this is the belt to its braces.
        at_most = max(bounds.required_by - time.monotonic(), 0) + self._settings.reserve_ms / 2000
        try:
            async with asyncio.timeout(at_most):
                return await self._read(chart, occasion, bounds.required_by)
        except TimeoutError:
            return Outcome("degraded", "deadline", unread=chart.unread)

    async def _read(self, chart: Chart, occasion: Occasion, deadline: float) -> Outcome:
        """Reads and remembers at the same time: neither waits for the other."""
        recalling = asyncio.create_task(self._feedback.recall(occasion, by=deadline))
        try:
            return await self._answered(chart, occasion, recalling, deadline)
        finally:
            recalling.cancel()

    async def _answered(
        self, chart: Chart, occasion: Occasion, recalling: asyncio.Task[Recalled], deadline: float
    ) -> Outcome:
        try:
            reading = await self._client.read(chart, tenant=occasion.tenant, deadline=deadline)
        except Exception:
            log.exception("the reading client raised")
            return Outcome("degraded", "reader-failed", unread=chart.unread)
        if reading.assessment is None:
            return Outcome("degraded", reading.degraded or "reader-failed", unread=chart.unread)
        if reading.assessment.silence:
            return Outcome("silent", reading.assessment.silence, (), chart.unread, assessment=reading.assessment)
        try:
            recalled = await recalling
            built = await self._cards(reading.assessment, chart, replace(occasion, recalled=recalled))
        except Exception:
            log.exception("the cards could not be built")
            return Outcome("degraded", "cards-failed", (), chart.unread, assessment=reading.assessment)
        return _built(built, chart, recalled, reading.assessment)

    async def _remembered(self, outcome: Outcome, occasion: Occasion, deadline: float) -> Outcome:
        """Keep what is shown before it is: feedback about it may come at any time, also after a restart."""
        if not outcome.cards and not outcome.listed:
            return outcome
        at_most = max(deadline - time.monotonic(), self._settings.reserve_ms / 4000)
        try:
            async with asyncio.timeout(at_most):
                await self._feedback.remember(occasion, outcome.cards, outcome.listed, datetime.now(UTC))
        except Exception:
            log.exception("shown cards could not be kept")
            return replace(outcome, reason=MEMORY_UNAVAILABLE) if outcome.cards else outcome
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


def _built(built: BuiltCards, chart: Chart, recalled: Recalled, assessment: Assessment) -> Outcome:
    if built.cards:
        reason = "" if recalled.available else MEMORY_UNAVAILABLE
        return Outcome("answered", reason, built.cards, chart.unread, built.listed, assessment)
    return Outcome("silent", built.silence or "no-card", (), chart.unread, built.listed, assessment)


def _computed(outcome: Outcome) -> Computed:
    """What the audit trail keeps of an outcome: ids and counts, no words of the chart."""
    read = outcome.assessment
    shown = [(getattr(card, "extension", None) or {}).get(EXTENSION, {}) for card in outcome.cards]
    return Computed(
        event=audit_notes().id,
        state=outcome.state,
        reason=outcome.reason,
        model_version=read.model_version if read else "",
        knowledge_version=read.knowledge_version if read else "",
        considered=tuple(candidate.diagnosis for candidate in read.candidates) if read else (),
        shown=tuple(diagnosis["id"] for extension in shown for diagnosis in extension.get("diagnoses", ())),
        cards=tuple(str(getattr(card, "uuid", "")) for card in outcome.cards),
        evidence_hash=next((extension["evidenceHash"] for extension in shown if extension), ""),
        notes_read=read.notes_read if read else 0,
        unread=sum(notice.count for notice in outcome.unread),
    )


def degraded_body(reason: str) -> bytes:
    """The body of an answer that says no more than why there is none."""
    return _body(Outcome("degraded", reason))


def _body(outcome: Outcome) -> bytes:
    status: dict[str, Any] = {"state": outcome.state}
    if outcome.reason:
        status["reason"] = outcome.reason
    if outcome.unread:
        status["unread"] = [notice.model_dump() for notice in outcome.unread]
    cards = [card.model_dump(mode="json", by_alias=True, exclude_none=True) for card in outcome.cards]
    return orjson.dumps({"cards": cards, "extension": {STATUS_EXTENSION: status}})
