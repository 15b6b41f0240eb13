"""Every way in which entries can contradict one another is found, in small knowledge broken on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from nlp_core import check_diagnoses, check_knowledge
from nlp_core.assessment import Words
from nlp_core.check_knowledge import faults, main, thinnest
from nlp_core.knowledge import AgeRange, Finding, Knowledge, Measured
from nlp_core.knowledge_files import KnowledgeError
from tests.nlp_core.small_knowledge import finding, names, small_knowledge, step

ELSEWHERE = Words(en="It hurts elsewhere", zh="痛在别处")


@pytest.fixture(autouse=True)
def small_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_diagnoses, "MINIMUM_FINDINGS", 3)


def with_findings(*entries: Finding) -> Knowledge:
    """The small knowledge with entries added or replaced."""
    findings = {**small_knowledge().findings, **{entry.id: entry for entry in entries}}
    return small_knowledge().model_copy(update={"findings": findings})


def with_migraine(**fields: Any) -> Knowledge:
    """The small knowledge with fields of migraine changed."""
    diagnoses = small_knowledge().diagnoses
    changed = diagnoses["migraine"].model_copy(update=fields)
    changed.__dict__.pop("shares", None)  # what was worked out for the original came along
    return small_knowledge().model_copy(update={"diagnoses": {**diagnoses, "migraine": changed}})


def changed(entry: str, **fields: Any) -> Finding:
    return small_knowledge().findings[entry].model_copy(update=fields)


def test_sound_knowledge_has_no_fault() -> None:
    assert faults(small_knowledge()) == []


@pytest.mark.parametrize("code", ["G43.99", "X", "", "G43909x", "migraine"])
def test_a_code_that_does_not_exist(code: str) -> None:
    assert faults(with_migraine(icd10cm=code)) == [f"diagnosis migraine: unknown ICD-10-CM code {code}"]


def test_a_diagnosis_of_few_findings() -> None:
    (fault,) = faults(with_migraine(findings={"photophobia": 0.75, "throbbing_headache": 0.7}))
    assert fault.startswith("diagnosis migraine: only 2 findings")


@pytest.mark.parametrize(
    "fields",
    [
        {"findings": {**small_knowledge().diagnoses["migraine"].findings, "aura": 0.3}},
        {"against": {"aura": 0.01}},
        {"risk_factors": {"aura": 0.3, "family_history_migraine": 0.6}},
        {"questions": (step("aura", "Are there lights?"),)},
        {"tests": (step("aura", "Field of view"),)},
    ],
)
def test_a_finding_nobody_wrote(fields: dict[str, Any]) -> None:
    assert "diagnosis migraine: names an unknown finding: aura" in faults(with_migraine(**fields))


def test_a_diagnosis_nobody_wrote() -> None:
    (fault,) = faults(with_migraine(confused_with={"cluster_headache": ELSEWHERE}))
    assert fault == "diagnosis migraine: confused_with names an unknown diagnosis: cluster_headache"


def test_a_finding_both_for_and_against() -> None:
    (fault,) = faults(with_migraine(against={"photophobia": 0.01}))
    assert fault == "diagnosis migraine: photophobia stands both in findings and in against"


def test_a_finding_against_that_would_speak_for() -> None:
    (fault,) = faults(with_migraine(against={"cough": 0.4}))  # its background is 0.15
    assert fault.startswith("diagnosis migraine: cough stands in against")


@pytest.mark.parametrize(
    ("typical", "possible"),
    [
        ((10, 55), (20, 100)),  # typical before possible
        ((10, 55), (4, 50)),  # typical after possible
        ((55, 10), (4, 100)),  # turned round
        ((10, 55), (-1, 100)),
        ((10, 55), (4, 300)),
    ],
)
def test_impossible_ages(typical: tuple[float, float], possible: tuple[float, float]) -> None:
    (fault,) = faults(with_migraine(age=AgeRange(typical=typical, possible=possible)))
    assert fault.startswith("diagnosis migraine: impossible ages")


def test_a_diagnosis_without_a_chinese_name() -> None:
    assert faults(with_migraine(names=names("Migraine", "Migraine"))) == ["diagnosis migraine: has no Chinese name"]


def test_a_finding_without_a_chinese_name() -> None:
    assert faults(with_findings(changed("cough", names=names("cough", "cough")))) == [
        "finding cough: has no Chinese name"
    ]


def test_a_parent_nobody_wrote() -> None:
    assert "finding cough: is_a names an unknown finding: airway_sign" in faults(
        with_findings(changed("cough", is_a=("airway_sign",)))
    )


def test_a_cycle_is_told_of_each_member() -> None:
    broken = with_findings(changed("headache", is_a=("photophobia",)), changed("photophobia", is_a=("headache",)))
    assert {"finding headache: is its own ancestor", "finding photophobia: is its own ancestor"} <= set(faults(broken))


@pytest.mark.parametrize("limits", [{}, {"above": 5.0, "below": 3.0}])
def test_a_threshold_without_one_clear_side(limits: dict[str, float]) -> None:
    broken = changed("leukocytosis", measured=(Measured(loinc=("6690-2",), unit="10*3/uL", **limits),))
    assert faults(with_findings(broken)) == ["finding leukocytosis: measured needs exactly one of above and below"]


def test_a_finding_no_diagnosis_uses() -> None:
    assert faults(with_findings(finding("hiccups", "hiccups", "呃逆"))) == ["finding hiccups: no diagnosis uses it"]


def test_a_finding_used_through_its_child_or_parent_is_no_orphan() -> None:
    listed_parent = finding("thunderclap_headache", "thunderclap headache", "霹雳样头痛", is_a=["headache"])
    assert "chest_pain" not in {f for d in small_knowledge().diagnoses.values() for f in d.shares}  # its child is
    assert faults(with_findings(listed_parent)) == []


def test_one_name_of_two_findings() -> None:
    (fault,) = faults(with_findings(changed("nausea", names=names("nausea | Cough", "恶心"))))
    assert fault == "name 'cough' belongs to cough, nausea"


def test_one_name_of_two_diagnoses() -> None:
    (fault,) = faults(with_migraine(names=names("Migraine | flu", "偏头痛")))
    assert fault == "name 'flu' belongs to influenza, migraine"


def test_a_finding_and_a_diagnosis_may_share_a_name() -> None:
    assert faults(with_migraine(names=names("Migraine | headache", "偏头痛"))) == []


@pytest.mark.parametrize("other", ["headaches", "the headache", "HEADACHE'S"])
def test_two_names_the_lexicon_cannot_tell_apart(other: str) -> None:
    assert faults(with_findings(changed("nausea", names=names(f"nausea | {other}", "恶心"))))


def test_several_faults_are_all_told() -> None:
    broken = with_migraine(icd10cm="X", against={"photophobia": 0.01}, names=names("Migraine", "Migraine"))
    assert len(faults(broken)) == 3


def test_the_thinnest_come_first() -> None:
    assert thinnest(small_knowledge(), count=1) == ["migraine: 4 findings"]


def test_the_command_succeeds_on_sound_knowledge_and_says_its_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_knowledge, "read_knowledge", small_knowledge)
    assert main() == 0
    assert f"6 diagnoses, {len(small_knowledge().findings)} findings, 0 faults" in capsys.readouterr().out


def test_the_command_fails_on_a_fault_and_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_knowledge, "read_knowledge", lambda: with_migraine(icd10cm="X"))
    assert main() == 1
    assert "diagnosis migraine: unknown ICD-10-CM code X" in capsys.readouterr().out


def test_the_command_fails_on_files_that_do_not_parse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreadable() -> Knowledge:
        raise KnowledgeError("broken.yaml: not YAML")

    monkeypatch.setattr(check_knowledge, "read_knowledge", unreadable)
    assert main() == 1
    assert capsys.readouterr().out == "broken.yaml: not YAML\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"attributes": {"trigger": ("moonlight",)}, "is_a": ("dyspnea",)},
        {"attributes": {"site": ("chest",)}},  # a site of nothing
    ],
)
def test_attributes_that_can_never_be_said(fields: dict[str, Any]) -> None:
    (fault,) = faults(with_findings(changed("oliguria", **fields)))
    assert "attribute" in fault


def test_a_child_that_is_commoner_than_its_parent() -> None:
    (fault,) = faults(with_findings(changed("pleuritic_chest_pain", background=0.9)))
    assert fault.startswith("finding pleuritic_chest_pain: its background 0.9 is above that of chest_pain")


def test_a_diagnosis_that_has_the_child_more_often_than_the_parent() -> None:
    (fault,) = faults(with_migraine(findings={"headache": 0.5, "throbbing_headache": 0.7, "photophobia": 0.75}))
    assert fault.startswith("diagnosis migraine: throbbing_headache at 0.7 is a headache")


@pytest.mark.parametrize(
    "measured",
    [
        Measured(loinc=("99999-9",), unit="mg/dL", above=1),  # nobody measures it
        Measured(loinc=("2160-0",), unit="furlongs", above=1),  # not in this unit
        Measured(loinc=("2160-0",), unit="mg/dL", above=1, min_age=60, max_age=50),
    ],
)
def test_a_threshold_that_never_speaks(measured: Measured) -> None:
    (fault,) = faults(with_findings(changed("cough", measured=(measured,))))
    assert fault.startswith("finding cough: measured")


@pytest.mark.parametrize("setting", [{}, {"ambulatory": 0.5}, {"ambulatory": 0.9, "emergency": 0.9}])
def test_settings_that_do_not_add_up(setting: dict[str, float]) -> None:
    (fault,) = faults(with_migraine(setting=setting))
    assert fault.startswith("diagnosis migraine: the shares of its setting add up to")


def test_a_finding_of_the_other_sex() -> None:
    broken = with_migraine(sex="male", findings={**small_knowledge().diagnoses["migraine"].findings, "vaginal_pain": 1})
    assert "diagnosis migraine: male patients cannot have vaginal_pain" in faults(broken)


@pytest.mark.parametrize("words", [Words(en="Give 5 mg", zh="给药"), Words(en="Give it", zh="给药5毫克")])
def test_a_dose(words: Words) -> None:
    (fault,) = faults(with_migraine(treatment=words))
    assert fault.startswith("diagnosis migraine: treatment names a dose")


def test_a_diagnosis_confused_with_itself() -> None:
    assert faults(with_migraine(confused_with={"migraine": ELSEWHERE})) == [
        "diagnosis migraine: is confused with itself"
    ]


def test_a_finding_without_provenance() -> None:
    (fault,) = faults(with_findings(changed("cough", source="")))
    assert fault.startswith("finding cough: does not say from what and when it was written")
