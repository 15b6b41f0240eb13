"""From a hook request to a chart: prefetch first, the FHIR server for what is missing.

Knows which keys are required, how long each may take, and what a missing one means: 412 for a required key, a notice
in `Chart.unread` for the rest. The FHIR-to-chart reading itself is nlp_core.fhir_notes, the same for both sources.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from cds_hooks.call_body import Prefetch
from cds_hooks.fhir_server import FhirFailure, FhirServer
from cds_hooks.hook_request import HookRequest
from cds_hooks.opened_charts import OpenedCharts, Source
from cds_hooks.operation_outcome import MissingData, WrongPatient
from cds_hooks.prefetch import Reason, Supply, newest, of_another_patient, supplied
from cds_hooks.services import PrefetchTemplate
from nlp_core.chart import Chart, Unread
from nlp_core.fhir_notes import AttachmentReference, BinaryContent, select_chart
from nlp_core.part_digests import remembering
from nlp_core.read_chart import ReadChart

SecurityEvent = Callable[[str], None]
"""Told of something that should not happen, in a fixed word: see security_events."""
Supplies = Mapping[PrefetchTemplate, Supply]
PROBLEMS_KEY = "problems"
DOCUMENTS_KEY = "documents"
ResultT = TypeVar("ResultT")


class OutOfTime(Exception):
    """Required data could not be fetched within the deadline."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """The bounds of gathering for one call; times are `time.monotonic()` seconds."""

    as_of: datetime
    required_by: float
    """Until then required keys are waited for ..."""
    optional_by: float
    """... and until then the others, and attachments."""
    max_entries: int
    max_attachments: int
    tenant: str
    allow_restricted: bool = False
    """True where the tenant allows what bears a restricting security label."""
    small: bool = False
    """True when what the request brought is so small that reading it stalls nobody: a thread would cost more."""


async def gather(
    request: HookRequest,
    templates: Sequence[PrefetchTemplate],
    server: FhirServer | None,
    bounds: Gathering,
    opened: OpenedCharts,
    on_security_event: SecurityEvent,
) -> Chart:
    """The chart of the request's patient, from what was `opened` before where the same prefetch brings the same again.

    `server`: None when there is no token or no server to use it at. Raises WrongPatient (400), MissingData (412)
    naming the keys, or OutOfTime.
    """
    source = _source(request, templates, server, bounds)
    chart = opened.find(source, bounds.as_of) if source else None
    if chart is None:
        read, fetched = await _gathered(request, templates, server, bounds, on_security_event)
        if source and not fetched:
            opened.keep(source, read)
        chart = read.chart
    if any(notice.reason == "other-patient" for notice in chart.unread):
        on_security_event("other-patient-resource")
    return chart


def _source(
    request: HookRequest, templates: Sequence[PrefetchTemplate], server: FhirServer | None, bounds: Gathering
) -> Source | None:
    """None where the prefetch's bytes are not known."""
    if not isinstance(request.prefetch, Prefetch):
        return None
    return Source(
        tenant=bounds.tenant,
        mark=request.prefetch.mark,
        patient_id=request.context.patient_id,
        base_url=request.fhir_server or "",
        templates=tuple(templates),
        allow_restricted=bounds.allow_restricted,
        served=server is not None,
    )


async def _gathered(
    request: HookRequest,
    templates: Sequence[PrefetchTemplate],
    server: FhirServer | None,
    bounds: Gathering,
    on_security_event: SecurityEvent,
) -> tuple[ReadChart, bool]:
    """The chart, and whether anything of it came, or should have come, from the server."""
    patient_id = request.context.patient_id
    if isinstance(request.prefetch, Prefetch):
        await _done(request.prefetch.read, bounds.small)
    supplies: Supplies = {template: supplied(template, request.prefetch) for template in templates}
    if any(of_another_patient(supply, patient_id) for supply in supplies.values()):
        on_security_event("wrong-patient-prefetch")
        raise WrongPatient("The prefetched Patient is not context.patientId.", expression=["prefetch.patient"])
    prefetched = supplies
    if server:
        supplies = await _completed(supplies, patient_id, server, bounds)
    fetched = any(supply is not prefetched[template] for template, supply in supplies.items())
    supplies = {
        template: _of_this_patient(newest(supply, bounds.max_entries), patient_id, on_security_event)
        for template, supply in supplies.items()
    }
    _require(supplies)
    read, attached = await _read(request, supplies, server, replace(bounds, small=bounds.small and not fetched))
    chart = remembering(_with_notices(read.chart, supplies))
    return replace(read, chart=chart), fetched or attached


