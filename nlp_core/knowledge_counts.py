"""How much knowledge there is, as the Markdown tables of docs/knowledge.md.

Knows how to count entries. Whether they agree with one another is check_knowledge's question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import get_args

from nlp_core.knowledge import Diagnosis, FindingKind, Knowledge

_BY_SPECIALTY = ("specialty", "diagnoses", "read a second time", "linked findings (median)", "ICD-10-CM categories")


def counts(knowledge: Knowledge) -> str:
    """Two Markdown tables, diagnoses by specialty and findings by kind, each with its total.

    Linked findings are those of `findings`, `against` and `risk_factors` together; a category is the first three
    characters of a code. The total of categories counts each once, though specialties share some.
    """
    by_specialty: dict[str, list[Diagnosis]] = {}
    for diagnosis in knowledge.diagnoses.values():
        by_specialty.setdefault(diagnosis.specialty, []).append(diagnosis)
    specialties = [_row(name, entries) for name, entries in sorted(by_specialty.items())]
    kinds = Counter(finding.kind for finding in knowledge.findings.values())
    by_kind = [(kind, str(kinds[kind])) for kind in get_args(FindingKind)]
    everything = _row("**all**", list(knowledge.diagnoses.values()))
    return "\n".join(
        [
            *_table(_BY_SPECIALTY, [*specialties, everything]),
            "",
            *_table(("kind of finding", "findings"), [*by_kind, ("**all**", str(len(knowledge.findings)))]),
        ]
    )


def _row(name: str, diagnoses: Sequence[Diagnosis]) -> tuple[str, ...]:
    linked = median(len(diagnosis.shares) for diagnosis in diagnoses) if diagnoses else 0
    second_read = sum(diagnosis.second_read is not None for diagnosis in diagnoses)
    categories = {diagnosis.icd10cm[:3] for diagnosis in diagnoses}
    return name, str(len(diagnoses)), str(second_read), f"{linked:g}", str(len(categories))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Words to the left, numbers to the right."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return [f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]
