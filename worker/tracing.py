"""Spans of the way of one chart, for OpenTelemetry: how long each step took, and nothing of what it was about.

Input : names of steps and the few attributes listed in `Attribute`, from whoever does a step
Output: OTLP over HTTP to where the standard `OTEL_*` variables say; from one process to the next a W3C `traceparent` alone
Off unless `start_tracing` was called: then OpenTelemetry is not even imported, and a step costs one comparison. Holds the
process's one tracer, as a log or a metric would be held; it is no global one, so that no library that instruments itself
(with URLs, bodies, SQL or Redis commands) sends anything through it. Of an exception its class is told, never its text.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from worker.payloads import Sealer

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

log = logging.getLogger(__name__)

Attribute = Literal[
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
    "dxspan.tenant",
    "dxspan.service",
    "dxspan.state",
    "dxspan.reason",
    "dxspan.outcome",
    "dxspan.cards",
    "dxspan.notes",
    "dxspan.unread",
    "dxspan.cached",
    "dxspan.waiting",
]
"""All that a span may say besides its name and times; whatever else is given is dropped. `dxspan.tenant` is a keyed mark."""
Kind = Literal["INTERNAL", "SERVER", "PRODUCER", "CONSUMER"]
Value = str | int | float | bool
Carrier = dict[str, str]

ALLOWED = frozenset(get_args(Attribute))
_WORD = re.compile(r"[A-Za-z0-9_.+/{}-]{1,64}")
"""What a text among attributes may look like: a word of our own, a route's template, a class, a mark."""
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
MARK_DIGITS = 16
END_SECONDS = 2.0
"""A process that ends waits no longer than this for a receiver that hangs."""
_NOTHING: AbstractContextManager[None] = nullcontext()


@dataclass(frozen=True, slots=True)
class _Tracing:
    tracer: Tracer
    provider: TracerProvider
    sealer: Sealer | None


_tracing: _Tracing | None = None
_came_from: ContextVar[Context | None] = ContextVar("dxspan_came_from", default=None)


def start_tracing(service: str, sealer: Sealer | None = None) -> None:
    """Send spans from here on, as `service` (`dxspan-serve`, `dxspan-worker`) unless OTEL_SERVICE_NAME says otherwise.

    sealer: makes the marks of tenants; None = spans name no tenant. Sending goes on in a thread of its own: a receiver that
    is away, slow or hanging costs spans, never an answer.
    """
    global _tracing
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # Of what a process could tell of itself only its kind and what the operator wrote: no command line, no user, no host.
    resource = Resource({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracing = _Tracing(provider.get_tracer("dxspan"), provider, sealer)
    log.info("spans are sent by OTLP over HTTP")


def end_tracing(seconds: float = END_SECONDS) -> None:
    """Send what is left, within `seconds`, and stop."""
    global _tracing
    if _tracing is None:
        return
    ending = threading.Thread(target=_tracing.provider.shutdown, name="dxspan-last-spans", daemon=True)
    _tracing = None
    ending.start()
    ending.join(seconds)


def tracing_on() -> bool:
    """Are spans sent?"""
    return _tracing is not None


def span(name: str, *, kind: Kind = "INTERNAL", parent: Carrier | None = None) -> AbstractContextManager[None]:
    """A step called `name` (fixed words of ours) for as long as the context lasts, inside the step under way.

    parent: what `carried` gave in the process before; None = the step under way here.
    """
    return _NOTHING if _tracing is None else _span(_tracing.tracer, name, kind, parent)


def passed(name: str, seconds: float) -> None:
    """A step that has just ended and took `seconds`, beside the one that a `parent` was given for."""
    if _tracing is None:
        return
    now = time.time_ns()
    begun = now - int(max(0.0, seconds) * 1e9)
    _tracing.tracer.start_span(name, context=_came_from.get(), start_time=begun).end(now)


def note(attributes: Mapping[Attribute, Value | None]) -> None:
    """Tell these of the step under way; what is None, not allowed or looks like free text is left out."""
    if _tracing is None:
        return
    from opentelemetry.trace import get_current_span

    _set(get_current_span(), attributes)


def note_tenant(tenant: str) -> None:
    """Tell whose call the step under way is, as a mark that only the holder of the queue key can make."""
    if _tracing is not None and _tracing.sealer:
        note({"dxspan.tenant": _tracing.sealer.mark("tenant of a span", tenant)[:MARK_DIGITS]})


def carried() -> Carrier:
    """What a message takes along so that its receiver's steps belong to the one under way here; empty while off."""
    if _tracing is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: Carrier = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {"traceparent": carrier["traceparent"]} if "traceparent" in carrier else {}


@contextmanager
def _span(tracer: Tracer, name: str, kind: Kind, parent: Carrier | None) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    context = _context_of(parent) if parent is not None else None
    told = _came_from.set(context) if parent is not None else None
    try:
        with tracer.start_as_current_span(
            name, context=context, kind=SpanKind[kind], record_exception=False, set_status_on_exception=False
        ) as under_way:
            try:
                yield
            except BaseException as error:
                _set(under_way, {"error.type": type(error).__name__})
                under_way.set_status(Status(StatusCode.ERROR))
                raise
    finally:
        if told:
            _came_from.reset(told)


def _context_of(carrier: Carrier) -> Context:
    """Of the step that sent a message; an empty one, and so a trace of its own, where none or nonsense was sent."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    header = carrier.get("traceparent")
    if not isinstance(header, str) or not _TRACEPARENT.fullmatch(header):
        return Context()
    return TraceContextTextMapPropagator().extract({"traceparent": header}, context=Context())


def _set(one: Span, attributes: Mapping[Attribute, Value | None]) -> None:
    for name, value in attributes.items():
        fits = isinstance(value, (int, float)) or (isinstance(value, str) and _WORD.fullmatch(value))
        if name in ALLOWED and value is not None and fits:
            one.set_attribute(name, value)
