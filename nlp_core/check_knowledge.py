"""Does the knowledge hold together? `python -m nlp_core.check_knowledge` prints every fault and fails on any.

With `--counts` it prints instead how much knowledge there is, as the tables of docs/knowledge.md.

Joins the checks of findings (check_findings) and diagnoses (check_diagnoses) with those over all of them: nobody uses it,
two share a name.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from nlp_core.check_diagnoses import diagnosis_faults
from nlp_core.check_findings import finding_faults
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_counts import counts
from nlp_core.knowledge_files import KnowledgeError, read_knowledge
from nlp_core.words import blank_pipeline, name_stems

FEW_ENGLISH, FEW_CHINESE = 4, 2


def faults(knowledge: Knowledge) -> list[str]:
    """Every fault as one readable line; empty when the knowledge holds together."""
    found: list[str] = []
    for finding in knowledge.findings.values():
        found += [f"finding {finding.id}: {fault}" for fault in finding_faults(finding, knowledge)]
    for diagnosis in knowledge.diagnoses.values():
        found += [f"diagnosis {diagnosis.id}: {fault}" for fault in diagnosis_faults(diagnosis, knowledge)]
    return found + list(_orphans(knowledge)) + list(_name_collisions(knowledge))


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


def few_names(knowledge: Knowledge) -> list[str]:
    """Findings with fewer than four English or two Chinese names: read well only where charts use just these."""
    return [
        finding.id
        for finding in knowledge.findings.values()
        if len(finding.names.en) < FEW_ENGLISH or len(finding.names.zh) < FEW_CHINESE
    ]


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
    few = few_names(knowledge)
    print(
        f"{len(few)} findings have fewer than {FEW_ENGLISH} English or {FEW_CHINESE} Chinese names: {', '.join(few[:20])} ..."
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
