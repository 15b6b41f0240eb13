"""Joins the parts of the web process.

Knows who needs whom, and what is opened at start and closed at the end. Knows no rule of its own.
"""

from __future__ import annotations

import asyncio
import base64
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, cast

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from cds_hooks.after_answers import AfterAnswers
from cds_hooks.answer import Answering, AnswerParts
from cds_hooks.api_document import describe
from cds_hooks.audit.chain import audit_keys
from cds_hooks.audit.requests import Auditing, AuditRequests
from cds_hooks.audit.trail import AuditTrail, trail_of
from cds_hooks.build_cards import CardBuilder
from cds_hooks.cors import Cors
from cds_hooks.demo_ehr.registered_viewer import with_demo_viewer
from cds_hooks.kept_answers import KeptAnswers
from cds_hooks.key_sets import KeySets
from cds_hooks.last_answers import LastAnswers, MemoryLastAnswers
from cds_hooks.memory.acceptance import Muting
from cds_hooks.memory.counted_readings import CountedReadings
from cds_hooks.memory.durable_feedback import DurableFeedback
from cds_hooks.memory.feedback import FeedbackStore
from cds_hooks.memory.late_feedback_store import LateFeedbackStore
from cds_hooks.memory.outbox import Outbox
from cds_hooks.memory.suppression import Suppression
from cds_hooks.occasion import CardMaker
from cds_hooks.operation_outcome import Refusal, on_http_exception, on_refusal
from cds_hooks.outbound import Outbound
from cds_hooks.pages import pages
from cds_hooks.precompute import Precomputing
from cds_hooks.quota import Quota
from cds_hooks.replay_store import ReplayStore, replay_store
from cds_hooks.request_log import RequestLog
from cds_hooks.request_spans import RequestSpans
from cds_hooks.routes import MANY_CALLS, Parts, Routes
from cds_hooks.settings import Settings
from cds_hooks.summary_cards import CardsOfService, SummaryCards
from cds_hooks.switched_answers import SwitchedAnswers
from cds_hooks.switched_cards import SwitchedCards
from cds_hooks.switches_file import SwitchBoard
from cds_hooks.transparency.pages import TransparencyPages
from cds_hooks.trust import Trust
from cds_hooks.viewer.viewer_store import MemoryViewerStore, ViewerStore
from worker.client import AskingClient, ReadingClient
from worker.payloads import Sealer
from worker.tracing import tracing_on

if TYPE_CHECKING:
    from cds_hooks.memory.feedback_store import SqlFeedbackStore
    from cds_hooks.operators.pages import OperatorsPage
    from cds_hooks.viewer.joined import Viewer

FIRST_CARD_NEEDS = tuple(f"fhir.resources.R4B.{name}" for name in ("condition", "device", "provenance"))
"""Take half a second to import: done beside serving, so that neither the start nor the first card waits for it."""


