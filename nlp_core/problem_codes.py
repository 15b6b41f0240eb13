"""Codes of a problem list -> the diagnoses of the knowledge they mean.

Input : Coding(system="http://hl7.org/fhir/sid/icd-10-cm", code="E11.65")
Output: (type_2_diabetes, narrower): what is listed is a kind of it.
Knows how ICD-10 codes are written (ICD-10-CM, WHO, the Chinese GB/T 14396 and clinical editions), which codes mean a
diagnosis (its own and rules/problem_codes.yaml) and which diagnoses are kinds of others. What the status of a problem
makes of it is known_problems' business.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import yaml

from nlp_core.chart import Coding
from nlp_core.knowledge import Diagnosis

RULES = Path(__file__).parent / "rules" / "problem_codes.yaml"
Listed = Literal["same", "narrower", "wider", "past"]
"""What is listed, seen from the diagnosis: the disease itself, a kind of it, a general entry that covers it, or a code
that says it was there."""
_ICD_10 = re.compile(
    r"icd-?10|cim-?10|2\.16\.840\.1\.113883\.6\.(?:90|3)(?:\.|$)|gb/?t ?14396|国临|国标|疾病分类|诊断编码|诊断代码",
    re.IGNORECASE,
)
_CLINICAL_MODIFICATION = re.compile(r"icd-?10-?cm|\.6\.90$", re.IGNORECASE)
_ICD_9 = re.compile(r"icd-?9|2\.16\.840\.1\.113883\.6\.(?:103|42|2)$", re.IGNORECASE)
_SNOMED = re.compile(r"snomed|2\.16\.840\.1\.113883\.6\.96$", re.IGNORECASE)
_WRITTEN_LIKE_ICD_10 = re.compile(r"[A-Z]\d[\dA-Z](?:\.[\dAX][\dA-Z]{0,3}(?:x\d{3})?)?", re.IGNORECASE)
_CHINESE = re.compile(r"[A-Z]\d\d[X\d]\d\d(?:X\d{3})?")
"""Four characters of WHO's ICD-10 (X where it has three) with two digits more, and three more of the clinical edition."""
_POISONS = re.compile(r"T(?:3[6-9]|[45]\d|6[0-5])")


@dataclass(frozen=True, slots=True)
class Found:
    """A diagnosis that a code or a name speaks of."""

    diagnosis: str
    listed: Listed


