"""A kept view -> what the page shows, in one language: diagnoses with their evidence, notes in stretches, what is missing.

Every word of a chart stays text here; the template escapes it. A place is linked only where the kept note has exactly the
quoted words there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from cds_hooks.build_cards import summary
from cds_hooks.card_detail import name_of
from cds_hooks.safe_markdown import plain
from cds_hooks.viewer.highlights import Place, Use
from cds_hooks.viewer.installed_bundle import FirstSteps
from cds_hooks.viewer.kept_views import KeptView
from cds_hooks.viewer.notes_shown import NoteShown, notes_shown
from cds_hooks.viewer.page_words import said
from nlp_core.assessment import Candidate, Evidence, Language

WIDEST = 4.0
"""Weight, up or down, that fills a bar."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One piece of evidence of one diagnosis."""

    anchor: str
    speaks: Literal["for", "against"]
    quote: str
    absent: bool
    origin: str
    weight: str
    """`+1.5`"""
    bar: int
    """Per cent."""
    place: int | None
    """Number of its place in a note; None for coded data and for words that are not kept."""
    note: int | None
    """Number of that note."""
    coded: bool


@dataclass(frozen=True, slots=True)
class DiagnosisShown:
    """One diagnosis."""

    number: int
    name: str
    code: str
    on_card: bool
    marks: tuple[str, ...]
    """Names of page words: urgency, what the chart says of it already."""
    band: str
    low: int
    high: int
    evidence: tuple[EvidenceLine, ...]
    treatment: str
    source: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template needs."""

    tab: Literal["evidence"]
    language: Language
    words: Mapping[str, str]
    summary: str
    earlier: str
    on_card: Sequence[DiagnosisShown]
    others: Sequence[DiagnosisShown]
    notes: Sequence[NoteShown]
    steps: Sequence[tuple[str, str, str]]
    """(`question` or `test`, words, gain)"""
    not_seen: Sequence[str]
    calibrated_on_site: bool
    model: str
    figures: Markup | None


def page_of(
    view: KeptView,
    language: Language,
    *,
    steps: Mapping[str, FirstSteps],
    figures: Markup | None,
    note: int | None = None,
) -> Page:
    """`note`: number of a note that must be on the page."""
    writer = _Writer(view, language, steps)
    shown = writer.diagnoses()
    assessment = view.assessment
    return Page(
        language=language,
        tab="evidence",
        words=said(language),
        summary=said_on_card(view, language),
        earlier=view.earlier.said_in(language) if view.earlier else "",
        on_card=[diagnosis for diagnosis in shown if diagnosis.on_card],
        others=[diagnosis for diagnosis in shown if not diagnosis.on_card],
        notes=notes_shown(view, language, writer.places_by_note(), note),
        steps=[(s.kind, plain(s.words.said_in(language)), f"{s.gain:.2f}") for s in assessment.next_steps],
        not_seen=[words.said_in(language) for words in view.not_seen],
        calibrated_on_site=assessment.calibrated_on_site,
        model=plain(assessment.model_version),
        figures=figures,
    )


def said_on_card(view: KeptView, language: Language) -> str:
    """The card's summary, in one language."""
    assessment = view.assessment
    return view.summary if language == assessment.language else summary(assessment, on_card(view), language)


def on_card(view: KeptView) -> list[Candidate]:
    """The card's diagnoses in its order."""
    by_id = {candidate.diagnosis: candidate for candidate in view.assessment.candidates}
    return [by_id[name] for name in view.on_card if name in by_id]


@dataclass
class _Writer:
    view: KeptView
    language: Language
    steps: Mapping[str, FirstSteps]
    uses: dict[tuple[int, int, int], list[Use]] = field(default_factory=lambda: defaultdict(list))
    """(number of the note, start, end) -> what it is used for."""
    places: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def diagnoses(self) -> list[DiagnosisShown]:
        first = on_card(self.view)
        others = [candidate for candidate in self.view.assessment.candidates if candidate not in first]
        return [self._diagnosis(number, c, c in first) for number, c in enumerate([*first, *others], start=1)]

    def _diagnosis(self, number: int, candidate: Candidate, on_card: bool) -> DiagnosisShown:
        band, known = candidate.band, self.steps.get(candidate.diagnosis)
        return DiagnosisShown(
            number=number,
            name=name_of(candidate, self.language),
            code=plain(candidate.icd10cm),
            on_card=on_card,
            marks=tuple(_marks(candidate)),
            band=plain(band.word.said_in(self.language)) if band else "",
            low=round(band.low * 100) if band else 0,
            high=round(band.high * 100) if band else 0,
            evidence=tuple(self._lines(number, candidate)),
            treatment=known.treatment.said_in(self.language) if known else "",
            source=known.source if known else "",
        )

    def _lines(self, number: int, candidate: Candidate) -> Iterator[EvidenceLine]:
        evidence = (*candidate.evidence_for, *candidate.evidence_against)
        for position, one in enumerate(evidence, start=1):
            speaks: Literal["for", "against"] = "for" if position <= len(candidate.evidence_for) else "against"
            use = Use(number, name_of(candidate, self.language), speaks, f"d{number}e{position}")
            note = self._note_of(one)
            yield EvidenceLine(
                anchor=use.anchor,
                speaks=speaks,
                quote=plain(one.quote),
                absent=not one.present,
                origin=self._origin(one),
                weight=f"{one.share:+.1f}".replace("-", "\u2212"),
                bar=round(min(abs(one.share), WIDEST) / WIDEST * 100),
                place=self._place(one, note, use) if note else None,
                note=note,
                coded=one.span is None,
            )

    def _origin(self, evidence: Evidence) -> str:
        words = said(self.language)
        kind = plain(evidence.kind) or words["note"]
        date = evidence.date.date().isoformat() if evidence.date else words["undated"]
        return ", ".join(part for part in (kind, plain(evidence.author_role), date) if part)

    def _note_of(self, evidence: Evidence) -> int | None:
        """The number of the note that has exactly these words at this place."""
        span = evidence.span
        for number, kept in enumerate(self.view.notes, start=1):
            if span and kept.note.reference == evidence.reference:
                same = kept.note.text[span.start : span.end] == evidence.quote
                return number if same and span.start < span.end else None
        return None

    def _place(self, evidence: Evidence, note: int, use: Use) -> int | None:
        if evidence.span is None:
            return None
        where = (note, evidence.span.start, evidence.span.end)
        self.uses[where].append(use)
        return self.places.setdefault(where, len(self.places) + 1)

    def places_by_note(self) -> dict[int, list[Place]]:
        found: dict[int, list[Place]] = defaultdict(list)
        for where, number in self.places.items():
            note, start, end = where
            found[note].append(Place(number, start, end, tuple(self.uses[where])))
        return found


def _marks(candidate: Candidate) -> Iterator[str]:
    if candidate.cannot_miss:
        yield "not_to_be_missed"
    yield candidate.urgency
    if candidate.problem_list:
        yield candidate.problem_list
    if candidate.named_in_chart:
        yield "named"