async def _completed(supplies: Supplies, patient_id: str, server: FhirServer, bounds: Gathering) -> Supplies:
    """`supplies` with everything missing fetched, all at once."""

    async def one(template: PrefetchTemplate, supply: Supply) -> Supply:
        by = bounds.required_by if template.required else bounds.optional_by
        if not supply.wanted:
            return await server.follow(template, supply, by=by)
        try:
            return await server.fetch(template, patient_id, by=by)
        except FhirFailure as failure:
            return Supply("failed", reason=failure.reason)

    completed = await asyncio.gather(*(one(template, supply) for template, supply in supplies.items()))
    return dict(zip(supplies, completed, strict=True))


def _of_this_patient(supply: Supply, patient_id: str, on_security_event: SecurityEvent) -> Supply:
    """A server that answers with another Patient is not believed; its other resources are filtered by their subject."""
    if not of_another_patient(supply, patient_id):
        return supply
    on_security_event("wrong-patient-fetched")
    return Supply("failed", reason="not-available")


def _require(supplies: Supplies) -> None:
    missing = [template.key for template, supply in supplies.items() if template.required and supply.state != "read"]
    if any(supply.reason == "deadline" for template, supply in supplies.items() if template.key in missing):
        raise OutOfTime
    if missing:
        raise _missing(missing, "could not be had from the prefetch or from the FHIR server")


def _missing(keys: Iterable[str], how: str) -> MissingData:
    keys = list(keys)
    named = ", ".join(f"'{key}'" for key in keys)
    return MissingData(
        "Required data is missing.",
        diagnostics=f"Prefetch key {named} {how}.",
        expression=[f"prefetch.{key}" for key in keys],
    )


async def _read(
    request: HookRequest, supplies: Supplies, server: FhirServer | None, bounds: Gathering
) -> tuple[ReadChart, bool]:
    """The chart, and whether the server was asked for attachments."""
    bundles = [supply.bundle for supply in supplies.values() if supply.entries]
    patient_id, base_url = request.context.patient_id, request.fhir_server or ""
    selected = await _done(
        lambda: select_chart(
            bundles,
            patient_id=patient_id,
            as_of=bounds.as_of,
            base_url=base_url,
            allow_restricted=bounds.allow_restricted,
        ),
        bounds.small,
    )
    wanted = await _done(selected.attachment_urls, bounds.small)
    binaries, late = await _fetch_attachments(wanted, server, bounds)
    read = await _done(lambda: selected.read(binaries), bounds.small and not binaries)
    if not read.chart.notes and len(binaries) < len(wanted):
        # There are documents, but not one could be read: an empty answer would look like an empty chart.
        if late:
            raise OutOfTime
        raise _missing([DOCUMENTS_KEY], "holds attachments by URL that could not be fetched")
    return read, bool(server and wanted)


async def _done(work: Callable[[], ResultT], small: bool) -> ResultT:
    """A chart of several MB takes a while to read; a thread keeps the other calls moving."""
    return work() if small else await asyncio.to_thread(work)


async def _fetch_attachments(
    wanted: Sequence[AttachmentReference], server: FhirServer | None, bounds: Gathering
) -> tuple[dict[str, BinaryContent], bool]:
    """What could be fetched, by URL, and whether time was what stopped the rest."""
    if not server:
        return {}, False
    reasons: set[Reason] = set()

    async def one(reference: AttachmentReference) -> tuple[str, BinaryContent | None]:
        try:
            by = bounds.optional_by
            return reference.url, await server.attachment(reference.url, reference.content_type, by=by)
        except FhirFailure as failure:
            reasons.add(failure.reason)
            return reference.url, None

    fetched = await asyncio.gather(*(one(reference) for reference in wanted[: bounds.max_attachments]))
    return {url: content for url, content in fetched if content is not None}, "deadline" in reasons


def _with_notices(chart: Chart, supplies: Supplies) -> Chart:
    """`chart` saying which keys are missing, wholly or in part. What single resources lack is said already."""
    counts: Counter[tuple[str, str]] = Counter()
    for template, supply in supplies.items():
        if supply.reason:
            # A key that came too late was not fetched; that is all a reader of the card needs.
            counts[template.key, "not-fetched" if supply.reason == "deadline" else supply.reason] += 1
        if supply.over_limit:
            counts[template.key, "over-limit"] += supply.over_limit
    notices = tuple(Unread(what=what, reason=reason, count=count) for (what, reason), count in counts.items())
    problems = [supply for template, supply in supplies.items() if template.key == PROBLEMS_KEY]
    complete = all(supply.state == "read" and not supply.reason for supply in problems)
    return chart.model_copy(
        update={"unread": chart.unread + notices, "problems_available": chart.problems_available and complete}
    )
