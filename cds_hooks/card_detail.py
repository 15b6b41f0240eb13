"""The card's detail: a fixed Markdown template of at most 1,500 characters, filled with inert chart text.

Knows the template (spec/card.md, point 3) and how to shorten: evidence goes first, diagnoses never, and only ever whole
parts, so that what is left is the same template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from cds_hooks import card_words as words
from cds_hooks.occasion import EarlierReading
from cds_hooks.safe_markdown import inert, plain
from nlp_core.assessment import Assessment, Candidate, Evidence, Language, NextStep, Words
from nlp_core.chart import Chart

AnyPlan = TypeVar("AnyPlan")
"""How much of each part a detail has."""
DETAIL_LIMIT = 1500
"""Unicode code points of the Markdown source."""
QUOTE_LIMIT = 90
"""Characters of one quote before it is shortened with an ellipsis; the extension holds it whole."""
NAME_SOURCE, MODEL_SOURCE = 120, 60
"""Characters of Markdown that one name of a diagnosis, or of the model, may take."""


class _Plan(NamedTuple):
    """How much is told of each diagnosis."""

    most_for: int
    most_against: int
    most_steps: int
    quote: int = 6 * QUOTE_LIMIT
    """Characters of Markdown that one quote may take; a mark takes up to six."""
    origin: int = 120
    """The same for the type of a note, and for a role."""


_PLANS = (
    *(_Plan(3, 2, 2), _Plan(2, 2, 2), _Plan(2, 1, 2), _Plan(2, 1, 1), _Plan(1, 1, 1), _Plan(1, 0, 1), _Plan(1, 0, 0)),
    _Plan(1, 0, 0, quote=60, origin=30),
)
"""Tried in turn until the text fits. The last fits whatever the chart says, so no mark of the template is ever cut."""


def detail(
    assessment: Assessment,
    chart: Chart,
    shown: Sequence[Candidate],
    language: Language,
    earlier: EarlierReading | None = None,
) -> str:
    """Markdown for at most three shown candidates, within the limit; an `earlier` reading says so before all else."""
    return first_within_limit(
        _PLANS,
        lambda plan: [*_candidates(shown, plan, language), *_closing(assessment, chart, plan, language)],
        language,
        earlier,
    )


def first_within_limit(
    plans: Sequence[AnyPlan],
    parts: Callable[[AnyPlan], Sequence[str]],
    language: Language,
    earlier: EarlierReading | None,
) -> str:
    """Markdown by the first plan that keeps it within the limit, else by the last. parts: the paragraphs by a plan; an
    `earlier` reading is said before them."""
    said = [f"**{inert(computed(earlier, language))}**"] if earlier else []
    text = ""
    for plan in plans:
        text = "\n\n".join([*said, *parts(plan)])
        if len(text) <= DETAIL_LIMIT:
            break
    return text


def computed(earlier: EarlierReading, language: Language) -> str:
    """When an earlier reading was made, and what of the chart is newer than it."""
    said = {"note": words.COMPUTED_BEFORE_NOTE, "data": words.COMPUTED_BEFORE_DATA, None: words.COMPUTED}
    time = f"{earlier.computed.astimezone(UTC):%Y-%m-%d %H:%M}"
    return said[earlier.newer].said_in(language).format(time=time)


def _candidates(shown: Sequence[Candidate], plan: _Plan, language: Language) -> Iterator[str]:
    for position, candidate in enumerate(shown, start=1):
        lines = [f"{position}\\. **{_heading(candidate, language)}**{_confidence(candidate, language)}"]
        lines += [
            f"- {words.FOR.said_in(language)}: {_evidence(e, plan, language)}"
            for e in candidate.evidence_for[: plan.most_for]
        ]
        lines += [
            f"- {words.AGAINST.said_in(language)}: {_evidence(e, plan, language)}"
            for e in candidate.evidence_against[: plan.most_against]
        ]
        yield "\n".join(lines)


def name_of(candidate: Candidate, language: Language) -> str:
    """What a reader sees as the diagnosis's name: never empty."""
    return plain(candidate.names.said_in(language)) or candidate.diagnosis


def _heading(candidate: Candidate, language: Language) -> str:
    name = f"{inert(name_of(candidate, language), source=NAME_SOURCE)} ({inert(candidate.icd10cm)})"
    return f"{name} – {words.CANNOT_MISS.said_in(language)}" if candidate.cannot_miss else name


def _confidence(candidate: Candidate, language: Language) -> str:
    if candidate.band is None:
        return ""
    band = candidate.band
    return f" – {inert(band.word.said_in(language))}, {band.low * 100:.0f}–{band.high * 100:.0f} %"


