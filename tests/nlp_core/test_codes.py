"""Every code the project writes is one: ICD-10-CM by the published list, LOINC by its check digit."""

from __future__ import annotations

import re

import pytest
import simple_icd_10_cm as icd

from nlp_core.analytes import Thresholds
from nlp_core.knowledge_files import read_knowledge


def is_loinc(code: str) -> bool:
    """LOINC's check digit is mod 10: the digits from the right weigh 2, 1, 2, ... and the digits of the products add up."""
    match = re.fullmatch(r"(\d{1,7})-(\d)", code)
    if not match:
        return False
    products = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(match[1]))]
    total = sum(product // 10 + product % 10 for product in products)
    return (10 - total % 10) % 10 == int(match[2])


@pytest.mark.parametrize(
    ("code", "expected"), [("2160-0", True), ("718-7", True), ("2160-1", False), ("53060-9x", False)]
)
def test_the_check_tells_codes_from_slips(code: str, expected: bool) -> None:
    assert is_loinc(code) is expected


def test_every_loinc_code_has_its_check_digit() -> None:
    codes = {code for analyte in Thresholds(()).analytes.values() for code in analyte.loinc}
    codes |= {code for f in read_knowledge().findings.values() for m in f.measured for code in m.loinc}
    assert len(codes) > 200
    assert [code for code in sorted(codes) if not is_loinc(code)] == []


def test_no_loinc_code_measures_two_things() -> None:
    owners: dict[str, list[str]] = {}
    for analyte in Thresholds(()).analytes.values():
        for code in analyte.loinc:
            owners.setdefault(code, []).append(analyte.id)
    assert {code: ids for code, ids in owners.items() if len(ids) > 1} == {}


def test_every_diagnosis_has_a_code_of_the_published_list() -> None:
    codes = {diagnosis.icd10cm for diagnosis in read_knowledge().diagnoses.values()}
    assert [code for code in sorted(codes) if not icd.is_valid_item(code)] == []
    assert len({code[:3] for code in codes}) >= 400
