"""Codes of problem lists: how they are written, and which diagnosis they mean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from nlp_core.chart import Coding
from nlp_core.knowledge import Diagnosis, Knowledge
from nlp_core.knowledge_files import read_knowledge
from nlp_core.problem_codes import RULES, Found, ProblemCodes, icd10_codes, root_of
from nlp_core.problem_words import RULES as NAMES
from tests.nlp_core.small_charts import ICD10CM
from tests.nlp_core.small_knowledge import diagnosis

WHO = "http://hl7.org/fhir/sid/icd-10"
EXPORT = Path(__file__).parents[3] / "shared" / "export" / "Condition.000.ndjson"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return read_knowledge()


def listed(code: str, *diagnoses: Diagnosis) -> dict[str, str]:
    """What an ICD-10-CM code on the list is to each of some diagnoses."""
    return {found.diagnosis: found.listed for found in ProblemCodes(diagnoses).find(Coding(system=ICD10CM, code=code))}


GENERAL = diagnosis("general", "general", "总", "L21.9", {})
SPECIAL = diagnosis("special", "special", "特", "L21.1", {})
FEARED = diagnosis("feared", "feared", "危", "L21.8", {}, cannot_miss=True)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("L21.1", {"special": "same", "general": "narrower"}),
        ("l211 ", {"special": "same", "general": "narrower"}),  # written without the point
        ("L21.18", {"special": "narrower", "general": "narrower"}),  # a child
        ("L21.9", {"general": "same", "special": "wider"}),  # unspecified on the list
        ("L21", {"general": "same", "special": "wider"}),  # a parent
        ("L21.0", {"general": "narrower"}),  # two specified siblings
        ("L21.8", {"feared": "same", "general": "narrower"}),
        ("L22.1", {}),  # another category
        ("L2", {}),  # no category at all
        ("", {}),
        ("9", {}),
    ],
)
def test_d4_a_kind_says_the_general_and_the_general_covers_what_need_not_be_feared(
    code: str, said: dict[str, str]
) -> None:
    assert listed(code, GENERAL, SPECIAL, FEARED) == said


def test_d4_e119_on_the_list_covers_e11_65_suggested() -> None:
    hyperglycemia = diagnosis("diabetes_with_hyperglycemia", "hyperglycemia", "高血糖", "E11.65", {})
    plain = diagnosis("type_2_diabetes", "diabetes", "糖尿病", "E11.9", {})
    assert listed("E11.9", plain, hyperglycemia)["diabetes_with_hyperglycemia"] == "wider"
    assert listed("E11.65", plain)["type_2_diabetes"] == "narrower"


@pytest.mark.parametrize(
    ("code", "system", "read"),
    [
        ("E11.65", ICD10CM, ["E1165"]),
        ("E11.900", WHO, ["E119"]),
        ("I10.x05", WHO, ["I10"]),
        ("J18.900x001", WHO, ["J189"]),
        ("E11.200+N08.3*", "GB/T 14396", ["E112", "N083"]),
        ("E11.90", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", ["E1190"]),
        ("T66.XXXA", ICD10CM, ["T66XXXA"]),
        ("E11.9", "", ["E119"]),
        ("H33..", "", []),
        ("250.00", "", []),
        ("44054006", "http://snomed.info/sct", []),
    ],
)
def test_d4_codes_are_read_as_their_system_writes_them(code: str, system: str, read: list[str]) -> None:
    assert icd10_codes(Coding(system=system, code=code)) == read


@pytest.mark.parametrize(
    ("code", "root"),
    [("G5600", "G560"), ("S72009A", "S720"), ("J45909", "J45"), ("E1142", "E1142"), ("K6389", "K6389"),
     ("T782XXA", "T782"), ("T391X1A", "T391"), ("I10", "I10"), ("K358", "K358")],
)  # fmt: skip
def test_unspecified_ends_are_no_disease_of_their_own(code: str, root: str) -> None:
    assert root_of(code) == root


def test_d4_each_diagnosis_is_known_by_its_own_code(knowledge: Knowledge) -> None:
    codes = ProblemCodes(knowledge.diagnoses.values())
    unknown = [
        entry.id
        for entry in knowledge.diagnoses.values()
        if Found(entry.id, "same") not in codes.find(Coding(system=ICD10CM, code=entry.icd10cm))
    ]
    assert unknown == []


def test_the_rules_speak_of_diagnoses_that_exist(knowledge: Knowledge) -> None:
    codes, names = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (RULES, NAMES))
    mentioned = {*codes["icd10cm"], *codes["apart"], *names["names"], *names["lasting"]}
    mentioned |= {one for table in ("past", "icd9cm", "snomed") for ids in codes[table].values() for one in ids}
    mentioned |= {one for group in names["general"].values() for one in group["covers"]}
    assert mentioned - knowledge.diagnoses.keys() == set()


def test_the_codes_of_a_diagnosis_hold_its_own(knowledge: Knowledge) -> None:
    table = yaml.safe_load(RULES.read_text(encoding="utf-8"))["icd10cm"]
    assert [
        entry
        for entry, roots in table.items()
        if not any(knowledge.diagnoses[entry].icd10cm.replace(".", "").startswith(root) for root in roots)
    ] == []


def test_each_snomed_code_was_seen_with_its_display() -> None:
    if not EXPORT.exists():
        pytest.skip("the export is not beside the project")
    seen: dict[str, str] = {}
    for line in EXPORT.read_text(encoding="utf-8").splitlines():
        for coding in json.loads(line)["code"]["coding"]:
            seen[coding["code"]] = re.sub(r" \((?:disorder|finding)\)$", "", coding["display"])
    table = RULES.read_text(encoding="utf-8").partition("\nsnomed:\n")[2]
    written = dict(re.findall(r'^  "(\d+)": \[[^]]*\]  # (.+)$', table, re.MULTILINE))
    assert len(written) == len(yaml.safe_load("x:\n" + table)["x"]) > 30
    assert {code: seen.get(code) for code in written} == written
