"""A kept view -> the tabs of quoted words: the record summary, and the answer to a question.

Each quote is a line with its note and date, and a place in the note; a place is linked only where the kept note has exactly
the quoted words there. Every word of chart and question stays text here; the template escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from cds_hooks.reason_words import REASONS
from cds_hooks.safe_markdown import plain
from cds_hooks.summary_words import CHOSEN_BY, HEADINGS
from cds_hooks.viewer.evidence_page import said_on_card
from cds_hooks.viewer.highlights import Place, Use
from cds_hooks.viewer.kept_views import KeptView
from cds_hooks.viewer.notes_shown import NoteShown, notes_shown
from cds_hooks.viewer.page_words import said
from nlp_core.answers import Answer
from nlp_core.assessment import Language
from nlp_core.note import Span
from worker.client import Answered

Tab = Literal["evidence", "summary", "questions"]


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One quote."""

    anchor: str
    number: int
    quote: str
    origin: str
    note: int | None
    """Number of its note; None where the words are not kept."""


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """What is said to a question."""

    question: str
    found_in: str
    """See Answer; `unasked` where no answer was to be had."""
    words: str
    """What is said in fixed words; empty where a quote says it."""
    quote: str = ""
    source: str = ""
    searched: str = ""


@dataclass(frozen=True, slots=True)
class QuotedPage:
    """Everything the template needs."""

    tab: Tab
    language: Language
    words: Mapping[str, str]
    summary: str
    earlier: str
    notes: Sequence[NoteShown]
    under: Sequence[tuple[str, Sequence[QuoteLine]]]
    """Quotes under their headings."""
    silence: str = ""
    """Why there is no summary."""
    chosen_by: str = ""
    answer: AnswerShown | None = None


@dataclass(frozen=True, slots=True)
class _Quoted:
    heading: str
    quote: str
    reference: str
    span: Span
    kind: str
    date: datetime | None


def summary_page(view: KeptView, language: Language, *, note: int | None = None) -> QuotedPage:
    """The record summary of a view; `note`: number of a note that must be on the page."""
    assessment, made = view.assessment, view.assessment.summary
    quoted = [
        _Quoted(HEADINGS[one.heading].said_in(language), one.quote, one.reference, one.span, one.kind, one.date)
        for one in (made.items if made else ())
    ]
    silence = said(language)["no_summary"]
    if made and made.silence:
        silence = REASONS[made.silence].said_in(language)
    chosen_by = CHOSEN_BY.said_in(language).format(model=plain(assessment.model_version))
    return _page(view, language, "summary", quoted, note, silence="" if quoted else silence, chosen_by=chosen_by)


def question_page(
    view: KeptView,
    language: Language,
    *,
    question: str = "",
    answered: Answered | None = None,
    refused: bool = False,
    note: int | None = None,
) -> QuotedPage:
    """The form, and what was answered where something was asked; `refused`: what was sent is no question."""
    found = answered.answer if answered else None
    quoted = []
    if found and found.span and found.found_in == "chart":
        quoted = [_Quoted("", found.quote, found.reference, found.span, found.kind, found.date)]
    shown = _answer(question, answered, view, language) if answered else None
    if refused:
        shown = AnswerShown("", "unasked", said(language)["not_asked"])
    return _page(view, language, "questions", quoted, note, answer=shown)


def _answer(question: str, answered: Answered, view: KeptView, language: Language) -> AnswerShown:
    words, found = said(language), answered.answer
    if found is None or (found.found_in == "nowhere" and not found.notes_read):
        return AnswerShown(plain(question), "unasked", words["not_answered"])
    fixed = {"nowhere": words["nowhere"], "not_understood": words["not_understood"]}.get(found.found_in, "")
    outside = found.found_in == "knowledge"
    return AnswerShown(
        question=plain(question),
        found_in=found.found_in,
        words=fixed,
        quote=plain(found.quote) if outside else "",
        source=plain(found.source) if outside else "",
        searched=_searched(found, view, words) if found.found_in in ("chart", "nowhere") else "",
    )


def _searched(found: Answer, view: KeptView, words: Mapping[str, str]) -> str:
    left_out = sum(kept.left_out for kept in view.notes)
    unread = found.notes_unread + left_out + view.assessment.notes_unread
    line = words["searched"].format(count=found.notes_read)
    return line + (" " + words["unsearched"].format(count=unread) if unread else "")


def _page(
    view: KeptView, language: Language, tab: Tab, quoted: Sequence[_Quoted], note: int | None, **more: object
) -> QuotedPage:
    lines, places = _lines(view, quoted, said(language))
    headed = zip((one.heading for one in quoted), lines, strict=True)
    return QuotedPage(
        tab=tab,
        language=language,
        words=said(language),
        summary=said_on_card(view, language),
        earlier=view.earlier.said_in(language) if view.earlier else "",
        notes=notes_shown(view, language, places, note),
        under=[(heading, [line for _, line in under]) for heading, under in groupby(headed, key=lambda one: one[0])],
        **more,  # type: ignore[arg-type]  # silence, chosen_by or answer
    )


def _lines(
    view: KeptView, quoted: Iterable[_Quoted], words: Mapping[str, str]
) -> tuple[list[QuoteLine], dict[int, list[Place]]]:
    """Each quote as a line; and the places they have, by number of the note."""
    lines: list[QuoteLine] = []
    places: dict[int, list[Place]] = {}
    for number, one in enumerate(quoted, start=1):
        note = _note_of(view, one)
        anchor = f"q{number}"
        date = one.date.date().isoformat() if one.date else words["undated"]
        lines.append(QuoteLine(anchor, number, plain(one.quote), f"{plain(one.kind) or words['note']}, {date}", note))
        if note:
            use = Use(number, one.heading or words["answer"], "quoted", anchor)
            places.setdefault(note, []).append(Place(number, one.span.start, one.span.end, (use,)))
    return lines, places


def _note_of(view: KeptView, quoted: _Quoted) -> int | None:
    """The number of the note that has exactly these words at this place."""
    span = quoted.span
    for number, kept in enumerate(view.notes, start=1):
        if kept.note.reference == quoted.reference:
            same = kept.note.text[span.start : span.end] == quoted.quote
            return number if same and span.start < span.end else None
    return None
