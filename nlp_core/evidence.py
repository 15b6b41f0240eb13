"""The words for and against a diagnosis: shares of the reasoner joined with the sources of the findings.

Every quoted span is a slice of its note; a finding without a source is no evidence.
"""

from __future__ import annotations

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
"""Stands where no finding has a name: the evidence head weighed the sentence as a whole."""


def evidence_of(
    ranked: Ranked, found: ChartFindings, knowledge: Knowledge
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """(for, against), strongest share first; no two rest on the same words."""
    speaking_for = sorted((item for item in ranked.shares.items() if item[1] >= LEAST_FOR), key=lambda item: -item[1])
    speaking_against = sorted((item for item in ranked.shares.items() if item[1] <= LEAST_AGAINST), key=lambda i: i[1])
    return (
        _worded(speaking_for, ranked, found, knowledge)[:MOST_FOR],
        _worded(speaking_against, ranked, found, knowledge)[:MOST_AGAINST],
    )


def _worded(
    shares: list[tuple[str, float]], ranked: Ranked, found: ChartFindings, knowledge: Knowledge
) -> tuple[Evidence, ...]:
    """Words that may mean several findings are called by the one that they count most as for this diagnosis."""
    meant = ranked.meant()
    told: set[tuple[str, str]] = set()
    evidence = []
    for key, share in shares:
        place = told_place(key)
        source = found.observed[key].sources[0] if place is None else found.told[place].source
        finding = meant.get(key, key) if place is None else ""
        doubtful = place is None and found.observed[key].chance(finding) < LEAST_CHANCE
        if doubtful or (source.reference, source.quote) in told:
            continue
        told.add((source.reference, source.quote))
        present = place is not None or found.observed[key].present
        names = knowledge.findings[finding].names.display if finding else WORDS_AS_A_WHOLE
        evidence.append(_evidence(finding, names, present, source, share))
    return tuple(evidence)


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
