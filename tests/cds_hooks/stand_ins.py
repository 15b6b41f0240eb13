"""A reader and a card builder small enough to see through: they do what the newest note tells them.

The wire side is tested with these; the real reader and the real cards have tests of their own, and tests/journey
joins everything.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel

from cds_hooks.memory.compared_answer import ComparedAnswer
from cds_hooks.memory.feedback import FeedbackItem
from cds_hooks.memory.suggestion_memory import Recalled
from cds_hooks.occasion import BuiltCards, Occasion
from cds_hooks.operation_outcome import Unavailable
from nlp_core.assessment import Assessment, PartlyRead, Silence, WhyPartly
from nlp_core.chart import Chart
from worker.client import Degraded, Reading


@dataclass
class PlainClient:
    """`degraded: WORD`, `silence: WORD`, `partly: WHY`, `sleeps: SECONDS`, `raises` in the newest note make it so."""

    charts: list[Chart] = field(default_factory=list)
    tenants: list[str] = field(default_factory=list)
    ahead: list[tuple[str, Chart]] = field(default_factory=list)
    takes_ahead: bool = True
    closed: bool = False

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        del deadline
        self.charts.append(chart)
        self.tenants.append(tenant)
        text = chart.notes[0].text if chart.notes else "silence: no_note"
        if "raises" in text:
            raise RuntimeError(f"canary-exception {text}")
        await asyncio.sleep(float(_told(text, "sleeps") or 0))
        degraded = _told(text, "degraded")
        if degraded:
            return Reading(None, cast(Degraded, degraded))
        silence = cast(Silence | None, _told(text, "silence"))
        why = cast(WhyPartly | None, _told(text, "partly"))
        return Reading(
            Assessment(
                language="en",
                silence=silence,
                notes_read=len(chart.notes),
                partly_read=(PartlyRead(reference=chart.notes[0].reference, why=why),) if why else (),
                model_version="plain+0",
                knowledge_version="0",
            )
        )

    async def precompute(self, chart: Chart, *, tenant: str) -> bool:
        if "raises" in chart.notes[0].text:
            raise RuntimeError(f"canary-exception {chart.notes[0].text}")
        if self.takes_ahead:
            self.ahead.append((tenant, chart))
        return self.takes_ahead

    async def close(self) -> None:
        self.closed = True


class PlainCard(BaseModel):
    """A card that quotes the newest note whole."""

    uuid: str
    summary: str
    detail: str
    indicator: str = "info"
    source: dict[str, Any] = {"label": "stand-in"}


@dataclass
class PlainCards:
    """`card fails` and `known` in the newest note make it so."""

    occasions: list[Occasion] = field(default_factory=list)

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        self.occasions.append(occasion)
        text = chart.notes[0].text
        if "card fails" in text:
            raise RuntimeError(f"canary-exception {text}")
        if "known" in text:
            return BuiltCards(silence="already-known")
        summary = f"{assessment.notes_read} notes read"
        return BuiltCards((PlainCard(uuid=str(occasion.hook_instance), summary=summary, detail=text),))


@dataclass
class PlainFeedback:
    """Keeps feedback and shown cards in lists and recalls nothing; `available` False makes it refuse."""

    shown: list[tuple[str, str, Any]] = field(default_factory=list)
    kept: list[tuple[str, str, FeedbackItem]] = field(default_factory=list)
    compared: list[tuple[str, ComparedAnswer]] = field(default_factory=list)
    available: bool = True

    async def record(self, tenant: str, service_id: str, items: Sequence[FeedbackItem], received: datetime) -> None:
        del received
        if not self.available:
            raise Unavailable("The feedback store does not answer.")
        self.kept.extend((tenant, service_id, item) for item in items)

    async def remember(self, occasion: Occasion, cards: Sequence[Any], listed: Sequence[str], shown: datetime) -> None:
        del listed, shown
        if not self.available:
            raise Unavailable("The feedback store does not answer.")
        self.shown.extend((occasion.tenant, occasion.service_id, card) for card in cards)

    async def remember_compared(self, occasion: Occasion, answer: ComparedAnswer, answered: datetime) -> None:
        del answered
        if not self.available:
            raise Unavailable("The feedback store does not answer.")
        self.compared.append((occasion.tenant, answer))

    async def recall(self, occasion: Occasion, *, by: float) -> Recalled:
        del occasion, by
        return Recalled(available=self.available)

    async def run(self) -> None:
        return None

    async def ready(self) -> bool:
        return self.available

    async def close(self) -> None:
        return None


def _told(text: str, what: str) -> str | None:
    found = re.search(rf"{what}: (\S+)", text)
    return found[1] if found else None
