"""The words for and against a diagnosis: shares of the reasoner joined with the sources of the findings.

Every quoted span is a slice of its note; a finding without a source is no evidence.
"""

from __future__ import annotations

from nlp_core.assessment import Evidence
from nlp_core.diagnoses import Ranked
from nlp_core.findings import ChartFindings, Observed, Source
from nlp_core.knowledge import Knowledge

LEAST_FOR = 0.2
LEAST_AGAINST = -0.3
"""Natural-log odds below which a share is too small to be worth a reader's time."""
MOST_FOR, MOST_AGAINST = 6, 4


def evidence_of(
    ranked: Ranked, found: ChartFindings, knowledge: Knowledge
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """(for, against), strongest share first; no two rest on the same words."""
    speaking_for = sorted((item for item in ranked.shares.items() if item[1] >= LEAST_FOR), key=lambda item: -item[1])
    speaking_against = sorted((item for item in ranked.shares.items() if item[1] <= LEAST_AGAINST), key=lambda i: i[1])
    return (
        _worded(speaking_for, found, knowledge)[:MOST_FOR],
        _worded(speaking_against, found, knowledge)[:MOST_AGAINST],
    )


def _worded(shares: list[tuple[str, float]], found: ChartFindings, knowledge: Knowledge) -> tuple[Evidence, ...]:
    told: set[tuple[str, str]] = set()
    evidence = []
    for finding, share in shares:
        observed = found.observed[finding]
        source = observed.sources[0]
        if (source.reference, source.quote) in told:
            continue
        told.add((source.reference, source.quote))
        evidence.append(_evidence(observed, source, share, knowledge))
    return tuple(evidence)


def _evidence(observed: Observed, source: Source, share: float, knowledge: Knowledge) -> Evidence:
    return Evidence(
        finding=observed.finding,
        names=knowledge.findings[observed.finding].names.display,
        present=observed.present,
        share=share,
        reference=source.reference,
        span=source.span,
        quote=source.quote,
        kind=source.kind,
        author_role=source.author_role,
        date=source.date,
    )
