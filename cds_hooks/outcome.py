"""What came of one hook call, and how it leaves: the body of the 200, its line in the log, its counts, its audit record.

An answer is always 200 with `cards`; when there are none, or when something was not available,
`extension["org.dxspan.status"]` says which and why in fixed words, so that a failure is never mistaken for "nothing found":

    answered   cards; memory-unavailable: what became of earlier suggestions was not known, or will not be
    silent     read, and nothing to show: the assessment's reason, the card builder's, or a switch's; of a reading ahead:
               precomputing, not-soon, shed
    degraded   not read: deadline, queue-unavailable, reader-failed, loading, overloaded, cards-failed; partly-read: time
               or the encoder failed, and names alone show nothing; where the patient's last card stands in, `computed`
               says when it was made

`partly` says why notes were read in part (WhyPartly of nlp_core.assessment), and of how many.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from cds_hooks.audit.notes import Computed, audit_notes
from cds_hooks.build_cards import EXTENSION
from cds_hooks.kept_answers import Answer
from cds_hooks.watch import ANSWER_SECONDS, ANSWERS, LAST_CARDS
from nlp_core.assessment import Assessment
from nlp_core.chart import Unread
from worker.json_log import Value, log_event
from worker.tracing import note

log = logging.getLogger("dxspan.answers")

STATUS_EXTENSION = "org.dxspan.status"

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
    computed: datetime | None = None
    """When the cards were computed, where they stand in for a reading that did not come."""


class HookResponse(BaseModel):
    """The body of a 200: CDS Hooks' response, with our status in its extension. Describes what `_body` writes."""

    cards: list[dict[str, Any]]
    extension: dict[str, Any]


def answer_of(outcome: Outcome, arrived: float, **fields: Value) -> Answer:
    """The answer for an outcome, counted and logged. arrived: `time.monotonic()` seconds."""
    ANSWERS.labels(outcome.state, outcome.reason).inc()
    ANSWER_SECONDS.observe(time.monotonic() - arrived)
    if outcome.computed:
        LAST_CARDS.inc()
    unread = sum(notice.count for notice in outcome.unread)
    note({"dxspan.state": outcome.state, "dxspan.reason": outcome.reason or None})
    note({"dxspan.cards": len(outcome.cards), "dxspan.unread": unread})
    log_event(
        log,
        "answer",
        level=logging.WARNING if outcome.state == "degraded" else logging.INFO,
        state=outcome.state,
        reason=outcome.reason or None,
        cards=len(outcome.cards),
        unread=unread,
        **fields,
    )
    return Answer(_body(outcome), keep=outcome.state != "degraded", computed=_computed(outcome))


def degraded_body(reason: str) -> bytes:
    """The body of an answer that says no more than why there is none."""
    return _body(Outcome("degraded", reason))


def _computed(outcome: Outcome) -> Computed:
    """What the audit trail keeps of an outcome: ids and counts, no words of the chart."""
    read = outcome.assessment
    shown = _extensions(outcome.cards)
    return Computed(
        event=audit_notes().id,
        state=outcome.state,
        reason=outcome.reason,
        model_version=read.model_version if read else "",
        knowledge_version=read.knowledge_version if read else "",
        considered=tuple(candidate.diagnosis for candidate in read.candidates) if read else (),
        shown=diagnoses_shown(outcome.cards),
        cards=tuple(str(getattr(card, "uuid", "")) for card in outcome.cards),
        evidence_hash=next((extension["evidenceHash"] for extension in shown if extension), ""),
        notes_read=read.notes_read if read else 0,
        unread=sum(notice.count for notice in outcome.unread),
    )


def diagnoses_shown(cards: Sequence[BaseModel]) -> tuple[str, ...]:
    """Ids of the diagnoses on `cards`, in their order."""
    return tuple(diagnosis["id"] for extension in _extensions(cards) for diagnosis in extension.get("diagnoses", ()))


def _extensions(cards: Sequence[BaseModel]) -> list[dict[str, Any]]:
    return [(getattr(card, "extension", None) or {}).get(EXTENSION, {}) for card in cards]


def _body(outcome: Outcome) -> bytes:
    status: dict[str, Any] = {"state": outcome.state}
    if outcome.reason:
        status["reason"] = outcome.reason
    if outcome.computed:
        status["computed"] = outcome.computed.isoformat(timespec="seconds")
    partly = Counter(note.why for note in outcome.assessment.partly_read) if outcome.assessment else None
    if partly:
        status["partly"] = partly
    if outcome.unread:
        status["unread"] = [notice.model_dump() for notice in outcome.unread]
    cards = [card.model_dump(mode="json", by_alias=True, exclude_none=True) for card in outcome.cards]
    return orjson.dumps({"cards": cards, "extension": {STATUS_EXTENSION: status}})
