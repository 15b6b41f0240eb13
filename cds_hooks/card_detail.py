"""The card's detail: a fixed Markdown template of at most 1,500 characters, filled with inert chart text.

Knows the template (spec/card.md, point 3) and how to shorten: evidence goes first, diagnoses never.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC

from cds_hooks import card_words as words
from cds_hooks.occasion import EarlierReading
from cds_hooks.safe_markdown import inert
from nlp_core.assessment import Assessment, Candidate, Evidence, Language, NextStep, Words
from nlp_core.chart import Chart

DETAIL_LIMIT = 1500
"""Unicode code points of the Markdown source."""
QUOTE_LIMIT = 90
"""Characters of one quote before it is shortened with an ellipsis; the extension holds it whole."""
_PLANS = ((3, 2, 2), (2, 2, 2), (2, 1, 2), (2, 1, 1), (1, 1, 1), (1, 0, 1), (1, 0, 0))
"""(spans for, spans against, next steps) tried in turn until the text fits."""


def detail(
    assessment: Assessment,
    chart: Chart,
    shown: Sequence[Candidate],
    language: Language,
    earlier: EarlierReading | None = None,
) -> str:
    """Markdown for the shown candidates, within the limit; an `earlier` reading says so before all else."""
    text = ""
    for most_for, most_against, most_steps in _PLANS:
        parts = [f"**{inert(computed(earlier, language))}**"] if earlier else []
        parts += _candidates(shown, most_for, most_against, language)
        parts += _closing(assessment, chart, most_steps, language)
        text = "\n\n".join(parts)
        if len(text) <= DETAIL_LIMIT:
            return text
    return text[: DETAIL_LIMIT - 1] + "…"


def computed(earlier: EarlierReading, language: Language) -> str:
    """When an earlier reading was made, and what of the chart is newer than it."""
    said = {"note": words.COMPUTED_BEFORE_NOTE, "data": words.COMPUTED_BEFORE_DATA, None: words.COMPUTED}
    time = f"{earlier.computed.astimezone(UTC):%Y-%m-%d %H:%M}"
    return said[earlier.newer].said_in(language).format(time=time)


def _candidates(shown: Sequence[Candidate], most_for: int, most_against: int, language: Language) -> Iterator[str]:
    for position, candidate in enumerate(shown, start=1):
        lines = [f"{position}\\. **{_heading(candidate, language)}**{_confidence(candidate, language)}"]
        lines += [
            f"- {words.FOR.said_in(language)}: {_evidence(e, language)}" for e in candidate.evidence_for[:most_for]
        ]
        lines += [
            f"- {words.AGAINST.said_in(language)}: {_evidence(e, language)}"
            for e in candidate.evidence_against[:most_against]
        ]
        yield "\n".join(lines)


def _heading(candidate: Candidate, language: Language) -> str:
    name = f"{inert(candidate.names.said_in(language))} ({inert(candidate.icd10cm)})"
    return f"{name} – {words.CANNOT_MISS.said_in(language)}" if candidate.cannot_miss else name


def _confidence(candidate: Candidate, language: Language) -> str:
    if candidate.band is None:
        return ""
    band = candidate.band
    return f" – {band.word.said_in(language)}, {band.low * 100:.0f}–{band.high * 100:.0f} %"


def _evidence(evidence: Evidence, language: Language) -> str:
    quote = evidence.quote if len(evidence.quote) <= QUOTE_LIMIT else evidence.quote[: QUOTE_LIMIT - 1] + "…"
    said = f"“{inert(quote)}”"
    if not evidence.present:
        said += f" ({words.ABSENT.said_in(language)})"
    date = evidence.date.date().isoformat() if evidence.date else words.UNDATED.said_in(language)
    kind = evidence.kind or words.NOTE.said_in(language)
    origin = [inert(part)[:120] for part in (kind, evidence.author_role) if part]
    return f"{said} – {', '.join([*origin, date])}"


def _closing(assessment: Assessment, chart: Chart, most_steps: int, language: Language) -> Iterator[str]:
    steps = assessment.next_steps[:most_steps]
    if steps:
        yield f"**{words.SEPARATE.said_in(language)}:** {_steps(steps, language)}"
    missing = "; ".join(said.said_in(language) for said in not_seen(assessment, chart))
    if missing:
        yield f"**{words.NOT_SEEN.said_in(language)}:** {missing}"
    calibrated = any(candidate.band for candidate in assessment.candidates)
    made_by = words.MADE_BY if calibrated else words.MADE_BY_UNCALIBRATED
    yield f"*{made_by.said_in(language).format(model=inert(assessment.model_version))}*"


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
    if assessment.notes_unread:
        yield _filled(words.OLDER_NOTES, count=str(assessment.notes_unread))
    unread = Counter({entry.reason: entry.count for entry in chart.unread if entry.what == "DocumentReference"})
    unreadable = sum(unread[reason] for reason in ("not-text", "undecodable", "too-large", "not-fetched", "over-limit"))
    if unreadable:
        yield _filled(words.UNREADABLE, count=str(unreadable))


def _filled(template: Words, **values: str) -> Words:
    return Words(en=template.en.format(**values), zh=template.zh.format(**values))