def create_app(
    settings: Settings,
    client: ReadingClient,
    *,
    cards: CardMaker | None = None,
    feedback: FeedbackStore | None = None,
    seen: ReplayStore | None = None,
    last: LastAnswers | None = None,
    viewer_store: ViewerStore | None = None,
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> FastAPI:
    """The web process's app. What is not given is made from `settings`; everything given is closed with the app.

    `background`: started with the app and cancelled at its end. Raises BadSwitches for a file that cannot be used.
    """
    settings = with_demo_viewer(settings)
    outbound = Outbound(ca_file=settings.ca_file)
    readings = CountedReadings()
    feedback = feedback or _feedback(settings, readings)
    seen = seen or _replay_store(settings)
    keys = KeySets(settings.trusted_issuers, outbound, development=settings.development)
    trail = trail_of(settings)
    board = SwitchBoard(settings.switches_file)
    last = last or MemoryLastAnswers(settings.last_card_seconds)
    after = AfterAnswers()
    cards = cards or _card_builder(settings)
    viewer_store = viewer_store or MemoryViewerStore()
    viewer = _viewer(settings, viewer_store, outbound, client)
    switched_cards = SwitchedCards(viewer.linking(cards) if viewer else cards, lambda: board.now)
    switched = SwitchedAnswers(lambda: board.now, feedback, after)
    of_service = CardsOfService(switched_cards, SummaryCards(settings.public_base_url))
    answering = Answering(
        settings, AnswerParts(client, of_service, feedback, outbound, last, switched, after, readings)
    )
    parts = Parts(
        settings=settings,
        trust=Trust(settings, keys, seen),
        answering=answering,
        precomputing=Precomputing(settings, client, outbound, after, switched.all_off),
        kept=KeptAnswers(settings.repeat_seconds),
        feedback=feedback,
        quota=Quota(settings.calls_per_second),
        switches_changed=lambda: board.changed,
        switches_faulty=lambda: board.faulty if settings.switches_file else None,
        ready=_readiness(client, seen if settings.auth_on else None, feedback, trail),
        workers_silent=lambda: getattr(client, "workers_silent", None),
    )
    operators = _operators(settings, client, board, parts.ready, feedback, readings)
    app = FastAPI(
        title="dxspan",
        version=_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs_on else None,
        redirect_slashes=False,
        # FastAPI's own telemetry tells paths, queries and the texts of exceptions, and a variable in the environment can
        # turn it on: ours is worker.tracing alone.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        # Outermost first: whatever goes wrong further in still leaves with CORS headers.
        middleware=[
            Middleware(Cors, origins=settings.cors_origins),
            Middleware(RequestLog),
            *([Middleware(RequestSpans)] if tracing_on() else []),
            Middleware(AuditRequests, _auditing(settings, trail)),
        ],
        exception_handlers={Refusal: on_refusal, HTTPException: on_http_exception},
        lifespan=_lifespan(
            client,
            [
                *background,
                feedback.run,
                lambda: _warm_up(feedback),
                trail.run,
                board.run,
                *([operators.run] if operators else []),
                *([viewer.warm_up] if viewer else []),
            ],
            [answering.close, trail.close, feedback.close, seen.close, last.close, viewer_store.close, outbound.close],
        ),
    )
    app.include_router(Routes(parts).router())
    app.include_router(pages(settings))
    app.include_router(TransparencyPages(settings).router())
    if viewer:
        app.include_router(viewer.pages.router())
    if operators:
        app.include_router(operators.router())
    if settings.subscriptions:
        app.include_router(_notifications(settings, parts, outbound))
    if settings.demo_page:
        from cds_hooks.demo_ehr.pages import DemoPages  # templates again

        app.include_router(DemoPages(settings).router())
    describe(app)
    return app


def _viewer(settings: Settings, store: ViewerStore, outbound: Outbound, client: ReadingClient) -> Viewer | None:
    if not settings.viewer_clients:
        return None
    from cds_hooks.viewer.joined import Viewer  # templates, which a process without the viewer need not load

    asking = cast(AskingClient, client) if hasattr(client, "ask") else None
    return Viewer(settings, store, outbound, asking)


def _notifications(settings: Settings, parts: Parts, outbound: Outbound) -> APIRouter:
    from cds_hooks.subscriptions.notifications import Notifications  # loaded only where a server notifies us

    def busy() -> bool:
        return parts.answering.in_hand >= MANY_CALLS

    return Notifications(settings, parts.precomputing, outbound, parts.quota, busy).router()


def _operators(
    settings: Settings,
    client: ReadingClient,
    board: SwitchBoard,
    ready: Callable[[], Awaitable[bool]],
    feedback: FeedbackStore,
    readings: CountedReadings,
) -> OperatorsPage | None:
    if not settings.operators_token:
        return None
    from cds_hooks.operators.pages import OperatorsPage  # templates, which a process without the page need not load
    from cds_hooks.operators.process_state import Watched

    return OperatorsPage(settings, Watched(settings, client, board, ready, feedback, readings))


def _feedback(settings: Settings, readings: CountedReadings) -> FeedbackStore:
    def open_database() -> SqlFeedbackStore:
        from cds_hooks.memory.feedback_store import open_store  # half a second, which the start need not wait for

        return open_store(settings)

    key = base64.b64decode(settings.feedback_key.get_secret_value()) if settings.feedback_key else None
    folder = settings.outbox_path
    sealer = Sealer([key]) if key else None
    return DurableFeedback(
        LateFeedbackStore(open_database),
        Outbox(folder, sealer=sealer, most_bytes=settings.outbox_mib * 2**20) if folder else None,
        key=key,
        muting=Muting(below=settings.mute_below, after_shows=settings.mute_after_shows),
        acceptance_days=settings.acceptance_days,
        keep_days=settings.feedback_keep_days,
        shadow_days=settings.shadow_days,
        readings=readings,
    )


def _card_builder(settings: Settings) -> CardMaker:
    return CardBuilder(
        public_base_url=settings.public_base_url,
        now=lambda: datetime.now(UTC),
        hide_past_problems=settings.hide_past_problems,
        suppression=Suppression(settings.override_days, settings.accepted_days, settings.encounter_hours),
        provenance=settings.proposed_provenance,
    )


def _replay_store(settings: Settings) -> ReplayStore:
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    files = {"ca_file": settings.redis_ca_file, "cert_file": settings.redis_cert_file}
    return replay_store(url, **files, spare=settings.replay_fallback == "memory")


def _auditing(settings: Settings, trail: AuditTrail) -> Auditing:
    keys = audit_keys(settings.audit_key.get_secret_value() if settings.audit_key else None)
    seconds, reserve = settings.deadline_ms / 1000, settings.reserve_ms / 1000
    return Auditing(trail, Sealer(keys) if keys else None, seconds, reserve)


def _readiness(
    client: ReadingClient, seen: ReplayStore | None, feedback: FeedbackStore, trail: AuditTrail
) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        # A client that reads in this process says when its model is loaded; one in front of a queue always takes calls.
        # A feedback database that is away does not count, as charts are read without it; one that is just being opened
        # does, so that nothing is shown again only because the process is young. Nor do silent workers: the answer is then
        # a degraded one, which is better than none from a process that is taken out of service.
        settled = bool(getattr(feedback, "settled", True)) and bool(getattr(client, "ready", True))
        return settled and await trail.ready() and (seen is None or await seen.ready())

    return ready


def _lifespan(
    client: ReadingClient,
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    closers: Sequence[Callable[[], Awaitable[None]]],
) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        start_loading = getattr(client, "start_loading", None)
        if start_loading:
            start_loading()
        tasks = [asyncio.create_task(work()) for work in background]
        # All that was imported lives as long as the process: keeping it out of the collector's sight cuts its pauses
        # from 17 ms to 1 ms.
        gc.collect()
        gc.freeze()
        yield
        for task in tasks:
            task.cancel()
        for close in (client.close, *closers):
            await close()

    return lifespan


async def _warm_up(feedback: FeedbackStore) -> None:
    for module in FIRST_CARD_NEEDS:
        await asyncio.to_thread(import_module, module)
    await feedback.ready()
    gc.freeze()


def _version() -> str:
    try:
        return version("dxspan")
    except PackageNotFoundError:
        return "0"
