"""Makes the parts of the web process that need more than their own constructor: from settings and from each other.

Input: settings and parts made before. Output: one part each. What few deployments have is imported where it is made, so that
the others need not load it.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from fastapi import APIRouter

from cds_hooks.audit.chain import audit_keys
from cds_hooks.audit.requests import Auditing
from cds_hooks.audit.trail import AuditTrail
from cds_hooks.build_cards import CardBuilder
from cds_hooks.memory.acceptance import Muting
from cds_hooks.memory.counted_readings import CountedReadings
from cds_hooks.memory.durable_feedback import DurableFeedback
from cds_hooks.memory.feedback import FeedbackStore
from cds_hooks.memory.late_feedback_store import LateFeedbackStore
from cds_hooks.memory.outbox import Outbox
from cds_hooks.memory.suppression import Suppression
from cds_hooks.occasion import CardMaker
from cds_hooks.outbound import Outbound
from cds_hooks.replay_store import ReplayStore, replay_store
from cds_hooks.routes import MANY_CALLS, Parts
from cds_hooks.settings import Settings
from cds_hooks.switches_file import SwitchBoard
from cds_hooks.viewer.viewer_store import ViewerStore
from worker.client import AskingClient, ReadingClient
from worker.payloads import Sealer

if TYPE_CHECKING:
    from cds_hooks.memory.feedback_store import SqlFeedbackStore
    from cds_hooks.operators.pages import OperatorsPage
    from cds_hooks.viewer.joined import Viewer


def viewer_of(settings: Settings, store: ViewerStore, outbound: Outbound, client: ReadingClient) -> Viewer | None:
    """The evidence viewer; None where no client of it is registered."""
    if not settings.viewer_clients:
        return None
    from cds_hooks.viewer.joined import Viewer  # templates, which a process without the viewer need not load

    asking = cast(AskingClient, client) if hasattr(client, "ask") else None
    return Viewer(settings, store, outbound, asking)


def notifications_of(settings: Settings, parts: Parts, outbound: Outbound) -> APIRouter:
    """The addresses that FHIR servers notify."""
    from cds_hooks.subscriptions.notifications import Notifications  # loaded only where a server notifies us

    def busy() -> bool:
        return parts.answering.in_hand >= MANY_CALLS

    return Notifications(settings, parts.precomputing, outbound, parts.quota, busy).router()


def operators_of(
    settings: Settings,
    client: ReadingClient,
    board: SwitchBoard,
    ready: Callable[[], Awaitable[bool]],
    feedback: FeedbackStore,
    readings: CountedReadings,
) -> OperatorsPage | None:
    """The operators' page; None without a token for it."""
    if not settings.operators_token:
        return None
    from cds_hooks.operators.pages import OperatorsPage  # templates, which a process without the page need not load
    from cds_hooks.operators.process_state import Watched

    return OperatorsPage(settings, Watched(settings, client, board, ready, feedback, readings))


def feedback_of(settings: Settings, readings: CountedReadings) -> FeedbackStore:
    """The memory of what was shown and said of it."""

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


def card_builder(settings: Settings) -> CardMaker:
    """The cards that ship."""
    return CardBuilder(
        public_base_url=settings.public_base_url,
        now=lambda: datetime.now(UTC),
        hide_past_problems=settings.hide_past_problems,
        suppression=Suppression(settings.override_days, settings.accepted_days, settings.encounter_hours),
        provenance=settings.proposed_provenance,
    )


def replay_store_of(settings: Settings) -> ReplayStore:
    """Where seen tokens are remembered."""
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    files = {"ca_file": settings.redis_ca_file, "cert_file": settings.redis_cert_file}
    return replay_store(url, **files, spare=settings.replay_fallback == "memory")


def auditing_of(settings: Settings, trail: AuditTrail) -> Auditing:
    """What the audit trail's records are made and kept with."""
    keys = audit_keys(settings.audit_key.get_secret_value() if settings.audit_key else None)
    seconds, reserve = settings.deadline_ms / 1000, settings.reserve_ms / 1000
    return Auditing(trail, Sealer(keys) if keys else None, seconds, reserve)


def readiness(
    client: ReadingClient, seen: ReplayStore | None, feedback: FeedbackStore, trail: AuditTrail
) -> Callable[[], Awaitable[bool]]:
    """Whether a call could be answered now."""

    async def ready() -> bool:
        # A client that reads in this process says when its model is loaded; one in front of a queue always takes calls.
        # A feedback database that is away does not count, as charts are read without it; one that is just being opened
        # does, so that nothing is shown again only because the process is young. Nor do silent workers: the answer is then
        # a degraded one, which is better than none from a process that is taken out of service.
        settled = bool(getattr(feedback, "settled", True)) and bool(getattr(client, "ready", True))
        return settled and await trail.ready() and (seen is None or await seen.ready())

    return ready
