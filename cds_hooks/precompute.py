"""Has a chart read before anybody opens it: answers a hook at once, without a card, and gathers and hands over afterwards.

Input : a call of `encounter-start` or `appointment-book`, or a chart that a FHIR server's notification named
Output: an answer without cards whose status says `silent` and why: `precomputing`, or what it was dropped for
Knows when to drop a chart: nobody waits for it, and whatever fails here is met again, and told, when the chart is opened.
The token of the call is used for at most PRECOMPUTE_SECONDS and goes nowhere else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cds_hooks.after_answers import AfterAnswers
from cds_hooks.fhir_access import server_for
from cds_hooks.fhir_server import FhirServer
from cds_hooks.gather_notes import Gathering, OutOfTime, gather
from cds_hooks.hook_request import AppointmentBookContext, HookRequest, PatientViewContext
from cds_hooks.kept_answers import Answer
from cds_hooks.opened_charts import OpenedCharts
from cds_hooks.operation_outcome import Refusal
from cds_hooks.outbound import Outbound
from cds_hooks.outcome import Outcome, answer_of
from cds_hooks.security_events import security_event
from cds_hooks.services import PATIENT_VIEW
from cds_hooks.settings import Settings
from cds_hooks.switched_cards import SWITCHED_OFF
from cds_hooks.trust import Caller
from cds_hooks.watch import PRECOMPUTED
from nlp_core.fhir_dates import moment
from worker.client import ReadingClient
from worker.tracing import span

log = logging.getLogger("dxspan.precompute")

PRECOMPUTE_SECONDS = 10.0
"""Time to gather a chart that nobody waits for."""
MOST_AT_ONCE = 4
"""Charts gathered at a time, beyond which the next one is dropped."""
SOON = timedelta(hours=4)
"""A visit later than this is not read for yet: what is read now would be forgotten by then (sentence_seconds)."""

Source = Callable[[float], Awaitable[tuple[HookRequest, FhirServer | None]]]
"""Given until when (`time.monotonic()` seconds), what to gather, and the server to gather from. May raise Refusal."""

PRECOMPUTING, NOT_SOON, SHED = "precomputing", "not-soon", "shed"


@dataclass(slots=True)
class Precomputing:
    """Takes calls that ask for a reading ahead."""

    settings: Settings
    client: ReadingClient
    outbound: Outbound
    opened: OpenedCharts
    after: AfterAnswers
    all_off: Callable[[str], bool]
    """Is nothing to be read for this tenant?"""
    in_hand: int = 0

    def answer(self, request: HookRequest, caller: Caller, arrived: float, *, busy: bool) -> Answer:
        """The answer, at once. busy: charts that somebody opened wait. Raises BadRequest or Forbidden."""
        server = server_for(request, caller, self.settings, self.outbound)

        async def source(by: float) -> tuple[HookRequest, FhirServer | None]:
            del by
            return request, server

        outcome = Outcome("silent", self.begin(caller.tenant, source, context=request.context, busy=busy))
        return answer_of(outcome, arrived, tenant=caller.tenant, hookInstance=str(request.instance))

    def begin(
        self, tenant: str, source: Source, *, context: PatientViewContext | None = None, busy: bool = False
    ) -> str:
        """Begin to read what `source` gives, or drop it: PRECOMPUTING, or the reason. context: of a hook."""
        reason = self._why_not(tenant, context, busy) or PRECOMPUTING
        if reason == PRECOMPUTING:
            self.in_hand += 1
            self.after.start(self._read(tenant, source))
        else:
            PRECOMPUTED.labels(reason).inc()
        return reason

    def _why_not(self, tenant: str, context: PatientViewContext | None, busy: bool) -> str | None:
        if self.all_off(tenant):
            return SWITCHED_OFF
        if isinstance(context, AppointmentBookContext) and not soon(context.appointments, datetime.now(UTC)):
            return NOT_SOON
        return SHED if busy or self.in_hand >= MOST_AT_ONCE else None

    async def _read(self, tenant: str, source: Source) -> None:
        try:
            PRECOMPUTED.labels(await self._handed_over(tenant, source)).inc()
        except Refusal:
            PRECOMPUTED.labels("no-data").inc()
        except OutOfTime:
            PRECOMPUTED.labels("deadline").inc()
        except Exception as error:  # its text may quote the chart: only its type is told
            PRECOMPUTED.labels("failed").inc()
            log.error("a chart could not be read ahead: %s", type(error).__name__)
        finally:
            self.in_hand -= 1

    async def _handed_over(self, tenant: str, source: Source) -> str:
        until = time.monotonic() + PRECOMPUTE_SECONDS
        request, server = await source(until)

        def on_security_event(kind: str) -> None:
            security_event(kind, tenant=tenant, hookInstance=str(request.instance))

        bounds = Gathering(
            as_of=datetime.now(UTC),
            required_by=until,
            optional_by=until,
            max_entries=self.settings.max_entries,
            max_attachments=self.settings.max_attachments,
            tenant=tenant,
            allow_restricted=tenant in self.settings.restricted_tenants,
        )
        with span("gather notes"):
            chart = await gather(request, PATIENT_VIEW.prefetch, server, bounds, self.opened, on_security_event)
        return "handed-over" if await self.client.precompute(chart, tenant=tenant) else SHED


def soon(appointments: Mapping[str, Any], now: datetime) -> bool:
    """Does one of the Bundle's appointments begin by SOON from `now`, or say no time that can be read?"""
    starts = list(_starts(appointments))
    return not starts or any(start is None or now - SOON <= start <= now + SOON for start in starts)


def _starts(appointments: Mapping[str, Any]) -> Iterator[datetime | None]:
    entries = appointments.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Appointment":
            yield moment(resource.get("start"))
