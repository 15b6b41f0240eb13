"""What the whole chart says of each finding: mentions of all notes and coded facts brought to one answer.

Newer notes speak over older ones, a copied sentence counts once, symptoms of long ago are not today's. Each answer
keeps the words it rests on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nlp_core.assertion import Assertion
from nlp_core.chart import Chart, Fact
from nlp_core.facts import FactFinding
from nlp_core.knowledge import FindingKind, Knowledge
from nlp_core.mentions import Mention
from nlp_core.note import Note, Span

CURRENT = timedelta(days=90)
"""Symptoms, signs and results older than this, counted from the newest note, are no longer the present illness."""
_LASTING: frozenset[FindingKind] = frozenset({"history", "exposure"})
MAX_QUOTE = 160
"""Characters of a quoted span at most; longer ones are no evidence a reader takes in at a glance."""


@dataclass(frozen=True, slots=True)
class Source:
    """The words or the fact an answer rests on."""

    reference: str
    span: Span | None
    quote: str
    kind: str
    author_role: str = ""
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """One finding's answer: present or absent, with its sources, best first."""

    finding: str
    present: bool
    sources: tuple[Source, ...]


@dataclass(slots=True)
class ChartFindings:
    """Everything observed, by finding; and the diagnoses that notes name, by how they name them."""

    observed: dict[str, Observed] = field(default_factory=dict)
    named: dict[str, dict[Assertion, list[Source]]] = field(default_factory=dict)


def bring_together(
    chart: Chart,
    mentions: Sequence[tuple[Note, Mention]],
    facts: Iterable[FactFinding],
    knowledge: Knowledge,
) -> ChartFindings:
    """One answer per finding from the mentions (newest note first) and the facts of a chart."""
    result = ChartFindings()
    newest = max((note.date for note, _ in mentions if note.date), default=None)
    answers: dict[str, list[tuple[bool, Source]]] = defaultdict(list)
    for note, mention in mentions:
        if mention.span.end - mention.span.start > MAX_QUOTE:
            continue
        source = _note_source(note, mention)
        if mention.about == "diagnosis":
            result.named.setdefault(mention.entry, {}).setdefault(mention.assertion, []).append(source)
            continue
        kind = knowledge.findings[mention.entry].kind
        answer = _answer(mention, kind)
        if answer is not None and (kind in _LASTING or _is_current(note.date, newest)):
            answers[mention.entry].append((answer, source))
    for fact in facts:
        answers[fact.finding].append((fact.present, _fact_source(fact)))
    for finding, said in answers.items():
        result.observed[finding] = _settle(finding, said)
    return result


def _answer(mention: Mention, kind: FindingKind) -> bool | None:
    """True present, False absent, None where the words say neither of this patient now."""
    if mention.assertion is Assertion.PRESENT:
        return True
    if mention.assertion is Assertion.ABSENT:
        return False
    if mention.assertion is Assertion.PAST and kind in _LASTING:
        return True
    if mention.assertion is Assertion.FAMILY and mention.entry.startswith("family_history"):
        return True
    return None


def _is_current(date: datetime | None, newest: datetime | None) -> bool:
    return date is None or newest is None or newest - date <= CURRENT


def _settle(finding: str, said: list[tuple[bool, Source]]) -> Observed:
    """The newest source that speaks decides; within one source a presence outweighs a denial."""
    newest = said[0][1].reference
    first = [answer for answer, source in said if source.reference == newest]
    present = any(first)
    sources = [source for answer, source in said if answer is present]
    unique = {(source.reference, source.quote.lower()): source for source in reversed(sources)}
    return Observed(finding, present, tuple(reversed(unique.values())))


def _note_source(note: Note, mention: Mention) -> Source:
    return Source(note.reference, mention.span, note.quote(mention.span), note.kind, note.author_role, note.date)


def _fact_source(found: FactFinding) -> Source:
    fact = found.fact
    kind = fact.kind.replace("_", " ") if isinstance(fact, Fact) else "problem list"
    return Source(fact.reference, None, found.said, kind, "", fact.date)