class ProblemCodes:
    """The codes of one knowledge's diagnoses; built once per process, in some milliseconds."""

    def __init__(self, diagnoses: Iterable[Diagnosis], path: Path = RULES) -> None:
        rules: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._diagnoses = {diagnosis.id: diagnosis for diagnosis in diagnoses}
        self._own = {d.id: plain(d.icd10cm) for d in self._diagnoses.values()}
        self._roots = {d: tuple(rules["icd10cm"].get(d, [root_of(code)])) for d, code in self._own.items()}
        self._apart = frozenset(rules["apart"])
        self._past: Mapping[str, Sequence[str]] = rules["past"]
        self._icd9: Mapping[str, Sequence[str]] = rules["icd9cm"]
        self._snomed: Mapping[str, Sequence[str]] = {str(code): ids for code, ids in rules["snomed"].items()}
        self._by_category: dict[str, set[str]] = defaultdict(set)
        for diagnosis, roots in self._roots.items():
            for code in (*roots, self._own[diagnosis]):
                self._by_category[code[:3]].add(diagnosis)
        self._wider, self._kinds = self._kinship()

    def find(self, coding: Coding) -> Iterator[Found]:
        """What a coding speaks of; nothing for codes of unknown systems."""
        if _ICD_9.search(coding.system):
            yield from self._named(_most_special(plain(coding.code), self._icd9))
        elif _SNOMED.search(coding.system):
            yield from self._named(self._snomed.get(coding.code.strip(), ()))
        else:
            for code in icd10_codes(coding):
                yield from self._of_icd10(code)

    def meaning(self, diagnosis: str) -> Iterator[Found]:
        """A diagnosis on the list, with the wider ones it is a kind of and the kinds of it that it covers."""
        yield Found(diagnosis, "same")
        yield from (Found(wider, "narrower") for wider in self._wider.get(diagnosis, ()))
        yield from (Found(kind, "wider") for kind in self._kinds.get(diagnosis, ()))

    def _named(self, diagnoses: Iterable[str]) -> Iterator[Found]:
        for diagnosis in diagnoses:
            if diagnosis in self._diagnoses:
                yield from self.meaning(diagnosis)

    def _of_icd10(self, code: str) -> Iterator[Found]:
        for prefix, diagnoses in self._past.items():
            if code.startswith(prefix):
                yield from (Found(diagnosis, "past") for diagnosis in diagnoses if diagnosis in self._diagnoses)
        for diagnosis in self._by_category.get(code[:3], ()):
            listed = self._listed(code, diagnosis)
            if listed == "same":
                yield from self.meaning(diagnosis)
            elif listed:
                yield Found(diagnosis, listed)

    def _listed(self, code: str, diagnosis: str) -> Listed | None:
        own = self._own[diagnosis]
        if any(code.startswith(root) for root in self._roots[diagnosis]):
            return "same" if own.startswith(code) or code == root_of(own) else "narrower"
        if code == own:
            return "same"
        if own.startswith(code) and self._may_be_hidden(diagnosis, by_category=len(code) == 3):
            return "wider"
        return None

    def _may_be_hidden(self, diagnosis: str, *, by_category: bool = True) -> bool:
        """May a more general entry hide it?"""
        return not self._diagnoses[diagnosis].cannot_miss and not (by_category and diagnosis in self._apart)

    def _kinship(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """For each diagnosis the wider ones whose codes hold its own, and of its kinds those it may hide."""
        wider: dict[str, set[str]] = defaultdict(set)
        kinds: dict[str, set[str]] = defaultdict(set)
        for kind, own in self._own.items():
            for other in self._by_category[own[:3]] - {kind}:
                if own != self._own[other] and any(own.startswith(root) for root in self._roots[other]):
                    wider[kind].add(other)
                    if self._may_be_hidden(kind) and not any(self._own[other].startswith(r) for r in self._roots[kind]):
                        kinds[other].add(kind)
        return wider, kinds


def plain(code: str) -> str:
    """Upper case, without point, blanks and the marks of ICD-10's double classification."""
    return re.sub(r"[^\dA-Z]", "", code.upper())


def icd10_codes(coding: Coding) -> list[str]:
    """The plain ICD-10 codes of a coding: two where a cause and its manifestation are written as one (E11.2+N08.3*).

    A code without a system counts where it is written like one. Chinese codes are cut to what WHO's ICD-10 says.
    """
    known = _ICD_10.search(coding.system)
    if not known and (coding.system or not _WRITTEN_LIKE_ICD_10.fullmatch(coding.code.strip())):
        return []
    codes = [plain(part) for part in coding.code.split("+")]
    if not _CLINICAL_MODIFICATION.search(coding.system):
        codes = [code[:4].removesuffix("X") if _CHINESE.fullmatch(code) else code for code in codes]
    return [code for code in codes if len(code) >= 3]


def root_of(code: str) -> str:
    """The code below which all is the same disease: without its unspecified ends, side and encounter.

    code: a plain ICD-10-CM code. G56.00 -> G56.0, S72.009A -> S72.0, J45.909 -> J45; E11.42 and K63.89 (other) stay.
    """
    if len(code) == 7 and code[-1] == "A":
        code = code[:6].rstrip("X")
    if _POISONS.match(code):
        return code[:5].rstrip("X")  # the sixth character is intent
    while len(code) > 4 and code[-1] in "09X" and not code.endswith("89"):
        code = code[:-1]
    return code[:3] if code[3:] == "9" else code


def _most_special(code: str, table: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """What the longest pattern says that the code begins with."""
    fitting = [pattern for pattern in table if fnmatchcase(code, f"{pattern}*")]
    return table[max(fitting, key=len)] if fitting else ()
