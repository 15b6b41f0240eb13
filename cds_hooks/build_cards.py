"""One assessment to at most one card, or to a reason for none.

Knows which candidates may be shown and how the card is put together; its words are card_words', its detail
card_detail's, its escaping safe_markdown's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from cds_hooks import card_words as words
from cds_hooks.card import SUMMARY_LIMIT, Action, Card, Coding, Link, Source, Suggestion
from cds_hooks.card_detail import computed, detail, name_of
from cds_hooks.memory.suppression import Suppression, newly_listed
from cds_hooks.occasion import BuiltCards, EarlierReading, Occasion
from cds_hooks.override_reasons import override_reasons
from cds_hooks.proposed_condition import proposed_condition
from cds_hooks.shortened import shortened
from cds_hooks.transparency.provenance import TRANSPARENCY_PATH, MadeWith
from nlp_core.assessment import Assessment, Candidate, Evidence, Language
from nlp_core.chart import Chart

MOST_SHOWN = 3
LEAST_WEIGHT = 1.0
"""Natural-log odds that the findings for and against must add up to: below, a diagnosis is not worth a line."""
EXTENSION = "org.dxspan.assessment"
_CARDS = UUID("6f0cf2fd-5d1a-4bd4-9a5b-2f5a2f1c4c11")
"""Namespace of card and suggestion uuids."""
_DEDUPLICATION = UUID("0d7f0c36-5a64-4c43-9f0e-3f8f7b1d2a60")
"""Namespace of the keys by which a client knows two cards for one."""


@dataclass(frozen=True, slots=True)
class CardBuilder:
    """Writes cards for one deployment."""

    public_base_url: str
    now: Callable[[], datetime]
    hide_past_problems: bool = False
    """Hide diagnoses that the problem list holds as resolved, inactive or in remission."""
    suppression: Suppression = field(default_factory=Suppression)
    """What is not shown again."""
    provenance: bool = True
    """Proposed Conditions hold a Provenance."""

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """The card of an assessment that is not silent, or why it shows none."""
        worth_showing = [candidate for candidate in assessment.candidates if candidate.evidence_for]
        news = news_candidates(worth_showing, hide_past=self.hide_past_problems)
        now, recalled, list_readable = self.now(), occasion.recalled, chart.problems_available
        choice = self.suppression.choose(news, recalled, most=MOST_SHOWN, now=now, list_readable=list_readable)
        listed = newly_listed(assessment.candidates, recalled)
        if not choice.shown:
            known = "already-known" if worth_showing else "no-evidence"
            return BuiltCards(silence=choice.hiding or known, listed=listed)
        card = self._card(assessment, chart, occasion, choice.shown)
        hashes = {candidate.diagnosis: evidence_hash(assessment, [candidate]) for candidate in choice.shown}
        if self.suppression.shown_already(hashes, str(card.uuid), recalled, now):
            return BuiltCards(silence="already-shown", listed=listed)
        return BuiltCards(cards=(card,), listed=listed)

    def _card(self, assessment: Assessment, chart: Chart, occasion: Occasion, shown: Sequence[Candidate]) -> Card:
        language = assessment.language
        card_uuid = uuid5(_CARDS, f"{occasion.tenant} {occasion.hook_instance} {evidence_hash(assessment, shown)}")
        earlier = occasion.earlier
        in_language = "?lang=zh" if language == "zh" else ""
        offers = chart.problems_available and not earlier  # nothing to be added unseen by what was written since
        suggestions = self._suggestions(card_uuid, assessment, shown, occasion) if offers else None
        return Card(
            uuid=card_uuid,
            summary=summary(assessment, shown, language, earlier),
            detail=detail(assessment, chart, shown, language, earlier),
            source=Source(
                label=words.LABEL.said_in(language),
                url=f"{self.public_base_url}/about",
                topic=Coding(system=f"{self.public_base_url}/topics", code="diagnoses-to-consider"),
            ),
            suggestions=suggestions,
            selection_behavior="at-most-one" if suggestions else None,
            override_reasons=override_reasons(language),
            links=(
                Link(
                    label=words.HOW_IT_WORKS.said_in(language),
                    url=f"{self.public_base_url}/about{in_language}",
                    type="absolute",
                ),
                Link(
                    label=words.TRANSPARENCY.said_in(language),
                    url=f"{self.public_base_url}{TRANSPARENCY_PATH}{in_language}",
                    type="absolute",
                ),
            ),
            extension={EXTENSION: extension(assessment, shown)},
        )

    def _suggestions(
        self, card_uuid: UUID, assessment: Assessment, shown: Sequence[Candidate], occasion: Occasion
    ) -> tuple[Suggestion, ...]:
        language = assessment.language
        made_with = MadeWith(assessment.model_version, assessment.knowledge_version, self.public_base_url)
        return tuple(
            Suggestion(
                label=words.ADD.said_in(language).format(name=name_of(candidate, language)),
                uuid=uuid5(card_uuid, candidate.diagnosis),
                actions=(
                    Action(
                        type="create",
                        description=words.CREATE.said_in(language).format(name=name_of(candidate, language)),
                        resource=proposed_condition(
                            candidate,
                            patient_id=occasion.patient_id,
                            encounter_id=occasion.encounter_id,
                            recorded=self.now(),
                            language=language,
                            made_with=made_with if self.provenance else None,
                        ),
                    ),
                ),
            )
            for candidate in shown
        )


def news_candidates(candidates: Sequence[Candidate], *, hide_past: bool) -> list[Candidate]:
    """Those that tell a reader something: not on the problem list, not refuted, not named in a note, of some weight."""
    hidden = {"active", "refuted", "past"} if hide_past else {"active", "refuted"}
    news = [c for c in candidates if c.problem_list not in hidden and not c.named_in_chart]
    return [candidate for candidate in news if _weight(candidate) >= LEAST_WEIGHT]


def _weight(candidate: Candidate) -> float:
    return sum(evidence.share for evidence in (*candidate.evidence_for, *candidate.evidence_against))


def summary(
    assessment: Assessment, shown: Sequence[Candidate], language: Language, earlier: EarlierReading | None = None
) -> str:
    """One line within the limit: diagnoses are left out from the end, the last one standing is shortened."""
    origin = words.SINCE.said_in(language) + computed(earlier, language) if earlier else origin_of(assessment, language)
    names = [name_of(candidate, language) for candidate in shown]
    lead, between = words.CONSIDER.said_in(language), words.NEXT.said_in(language)
    while len(names) > 1 and len(lead + between.join(names) + origin) > SUMMARY_LIMIT:
        names.pop()
    room = SUMMARY_LIMIT - len(lead) - len(origin)
    listed = between.join(names)
    return lead + shortened(listed, room) + origin


def origin_of(assessment: Assessment, language: Language) -> str:
    """From how many notes, and how new the newest is."""
    count = assessment.notes_read
    said = (words.FROM_ONE_NOTE if count == 1 else words.FROM_NOTES).said_in(language).format(count=count)
    return f"{said} ({assessment.newest_note.date().isoformat()})" if assessment.newest_note else said


def evidence_hash(assessment: Assessment, shown: Sequence[Candidate]) -> str:
    """Hex digest of what the card rests on: diagnoses, spans and model version."""
    digest = hashlib.sha256(assessment.model_version.encode())
    for candidate in shown:
        digest.update(candidate.diagnosis.encode())
        for evidence in candidate.evidence_for:
            span = f"start={evidence.span.start} end={evidence.span.end}" if evidence.span else None
            digest.update(f"{evidence.reference} {span} {evidence.finding}".encode())
    return digest.hexdigest()


def dedup_key(shown: Sequence[Candidate]) -> str:
    """Equal for cards of one patient that name the same diagnoses, whichever service, call or model they come from."""
    return str(uuid5(_DEDUPLICATION, " ".join(sorted(candidate.diagnosis for candidate in shown))))


def extension(assessment: Assessment, shown: Sequence[Candidate]) -> dict[str, Any]:
    """The same content for machines: every quote with its place, `note.text[start:end] == quote`."""
    return {
        "modelVersion": assessment.model_version,
        "knowledgeVersion": assessment.knowledge_version,
        "language": assessment.language,
        "evidenceHash": evidence_hash(assessment, shown),
        "dedupKey": dedup_key(shown),
        "diagnoses": [
            {
                "id": candidate.diagnosis,
                "code": candidate.icd10cm,
                "probability": round(candidate.probability, 4),
                "evidenceHash": evidence_hash(assessment, [candidate]),
                "for": [_evidence(evidence) for evidence in candidate.evidence_for],
                **(
                    {"against": [_evidence(evidence) for evidence in candidate.evidence_against]}
                    if candidate.evidence_against
                    else {}
                ),
            }
            for candidate in shown
        ],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    place = {"start": evidence.span.start, "end": evidence.span.end} if evidence.span else {}
    return {
        "finding": evidence.finding,
        "present": evidence.present,
        "share": round(evidence.share, 3),
        "reference": evidence.reference,
        "quote": evidence.quote,
        **place,
    }
