"""What can be wrong with one finding: its parents, attributes, names and numbers.

Yields faults as readable lines without the finding's id; check_knowledge puts that before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from nlp_core.analytes import Thresholds
from nlp_core.attributes import attribute_names
from nlp_core.knowledge import Finding, Knowledge, Measured

CHINESE = re.compile(r"[\u3400-\u9fff]")


def finding_faults(finding: Finding, knowledge: Knowledge) -> Iterator[str]:
    """Every fault of one finding."""
    yield from _parent_faults(finding, knowledge)
    if not any(CHINESE.search(name) for name in finding.names.zh):
        yield "has no Chinese name"
    if not finding.source or finding.written is None:
        yield "does not say from what and when it was written (a `provenance` at the head of its file does for all)"
    yield from _attribute_faults(finding)
    for measured in finding.measured:
        yield from _measured_faults(measured)


def _parent_faults(finding: Finding, knowledge: Knowledge) -> Iterator[str]:
    for parent in finding.is_a:
        if parent not in knowledge.findings:
            yield f"is_a names an unknown finding: {parent}"
        elif finding.background > knowledge.findings[parent].background:
            yield f"its background {finding.background} is above that of {parent}, which it implies"
    if all(parent in knowledge.findings for parent in finding.is_a) and _in_cycle(finding.id, knowledge):
        yield "is its own ancestor"


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


def _attribute_faults(finding: Finding) -> Iterator[str]:
    known = attribute_names()
    for kind, values in finding.attributes.items():
        for value in values:
            if (kind, value) not in known:
                yield f"unknown attribute {kind}: {value}"
    if finding.attributes and not finding.is_a and "symptom" not in finding.attributes:
        yield "attributes without a parent need a symptom among them"


def _measured_faults(measured: Measured) -> Iterator[str]:
    """A rule that can never speak is a fault: serving would pass over it in silence."""
    if (measured.above is None) == (measured.below is None):
        yield "measured needs exactly one of above and below"
        return
    limit = measured.above if measured.above is not None else measured.below
    analytes = [analyte for code in measured.loinc if (analyte := _thresholds().by_loinc.get(code)) is not None]
    if not analytes:
        yield f"measured: no analyte in rules/analytes.yaml has LOINC {', '.join(measured.loinc) or 'code at all'}"
    elif limit is not None and all(analyte.convert(limit, measured.unit) is None for analyte in analytes):
        yield f"measured: {analytes[0].id} is not measured in {measured.unit!r}, or {limit:g} is implausible"
    if measured.min_age is not None and measured.max_age is not None and measured.min_age > measured.max_age:
        yield f"measured: ages {measured.min_age:g} to {measured.max_age:g} are nobody's"


@lru_cache(maxsize=1)
def _thresholds() -> Thresholds:
    return Thresholds(())
