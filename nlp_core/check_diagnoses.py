"""What can be wrong with one diagnosis: its code, ages, sex, shares, links and words.

The list of ICD-10-CM codes comes from the `simple-icd-10-cm` package (a development dependency: serving never needs it).
Yields faults as readable lines without the diagnosis's id; check_knowledge puts that before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp_core.check_findings import CHINESE
from nlp_core.knowledge import Diagnosis, Knowledge

MINIMUM_FINDINGS = 12
_DOSE = re.compile(r"\d\s*(?:mg|mcg|µg|μg|ug|g|mL|ml|units?|IU|毫克|微克|克|毫升|单位)(?:/|\b|(?=[\u3400-\u9fff]))")
_OF_ONE_SEX = {
    "male": re.compile(
        r"(?:^|_)(?:pregnan|vagin|menstru|menses|uterine|uterus|cervical_motion|ovarian|postpartum|lochia)"
    ),
    "female": re.compile(r"(?:^|_)(?:testic|prostat|scrot|penile|epididym|erectile)"),
}
"""Sex of a diagnosis -> ids of findings that its patients cannot have."""


def diagnosis_faults(diagnosis: Diagnosis, knowledge: Knowledge) -> Iterator[str]:
    """Every fault of one diagnosis."""
    import simple_icd_10_cm as icd  # imported here: it takes seconds to load and only the check needs it

    if not icd.is_valid_item(diagnosis.icd10cm):
        yield f"unknown ICD-10-CM code {diagnosis.icd10cm}"
    if len(diagnosis.findings) < MINIMUM_FINDINGS:
        yield f"only {len(diagnosis.findings)} findings, at least {MINIMUM_FINDINGS} are expected"
    yield from _link_faults(diagnosis, knowledge)
    yield from _against_faults(diagnosis, knowledge)
    yield from _kinship_faults(diagnosis, knowledge)
    yield from _person_faults(diagnosis)
    yield from _word_faults(diagnosis)


def _link_faults(diagnosis: Diagnosis, knowledge: Knowledge) -> Iterator[str]:
    linked = [*diagnosis.findings, *diagnosis.against, *diagnosis.risk_factors]
    linked += [step.finding for step in (*diagnosis.questions, *diagnosis.tests)]
    for finding in dict.fromkeys(linked):
        if finding not in knowledge.findings:
            yield f"names an unknown finding: {finding}"
    for other in diagnosis.confused_with:
        if other not in knowledge.diagnoses:
            yield f"confused_with names an unknown diagnosis: {other}"
        elif other == diagnosis.id:
            yield "is confused with itself"


def _against_faults(diagnosis: Diagnosis, knowledge: Knowledge) -> Iterator[str]:
    for listed in ("findings", "risk_factors"):
        for finding in getattr(diagnosis, listed).keys() & diagnosis.against.keys():
            yield f"{finding} stands both in {listed} and in against"
    for finding, share in diagnosis.against.items():
        background = knowledge.findings[finding].background if finding in knowledge.findings else 1.0
        if share >= background:
            yield f"{finding} stands in against, but a share of {share} above its background {background} speaks for it"


def _kinship_faults(diagnosis: Diagnosis, knowledge: Knowledge) -> Iterator[str]:
    """Nobody has pleuritic chest pain more often than chest pain."""
    shares = diagnosis.shares
    for finding in shares.keys() & knowledge.findings.keys():
        if not set(knowledge.findings[finding].is_a) <= knowledge.findings.keys():
            continue
        for parent in knowledge.findings[finding].is_a:
            if parent in shares and shares[finding] > shares[parent]:
                yield f"{finding} at {shares[finding]} is a {parent}, which it has at {shares[parent]} only"


def _person_faults(diagnosis: Diagnosis) -> Iterator[str]:
    (typical_low, typical_high), (low, high) = diagnosis.age.typical, diagnosis.age.possible
    if not 0 <= low <= typical_low < typical_high <= high <= 130:
        yield f"impossible ages: typical {diagnosis.age.typical}, possible {diagnosis.age.possible}"
    if abs(sum(diagnosis.setting.values()) - 1) > 0.011:
        yield f"the shares of its setting add up to {sum(diagnosis.setting.values()):g}, not 1"
    impossible = _OF_ONE_SEX.get(diagnosis.sex)
    for finding in diagnosis.findings if impossible else ():
        if impossible and impossible.search(finding):
            yield f"{diagnosis.sex} patients cannot have {finding}"


def _word_faults(diagnosis: Diagnosis) -> Iterator[str]:
    if not any(CHINESE.search(name) for name in diagnosis.names.zh):
        yield "has no Chinese name"
    for field in ("course", "typical", "treatment", "patients"):
        if getattr(diagnosis, field).zh and not CHINESE.search(getattr(diagnosis, field).zh):
            yield f"{field} is not said in Chinese"
    for field in ("treatment", "patients"):
        for words in (getattr(diagnosis, field).en, getattr(diagnosis, field).zh):
            if dose := _DOSE.search(words):
                yield f"{field} names a dose: {dose.group()}"
