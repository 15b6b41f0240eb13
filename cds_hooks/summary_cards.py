"""One record summary to one information card: the quotes under their headings, each with its note and date.

A CardMaker of its own service (services.RECORD_SUMMARY). Knows the card's template and how to shorten it: quotes get
shorter first, then fewer from the end of the list; the extension holds all of them whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from cds_hooks import card_words, summary_words
from cds_hooks.build_cards import EXTENSION, origin_of
from cds_hooks.card import Card, Coding, Link, Source
from cds_hooks.card_detail import MODEL_SOURCE, computed, first_within_limit, unread_notes
from cds_hooks.occasion import BuiltCards, CardMaker, EarlierReading, Occasion
from cds_hooks.override_reasons import override_reasons
from cds_hooks.safe_markdown import inert
from cds_hooks.services import RECORD_SUMMARY
from nlp_core.assessment import Assessment, Language, SummaryItem
from nlp_core.chart import Chart

_CARDS = UUID("5b0f8a5e-6f0f-4d8e-8a53-0d0b3f1f7c52")
"""Namespace of card uuids."""


class _Plan(NamedTuple):
    """How much is shown of each quote, in characters, and of Markdown source; and how many quotes."""

    shown: int
    source: int
    origin: int
    items: int


_PLANS = (
    _Plan(300, 900, 80, 8),
    _Plan(160, 300, 60, 8),
    _Plan(110, 180, 40, 8),
    _Plan(80, 110, 30, 8),
    _Plan(60, 70, 24, 5),
)
"""Tried in turn until the text fits; the last fits whatever the chart says."""


@dataclass(frozen=True, slots=True)
class SummaryCards:
    """Writes summary cards for one deployment."""

    public_base_url: str

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """The card of an assessment whose summary is not silent, or why there is none.

        Raises ValueError for the assessment of a reader that sums nothing up: that is no silence.
        """
        summary = assessment.summary
        if summary is None:
            raise ValueError("the reader made no summary")
        if summary.silence:
            return BuiltCards(silence=summary.silence)
        return BuiltCards(cards=(self._card(assessment, summary.items, chart, occasion),))

    def _card(self, assessment: Assessment, items: Sequence[SummaryItem], chart: Chart, occasion: Occasion) -> Card:
        language, digest = assessment.language, evidence_hash(assessment, items)
        return Card(
            uuid=uuid5(_CARDS, f"{occasion.tenant} {occasion.hook_instance} {digest}"),
            summary=summary_line(assessment, items, language, occasion.earlier),
            detail=detail(assessment, items, chart, language, occasion.earlier),
            source=Source(
                label=summary_words.LABEL.said_in(language),
                url=f"{self.public_base_url}/about",
                topic=Coding(system=f"{self.public_base_url}/topics", code="record-summary"),
            ),
            override_reasons=override_reasons(language),
            links=(
                Link(
                    label=card_words.HOW_IT_WORKS.said_in(language),
                    url=f"{self.public_base_url}/about",
                    type="absolute",
                ),
            ),
            extension={EXTENSION: extension(assessment, items)},
        )


@dataclass(frozen=True, slots=True)
class CardsOfService:
    """A CardMaker that asks the one of the service called."""

    diagnoses: CardMaker
    summaries: CardMaker

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """See CardMaker."""
        cards = self.summaries if occasion.service_id == RECORD_SUMMARY.id else self.diagnoses
        return await cards(assessment, chart, occasion)


def summary_line(
    assessment: Assessment, items: Sequence[SummaryItem], language: Language, earlier: EarlierReading | None = None
) -> str:
    """How many sentences of how many notes, and how new; fixed words and numbers, always within the limit."""
    said = summary_words.SUMMARY_OF_ONE if len(items) == 1 else summary_words.SUMMARY
    line = said.said_in(language).format(count=len(items))
    if earlier:
        return line + card_words.SINCE.said_in(language) + computed(earlier, language)
    return line + origin_of(assessment, language)


def detail(
    assessment: Assessment,
    items: Sequence[SummaryItem],
    chart: Chart,
    language: Language,
    earlier: EarlierReading | None = None,
) -> str:
    """Markdown within the limit; an `earlier` reading says so before all else."""
    return first_within_limit(
        _PLANS,
        lambda plan: [*_quotes(items[: plan.items], plan, language), *_closing(assessment, chart, plan, language)],
        language,
        earlier,
    )


def _quotes(items: Sequence[SummaryItem], plan: _Plan, language: Language) -> Iterator[str]:
    for heading, under in groupby(items, key=lambda item: item.heading):
        lines = [f"**{summary_words.HEADINGS[heading].said_in(language)}**\n"]
        for item in under:
            quote = inert(item.quote, shown=plan.shown, source=plan.source)
            lines.append(f"- “{quote}” – {_origin(item, plan, language)}")
        yield "\n".join(lines)


def _origin(item: SummaryItem, plan: _Plan, language: Language) -> str:
    """Which note it is: type and date."""
    date = item.date.date().isoformat() if item.date else card_words.UNDATED.said_in(language)
    kind = inert(item.kind, source=plan.origin) or card_words.NOTE.said_in(language)
    return f"{kind}, {date}"


def _closing(assessment: Assessment, chart: Chart, plan: _Plan, language: Language) -> Iterator[str]:
    missing = "; ".join(said.said_in(language) for said in unread_notes(assessment, chart, origin=plan.origin))
    if missing:
        yield f"**{card_words.NOT_SEEN.said_in(language)}:** {missing}"
    model = inert(assessment.model_version, source=MODEL_SOURCE)
    yield f"*{summary_words.CHOSEN_BY.said_in(language).format(model=model)}*"


def evidence_hash(assessment: Assessment, items: Sequence[SummaryItem]) -> str:
    """Hex digest of what the card rests on: places and model version."""
    digest = hashlib.sha256(assessment.model_version.encode())
    for item in items:
        digest.update(f"{item.reference} {item.span} {item.heading}".encode())
    return digest.hexdigest()


def extension(assessment: Assessment, items: Sequence[SummaryItem]) -> dict[str, Any]:
    """The same content for machines: every quote whole, `note.text[start:end] == quote`."""
    return {
        "modelVersion": assessment.model_version,
        "knowledgeVersion": assessment.knowledge_version,
        "language": assessment.language,
        "evidenceHash": evidence_hash(assessment, items),
        "summary": [
            {
                "heading": item.heading,
                "reference": item.reference,
                "start": item.span.start,
                "end": item.span.end,
                "quote": item.quote,
                **({"date": item.date.isoformat()} if item.date else {}),
            }
            for item in items
        ],
    }
