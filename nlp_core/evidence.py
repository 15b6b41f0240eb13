"""The words for and against a diagnosis: shares of the reasoner joined with the sources of the findings.

Every quoted span is a slice of its note; a finding without a source is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nlp_core.assessment import MOST_FOR, Evidence, Words
from nlp_core.diagnoses import Ranked, told_place
from nlp_core.findings import ChartFindings, Source
from nlp_core.knowledge import Knowledge

LEAST_FOR = 0.2
LEAST_AGAINST = -0.3
"""Natural-log odds below which a share is too small to be worth a reader's time."""
MOST_AGAINST = 4
LEAST_CHANCE = 0.1
"""Probability that words mean a finding below which they are not quoted for it: they count for what they may mean, but a reader
would find a wrong name under more of them than right ones (docs/log.md)."""
WORDS_AS_A_WHOLE = Words(en="wording like that of such patients", zh="与此病描述相近的语句")
"""Stands where no finding has a name: the case matcher weighed the sentence as a whole."""


def evidence_of(
    ranked: Ranked, found: ChartFindings, knowledge: Knowledge
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """(for, against), strongest share first; no two rest on the same words. Against stand findings alone: that a sentence reads
    otherwise than such cases is no reason that a clinician could weigh."""
    findings = {key: share for key, share in ranked.shares.items() if told_place(key) is None}
    speaking_for = _worded(_strongest(findings, LEAST_FOR), ranked, found, knowledge)
    sentences = _as_a_whole(_strongest(ranked.shares, LEAST_FOR), found, speaking_for)
    speaking_against = sorted((one for one in findings.items() if one[1] <= LEAST_AGAINST), key=lambda one: one[1])
    return (
        tuple(sorted((*speaking_for, *sentences), key=lambda one: -one.share)[:MOST_FOR]),
        tuple(_worded(speaking_against, ranked, found, knowledge)[:MOST_AGAINST]),
    )


def _strongest(shares: Mapping[str, float], least: float) -> list[tuple[str, float]]:
    return sorted((item for item in shares.items() if item[1] >= least), key=lambda item: -item[1])


def _worded(
    shares: Sequence[tuple[str, float]], ranked: Ranked, found: ChartFindings, knowledge: Knowledge
) -> list[Evidence]:
    """Words that may mean several findings are called by the one that they count most as for this diagnosis."""
    meant = ranked.meant()
    quoted: set[tuple[str, str]] = set()
    evidence = []
    for key, share in shares:
        observed = found.observed[key]
        source, finding = observed.sources[0], meant.get(key, key)
        if observed.chance(finding) < LEAST_CHANCE or (source.reference, source.quote) in quoted:
            continue
        quoted.add((source.reference, source.quote))
        names = knowledge.findings[finding].names.display
        evidence.append(_evidence(finding, names, observed.present, source, share))
    return evidence


def _as_a_whole(
    shares: Sequence[tuple[str, float]], found: ChartFindings, besides: Sequence[Evidence]
) -> Iterator[Evidence]:
    """Sentences that count as a whole and hold no words that are quoted already."""
    for key, share in shares:
        place = told_place(key)
        if place is not None and not _holds(source := found.told[place].source, besides):
            yield _evidence("", WORDS_AS_A_WHOLE, True, source, share)


def _holds(source: Source, quoted: Sequence[Evidence]) -> bool:
    """Do words of `source` stand in a quotation of the same note?"""
    span = source.span
    return span is not None and any(
        one.reference == source.reference
        and one.span is not None
        and one.span.start < span.end
        and span.start < one.span.end
        for one in quoted
    )


def _evidence(finding: str, names: Words, present: bool, source: Source, share: float) -> Evidence:
    return Evidence(
        finding=finding,
        names=names,
        present=present,
        share=share,
        reference=source.reference,
        span=source.span,
        quote=source.quote,
        kind=source.kind,
        author_role=source.author_role,
        date=source.date,
    )
