"""Does the knowledge hold together? `python -m nlp_core.check_knowledge` prints every fault and fails on any.

With `--counts` it prints instead how much knowledge there is, as the tables of docs/knowledge.md.

Knows what makes entries contradict one another. The list of ICD-10-CM codes comes from the `simple-icd-10-cm`
package (a development dependency: serving never needs it).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from nlp_core.attributes import attribute_names
from nlp_core.knowledge import Diagnosis, Finding, Knowledge
from nlp_core.knowledge_counts import counts
from nlp_core.knowledge_files import KnowledgeError, read_knowledge
from nlp_core.words import blank_pipeline, name_stems

MINIMUM_FINDINGS = 12
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def faults(knowledge: Knowledge) -> list[str]:
    """Every fault as one readable line; empty when the knowledge holds together."""
    found: list[str] = []
    for finding in knowledge.findings.values():
        found += [f"finding {finding.id}: {fault}" for fault in _finding_faults(finding, knowledge)]
    for diagnosis in knowledge.diagnoses.values():
        found += [f"diagnosis {diagnosis.id}: {fault}" for fault in _diagnosis_faults(diagnosis, knowledge)]
    return found + list(_orphans(knowledge)) + list(_name_collisions(knowledge))


def _finding_faults(finding: Finding, knowledge: Knowledge) -> Iterator[str]:
    for parent in finding.is_a:
        if parent not in knowledge.findings:
            yield f"is_a names an unknown finding: {parent}"
    if all(parent in knowledge.findings for parent in finding.is_a) and _in_cycle(finding.id, knowledge):
        yield "is its own ancestor"
    if not any(_CHINESE.search(name) for name in finding.names.zh):
        yield "has no Chinese name"
    yield from _attribute_faults(finding)
    for measured in finding.measured:
        if (measured.above is None) == (measured.below is None):
            yield "measured needs exactly one of above and below"


def _attribute_faults(finding: Finding) -> Iterator[str]:
    known = attribute_names()
    for kind, values in finding.attributes.items():
        for value in values:
            if (kind, value) not in known:
                yield f"unknown attribute {kind}: {value}"
    if finding.attributes and not finding.is_a and "symptom" not in finding.attributes:
        yield "attributes without a parent need a symptom among them"


def _in_cycle(start: str, knowledge: Knowledge) -> bool:
    seen: set[str] = set()
    queue = list(knowledge.findings[start].is_a)
    while queue:
        current = queue.pop()
        if current == start:
            return True
        if current not in seen and current in knowledge.findings:
            seen.add(current)
            queue.extend(knowledge.findings[current].is_a)
    return False


def _diagnosis_faults(diagnosis: Diagnosis, knowledge: Knowledge) -> Iterator[str]:
    import simple_icd_10_cm as icd  # imported here: it takes seconds to load and only the check needs it

    if not icd.is_valid_item(diagnosis.icd10cm):
        yield f"unknown ICD-10-CM code {diagnosis.icd10cm}"
    if len(diagnosis.findings) < MINIMUM_FINDINGS:
        yield f"only {len(diagnosis.findings)} findings, at least {MINIMUM_FINDINGS} are expected"
    if not any(_CHINESE.search(name) for name in diagnosis.names.zh):
        yield "has no Chinese name"
    linked = [*diagnosis.findings, *diagnosis.against, *diagnosis.risk_factors]
    linked += [step.finding for step in (*diagnosis.questions, *diagnosis.tests)]
    for finding in dict.fromkeys(linked):
        if finding not in knowledge.findings:
            yield f"names an unknown finding: {finding}"
    yield from _against_faults(diagnosis, knowledge)
    for other in diagnosis.confused_with:
        if other not in knowledge.diagnoses:
            yield f"confused_with names an unknown diagnosis: {other}"
    yield from _age_faults(diagnosis)


def _against_faults(diagnosis: Diagnosis, knowledge: Knowledge) -> Iterator[str]:
    for finding in set(diagnosis.findings) & set(diagnosis.against):
        yield f"{finding} stands both in findings and in against"
    for finding, share in diagnosis.against.items():
        background = knowledge.findings[finding].background if finding in knowledge.findings else 1.0
        if share >= background:
            yield f"{finding} stands in against, but a share of {share} above its background {background} speaks for it"


def _age_faults(diagnosis: Diagnosis) -> Iterator[str]:
    (typical_low, typical_high), (low, high) = diagnosis.age.typical, diagnosis.age.possible
    if not 0 <= low <= typical_low < typical_high <= high <= 130:
        yield f"impossible ages: typical {diagnosis.age.typical}, possible {diagnosis.age.possible}"


def _orphans(knowledge: Knowledge) -> Iterator[str]:
    """Findings that no diagnosis uses, neither themselves nor through a child or parent that one uses."""
    used = {finding for diagnosis in knowledge.diagnoses.values() for finding in diagnosis.shares}
    for finding in list(used & set(knowledge.findings)):
        used.update(knowledge.ancestors(finding) if _parents_known(finding, knowledge) else ())
    for entry in knowledge.findings.values():
        if entry.id not in used and not used & set(entry.is_a):
            yield f"finding {entry.id}: no diagnosis uses it"


def _parents_known(finding: str, knowledge: Knowledge) -> bool:
    queue = [finding]
    for current in queue:
        if current not in knowledge.findings:
            return False
        queue += [parent for parent in knowledge.findings[current].is_a if parent not in queue]
    return True


def _name_collisions(knowledge: Knowledge) -> Iterator[str]:
    """Names that the lexicon cannot tell apart: the same stems in the same order."""
    nlp = blank_pipeline()
    owners: dict[str, list[str]] = defaultdict(list)
    entries = [(finding.id, finding.names) for finding in knowledge.findings.values()]
    entries += [(diagnosis.id, diagnosis.names) for diagnosis in knowledge.diagnoses.values()]
    for identifier, names in entries:
        for stems in {name_stems(name, nlp) for name in (*names.en, *names.zh)}:
            owners[" ".join(stems)].append(identifier)
    for name, ids in sorted(owners.items()):
        findings = [i for i in ids if i in knowledge.findings]
        diagnoses = [i for i in ids if i in knowledge.diagnoses]
        if len(findings) > 1 or len(diagnoses) > 1:
            yield f"name {name!r} belongs to {', '.join(ids)}"


def thinnest(knowledge: Knowledge, count: int = 10) -> list[str]:
    """The diagnoses that lean on the fewest findings, thinnest first."""
    ranked = sorted(knowledge.diagnoses.values(), key=lambda diagnosis: len(diagnosis.shares))
    return [f"{diagnosis.id}: {len(diagnosis.shares)} findings" for diagnosis in ranked[:count]]


def main(arguments: Sequence[str] = ()) -> int:
    """Returns the exit status: 1 where files do not parse or, when checking, where there is any fault."""
    parser = argparse.ArgumentParser(prog="python -m nlp_core.check_knowledge", description="Check the knowledge.")
    parser.add_argument("--counts", action="store_true", help="print how much there is as Markdown, check nothing")
    options = parser.parse_args(arguments)
    try:
        knowledge = read_knowledge()
    except KnowledgeError as error:
        print(error)
        return 1
    if options.counts:
        print(counts(knowledge))
        return 0
    return _report(knowledge)


def _report(knowledge: Knowledge) -> int:
    found = faults(knowledge)
    print("\n".join(found))
    specialties = Counter(diagnosis.specialty for diagnosis in knowledge.diagnoses.values())
    print(f"{len(knowledge.diagnoses)} diagnoses, {len(knowledge.findings)} findings, {len(found)} faults")
    print("by specialty: " + ", ".join(f"{name} {count}" for name, count in sorted(specialties.items())))
    print("thinnest: " + "; ".join(thinnest(knowledge)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
