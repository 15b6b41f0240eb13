"""What the viewer shows of one card: the assessment and the notes it was read from, kept for an hour under a random id.

Knows whom a view is for: the tenant, the FHIR server, the patient and the user of the hook call. Whoever brings the id
without being these gets nothing. Knows no page.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from cds_hooks.build_cards import EXTENSION
from cds_hooks.card import Card
from cds_hooks.card_detail import computed, everything_not_seen
from cds_hooks.occasion import Occasion
from cds_hooks.viewer.refusals import Gone, NotYours
from cds_hooks.viewer.smart_launch import Arrived
from cds_hooks.viewer.viewer_store import ViewerStore
from nlp_core.assessment import Assessment, Words
from nlp_core.chart import Chart
from nlp_core.note import Note

MOST_CHARACTERS = 500_000
"""Of the notes of one view; the cited ones come first, then the newest. What is left out keeps its place and date."""
_FORM: Literal[1] = 1


class KeptNote(BaseModel):
    """A note on the timeline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: Note
    left_out: bool = False
    """Its text was too much to keep."""


class KeptView(BaseModel):
    """One card's evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal[1] = _FORM
    tenant: str
    fhir_server: str
    patient_id: str
    user_id: str
    kept: datetime
    assessment: Assessment
    notes: tuple[KeptNote, ...]
    """Those that were read, newest first."""
    summary: str
    """The card's."""
    on_card: tuple[str, ...]
    """Ids of the diagnoses on the card, in its order."""
    not_seen: tuple[Words, ...]
    earlier: Words | None = None
    """Set where the assessment was made before this call: when, and what is newer."""


def view_of(assessment: Assessment, chart: Chart, occasion: Occasion, card: Card) -> KeptView:
    """What is kept for the link of `card`."""
    shown: dict[str, Any] = (card.extension or {}).get(EXTENSION, {})
    earlier = occasion.earlier
    return KeptView(
        tenant=occasion.tenant,
        fhir_server=occasion.fhir_server,
        patient_id=occasion.patient_id,
        user_id=occasion.user_id,
        kept=datetime.now(UTC),
        assessment=assessment,
        notes=tuple(_notes(chart.notes[: assessment.notes_read], assessment)),
        summary=card.summary,
        on_card=tuple(diagnosis["id"] for diagnosis in shown.get("diagnoses", ())),
        not_seen=tuple(everything_not_seen(assessment, chart)),
        earlier=Words(en=computed(earlier, "en"), zh=computed(earlier, "zh")) if earlier else None,
    )


def _notes(notes: Sequence[Note], assessment: Assessment) -> Iterator[KeptNote]:
    cited = {e.reference for c in assessment.candidates for e in (*c.evidence_for, *c.evidence_against)}
    left, kept = MOST_CHARACTERS, set()
    for note in sorted(notes, key=lambda note: note.reference not in cited):
        if len(note.text) <= left:
            left -= len(note.text)
            kept.add(id(note))
    for note in notes:
        known = id(note) in kept
        yield KeptNote(note=note if known else note.model_copy(update={"text": ""}), left_out=not known)


class KeptViews:
    """Keeps views and gives them to whom they are for."""

    def __init__(self, store: ViewerStore, seconds: int) -> None:
        self._store = store
        self._seconds = seconds

    async def keep(self, view: KeptView) -> str:
        """The id for the card's `appContext`. Raises Unavailable."""
        identifier = secrets.token_urlsafe(32)
        await self._store.put("view", identifier, view.model_dump_json().encode(), self._seconds)
        latest = _latest(view.tenant, view.fhir_server, view.patient_id, view.user_id)
        await self._store.put("latest", latest, identifier.encode(), self._seconds)
        return identifier

    async def for_whom(self, arrived: Arrived) -> tuple[str, int]:
        """The id of the view to show, and for how many seconds it lives; the user's last one of that patient where the
        launch names none.

        Raises Gone where there is none (any more), NotYours where it is another's.
        """
        client = arrived.client
        identifier = arrived.app_context
        if identifier is None:
            name = _latest(client.client.tenant, client.iss, arrived.patient_id, arrived.user_id)
            identifier = (await self._store.get("latest", name) or b"").decode()
        try:
            view = await self.open(identifier)
        except Gone:
            raise Gone("no such view", client) from None
        theirs = (view.tenant, view.fhir_server, view.patient_id, view.user_id)
        if theirs != (client.client.tenant, client.iss, arrived.patient_id, arrived.user_id):
            raise NotYours("view of another user, patient or tenant", client)
        age = (datetime.now(UTC) - view.kept).total_seconds()
        return identifier, max(1, int(self._seconds - age))

    async def open(self, identifier: str) -> KeptView:
        """Raises Gone."""
        found = await self._store.get("view", identifier) if identifier else None
        try:
            return KeptView.model_validate_json(found or b"")
        except ValidationError:
            raise Gone("no such view") from None


def _latest(*words: str) -> str:
    return orjson.dumps(words).decode()