def _evidence(evidence: Evidence, plan: _Plan, language: Language) -> str:
    said = f"“{inert(evidence.quote, shown=QUOTE_LIMIT, source=plan.quote)}”"
    if not evidence.present:
        said += f" ({words.ABSENT.said_in(language)})"
    return f"{said} – {_origin(evidence.kind, evidence.author_role, evidence.date, plan.origin, language)}"


def _origin(kind: str, role: str, date: datetime | None, source: int | None, language: Language) -> str:
    """Which note it is: type, author's role and date. source: characters of Markdown for each; None = plain text."""
    named = kind if plain(kind) else words.NOTE.said_in(language)
    parts = [part for part in (named, role) if plain(part)]
    origin = [plain(part) if source is None else inert(part, source=source) for part in parts]
    return ", ".join([*origin, date.date().isoformat() if date else words.UNDATED.said_in(language)])


def _closing(assessment: Assessment, chart: Chart, plan: _Plan, language: Language) -> Iterator[str]:
    steps = assessment.next_steps[: plan.most_steps]
    if steps:
        yield f"**{words.SEPARATE.said_in(language)}:** {_steps(steps, language)}"
    unseen = [*not_seen(assessment, chart), *_not_seen_of_notes(assessment, plan.origin)]
    missing = "; ".join(said.said_in(language) for said in unseen)
    if missing:
        yield f"**{words.NOT_SEEN.said_in(language)}:** {missing}"
    yield f"*{_made_by(assessment).said_in(language).format(model=inert(assessment.model_version, source=MODEL_SOURCE))}*"


def _made_by(assessment: Assessment) -> Words:
    if not any(candidate.band for candidate in assessment.candidates):
        return words.MADE_BY_UNCALIBRATED
    return words.MADE_BY_ON_SITE if assessment.calibrated_on_site else words.MADE_BY


def _steps(steps: Sequence[NextStep], language: Language) -> str:
    return " · ".join(inert(step.words.said_in(language)) for step in steps)


def not_seen(assessment: Assessment, chart: Chart) -> Iterator[Words]:
    """What the reading had to do without."""
    if assessment.newest_laboratory is None:
        yield words.NO_LABORATORY
    elif assessment.newest_note and assessment.newest_laboratory.date() < assessment.newest_note.date():
        yield _filled(words.NO_LABORATORY_AFTER, date=assessment.newest_laboratory.date().isoformat())
    if not chart.problems_available:
        yield words.NO_PROBLEM_LIST
    yield from _not_seen_of_documents(assessment, chart)


def everything_not_seen(assessment: Assessment, chart: Chart) -> Iterator[Words]:
    """All that the card's "not seen" can say, as plain text and never Markdown."""
    yield from not_seen(assessment, chart)
    yield from _not_seen_of_notes(assessment, None)


def unread_notes(assessment: Assessment, chart: Chart, *, origin: int) -> Iterator[Words]:
    """Of `not_seen` what concerns notes, and what of those read was not. origin: characters of Markdown for a note's type."""
    yield from _not_seen_of_documents(assessment, chart)
    yield from _not_seen_of_notes(assessment, origin)


def _not_seen_of_documents(assessment: Assessment, chart: Chart) -> Iterator[Words]:
    if assessment.notes_unread:
        yield _filled(words.OLDER_NOTES, count=str(assessment.notes_unread))
    unread = Counter({entry.reason: entry.count for entry in chart.unread if entry.what == "DocumentReference"})
    unreadable = sum(unread[reason] for reason in ("not-text", "undecodable", "too-large", "not-fetched", "over-limit"))
    if unreadable:
        yield _filled(words.UNREADABLE, count=str(unreadable))
    restricted = sum(entry.count for entry in chart.unread if entry.reason == "restricted")
    if restricted:
        yield _filled(words.RESTRICTED, count=str(restricted))


def _not_seen_of_notes(assessment: Assessment, origin: int | None) -> Iterator[Words]:
    """What of the notes read was not read."""
    for note in assessment.partly_read:
        if note.why == "length":
            en, zh = (_origin(note.kind, "", note.date, origin, language) for language in ("en", "zh"))
            yield Words(en=words.REST_OF_NOTE.en.format(note=en), zh=words.REST_OF_NOTE.zh.format(note=zh))
    fell_short = Counter(note.why for note in assessment.partly_read)
    if fell_short["time"]:
        yield _filled(words.IN_A_HURRY, count=str(fell_short["time"]))
    if fell_short["model"]:
        yield _filled(words.WITHOUT_ENCODER, count=str(fell_short["model"]))


def _filled(template: Words, **values: str) -> Words:
    return Words(en=template.en.format(**values), zh=template.zh.format(**values))
