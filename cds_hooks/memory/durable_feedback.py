"""Keeps feedback and shown cards so that none is lost, and recalls them in the time that a call has.

Feedback goes to the database or, while that is away, into the outbox; a shown card always goes through the outbox,
because an answer cannot wait for a transaction. Knows whose word is whose (marks, comments sealed) and the time; rows
are feedback_rows', their way to the database delivery's, what follows from them suppression's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from cds_hooks.memory.acceptance import Muting
from cds_hooks.memory.compared_answer import ComparedAnswer, compared_row
from cds_hooks.memory.counted_readings import CountedReadings
from cds_hooks.memory.delivery import OPEN_SECONDS, Delivery
from cds_hooks.memory.feedback import FEEDBACK_AWAY, FeedbackItem
from cds_hooks.memory.feedback_rows import CommentKeys, listed_rows, reported_rows, shown_rows
from cds_hooks.memory.late_feedback_store import LateFeedbackStore
from cds_hooks.memory.outbox import Outbox
from cds_hooks.memory.patient_marks import PatientMarks
from cds_hooks.memory.suggestion_memory import Recalled, Showing
from cds_hooks.occasion import Occasion
from cds_hooks.operation_outcome import CannotKeep, Unavailable
from worker.json_log import log_event

log = logging.getLogger("dxspan.feedback")

HOUSE_SECONDS = 600.0
"""Acceptance is counted this often: it reads a year of showings; readings are compared, and old compared answers deleted."""
ENOUGH_SECONDS = 0.2
"""A database that answers no question in this time is away; with less, the call was late."""
NO_KEY = (
    "no DXSPAN_FEEDBACK_KEY: comments are not kept, and patients in the feedback database can be guessed by whoever has "
    "the whole of it"
)


class DurableFeedback:
    """A FeedbackStore on a database that may be away."""

    def __init__(
        self,
        database: LateFeedbackStore,
        outbox: Outbox | None,
        *,
        key: bytes | None,
        muting: Muting,
        acceptance_days: int,
        keep_days: int | None = None,
        shadow_days: int,
        readings: CountedReadings | None = None,
    ) -> None:
        """`key`: 32 bytes for marks and comments; None = no comments, and marks under the database's own key.

        `keep_days`: how long what was shown and reported is kept; None = until somebody deletes it. `shadow_days`: how long
        answers are kept for comparison. `readings`: counts of this process that its database keeps with the others'.
        """
        self._database = database
        self._delivery = Delivery(database, outbox)
        self.settled = False
        """True when the database has been opened, or could not be within some seconds, and the outbox looked through."""
        self._comments = CommentKeys(key) if key else None
        self._marks = PatientMarks(key) if key else None
        self._muting = muting
        self._acceptance_days = acceptance_days
        self._keep_days = keep_days
        self._shadow_days = shadow_days
        self._readings = readings or CountedReadings()

    async def record(self, tenant: str, service_id: str, items: Sequence[FeedbackItem], received: datetime) -> None:
        """Keeps `items`, each once. Raises Unavailable when neither database nor outbox can."""
        rows = [row for item in items for row in reported_rows(tenant, service_id, item, received, self._comments)]
        try:
            if self._delivery.reachable:
                return await self._delivery.write(rows)
        except (Unavailable, CannotKeep):
            pass
        await self._delivery.keep(rows, safe=True)

    async def remember(self, occasion: Occasion, cards: Sequence[Any], listed: Sequence[str], shown: datetime) -> None:
        """Keeps what was shown, and accepted diagnoses seen on the problem list. Raises Unavailable."""
        marks = (await self._marking()).of(occasion)
        rows = [
            *shown_rows(occasion.tenant, occasion.service_id, marks, cards, shown),
            *listed_rows(occasion.tenant, marks, listed, shown),
        ]
        await self._delivery.keep(rows, patient=marks.patient, safe=False)

    async def remember_compared(self, occasion: Occasion, answer: ComparedAnswer, answered: datetime) -> None:
        """Keeps an answer for comparison. Raises Unavailable, also while the database is away: the outbox's room is
        feedback's and shown cards' then."""
        if not self._delivery.reachable:
            raise Unavailable(FEEDBACK_AWAY)
        how = (answer.model_version, answer.seen)
        marks = (await self._marking()).of_compared(occasion, answer.chart_digest, *how)
        row = compared_row(occasion.tenant, marks, answer, answered)
        # Of no patient in particular, and never recalled: nobody's recall need wait for it.
        await self._delivery.keep([row], patient="", safe=False)

    async def recall(self, occasion: Occasion, *, by: float) -> Recalled:
        """What is remembered of the patient, by `by` (`time.monotonic()` seconds); never raises."""
        muted = self._muting.of(occasion.tenant)
        seconds = by - time.monotonic()
        if not self._delivery.reachable:
            return Recalled(muted=muted, available=False)
        try:
            async with asyncio.timeout(seconds):
                showings = await self._showings(occasion)
        except (Unavailable, TimeoutError):
            if seconds > ENOUGH_SECONDS:
                self._delivery.away()
            return Recalled(muted=muted, available=False)
        except Exception:
            log.exception("earlier suggestions could not be recalled")
            return Recalled(muted=muted, available=False)
        self._delivery.back()
        return Recalled(showings, muted)

    async def ready(self) -> bool:
        try:
            return await (await self._database.opened()).ready()
        except Unavailable:
            return False

    async def run(self) -> None:
        """Deliver what waits, count acceptance, and delete what was kept long enough, until cancelled."""
        if self._comments is None:
            log_event(log, NO_KEY, level=logging.WARNING)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(OPEN_SECONDS):
                await self._database.opened()
        await self._delivery.take_over()
        self.settled = True
        await asyncio.gather(self._delivery.run(), self._keep_house())

    async def close(self) -> None:
        await self._delivery.close()
        if self._delivery.reachable and self.settled:
            with suppress(Unavailable, CannotKeep, TimeoutError):
                async with asyncio.timeout(ENOUGH_SECONDS):
                    await self._readings.exchange(await self._database.opened(), datetime.now(UTC), ending=True)
        await self._database.close()

    async def _showings(self, occasion: Occasion) -> tuple[Showing, ...]:
        marks = (await self._marking()).of(occasion)
        if self._delivery.waits_for(marks.patient):
            await self._delivery.deliver()
        return await (await self._database.opened()).recall(occasion.tenant, marks)

    async def _marking(self) -> PatientMarks:
        if self._marks is None:
            self._marks = PatientMarks(await (await self._database.opened()).marking_key())
        return self._marks

    async def _keep_house(self) -> None:
        while True:
            try:
                database, now = await self._database.opened(), datetime.now(UTC)
                self._muting.count(await database.acceptance(now - timedelta(days=self._acceptance_days)))
                await self._readings.exchange(database, now)
                await database.forget_compared(now - timedelta(days=self._shadow_days))
                if self._keep_days:
                    await database.forget(now - timedelta(days=self._keep_days))
            except Unavailable:
                pass  # said by whoever needs the database; what is muted stays muted
            except Exception:
                log.exception(
                    "acceptance could not be counted, readings not be compared, or old answers not be deleted"
                )
            await asyncio.sleep(HOUSE_SECONDS)
