"""Joins the parts of the web process.

Knows who needs whom, and what is opened at start and closed at the end. Knows no rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from cds_hooks.after_answers import AfterAnswers
from cds_hooks.answer import Answering, AnswerParts
from cds_hooks.api_document import describe
from cds_hooks.app_parts import (
    auditing_of,
    card_builder,
    feedback_of,
    notifications_of,
    operators_of,
    readiness,
    replay_store_of,
    viewer_of,
)
from cds_hooks.audit.requests import AuditRequests
from cds_hooks.audit.trail import trail_of
from cds_hooks.call_body import CallBodies
from cds_hooks.cors import Cors
from cds_hooks.demo_ehr.registered_viewer import with_demo_viewer
from cds_hooks.kept_answers import KeptAnswers
from cds_hooks.key_sets import KeySets
from cds_hooks.last_answers import LastAnswers, MemoryLastAnswers
from cds_hooks.lifespan import lifespan_of, warm_up
from cds_hooks.memory.counted_readings import CountedReadings
from cds_hooks.memory.feedback import FeedbackStore
from cds_hooks.occasion import CardMaker
from cds_hooks.opened_charts import OpenedCharts
from cds_hooks.operation_outcome import Refusal, on_http_exception, on_refusal
from cds_hooks.outbound import Outbound
from cds_hooks.pages import pages
from cds_hooks.precompute import Precomputing
from cds_hooks.quota import Quota
from cds_hooks.replay_store import ReplayStore
from cds_hooks.request_log import RequestLog
from cds_hooks.request_spans import RequestSpans
from cds_hooks.routes import Parts, Routes
from cds_hooks.settings import Settings
from cds_hooks.summary_cards import CardsOfService, SummaryCards
from cds_hooks.switched_answers import SwitchedAnswers
from cds_hooks.switched_cards import SwitchedCards
from cds_hooks.switches_file import SwitchBoard
from cds_hooks.transparency.pages import TransparencyPages
from cds_hooks.trust import Trust
from cds_hooks.viewer.viewer_store import MemoryViewerStore, ViewerStore
from worker.client import ReadingClient
from worker.tracing import tracing_on


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
    feedback = feedback or feedback_of(settings, readings)
    seen = seen or replay_store_of(settings)
    keys = KeySets(settings.trusted_issuers, outbound, development=settings.development)
    trail = trail_of(settings)
    board = SwitchBoard(settings.switches_file)
    last = last or MemoryLastAnswers(settings.last_card_seconds)
    after = AfterAnswers()
    opened = OpenedCharts(settings.opened_charts, settings.opened_charts_mib * 2**20, settings.opened_chart_seconds)
    cards = cards or card_builder(settings)
    viewer_store = viewer_store or MemoryViewerStore()
    viewer = viewer_of(settings, viewer_store, outbound, client)
    switched_cards = SwitchedCards(viewer.linking(cards) if viewer else cards, lambda: board.now)
    switched = SwitchedAnswers(lambda: board.now, feedback, after)
    of_service = CardsOfService(switched_cards, SummaryCards(settings.public_base_url))
    answering = Answering(
        settings, AnswerParts(client, of_service, feedback, outbound, last, switched, after, readings, opened)
    )
    parts = Parts(
        settings=settings,
        trust=Trust(settings, keys, seen),
        answering=answering,
        precomputing=Precomputing(settings, client, outbound, opened, after, switched.all_off),
        bodies=CallBodies(opened),
        kept=KeptAnswers(settings.repeat_seconds),
        feedback=feedback,
        quota=Quota(settings.calls_per_second),
        switches_changed=lambda: board.changed,
        switches_faulty=lambda: board.faulty if settings.switches_file else None,
        ready=readiness(client, seen if settings.auth_on else None, feedback, trail),
        workers_silent=lambda: getattr(client, "workers_silent", None),
    )
    operators = operators_of(settings, client, board, parts.ready, feedback, readings)
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
            Middleware(AuditRequests, auditing_of(settings, trail)),
        ],
        exception_handlers={Refusal: on_refusal, HTTPException: on_http_exception},
        lifespan=lifespan_of(
            client,
            [
                *background,
                feedback.run,
                lambda: warm_up(feedback),
                trail.run,
                board.run,
                opened.run,
                *([operators.run] if operators else []),
                *([viewer.warm_up] if viewer else []),
            ],
            [
                answering.close,
                trail.close,
                feedback.close,
                seen.close,
                last.close,
                opened.close,
                viewer_store.close,
                outbound.close,
            ],
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
        app.include_router(notifications_of(settings, parts, outbound))
    if settings.demo_page:
        from cds_hooks.demo_ehr.pages import DemoPages  # templates again

        app.include_router(DemoPages(settings).router())
    describe(app)
    return app


def _version() -> str:
    try:
        return version("dxspan")
    except PackageNotFoundError:
        return "0"
