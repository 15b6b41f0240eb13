"""Knowledge small enough to keep in one's head: six diagnoses, and what tells them apart.

Tests of reading and reasoning stand on it, so that no edit of the real knowledge breaks them. The relations:

    chest_pain <- pleuritic_chest_pain      dyspnea <- sudden_dyspnea       fever <- high_fever
    headache <- throbbing_headache          abdominal_pain <- right_lower_quadrant_pain
    hyperkalemia <- severe_hyperkalemia
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any

from nlp_core.assessment import Words
from nlp_core.knowledge import AgeRange, Diagnosis, Finding, FindingKind, Knowledge, Measured, Names, Step

EMPTY = Words(en="", zh="")


def names(en: str, zh: str) -> Names:
    """Names as written here: `chest pain | pain in the chest`."""
    return Names(en=tuple(en.split(" | ")), zh=tuple(zh.split(" | ")))


def finding(
    entry: str,
    en: str,
    zh: str,
    *,
    kind: FindingKind = "symptom",
    background: float = 0.05,
    is_a: Sequence[str] = (),
    measured: Iterable[Measured] = (),
) -> Finding:
    return Finding(
        id=entry,
        kind=kind,
        is_a=tuple(is_a),
        names=names(en, zh),
        background=background,
        measured=tuple(measured),
        source="invented for tests",
        written=date(2026, 11, 1),
    )


def diagnosis(entry: str, en: str, zh: str, icd10cm: str, findings: dict[str, float], **fields: Any) -> Diagnosis:
    """A diagnosis of any age and sex that comes within days, unless `fields` say otherwise."""
    usual: dict[str, Any] = {
        "frequency": "common",
        "age": AgeRange(typical=(5, 85), possible=(0, 120)),
        "setting": {"ambulatory": 1.0},
        "onset": "days",
        "urgency": "routine",
        "course": EMPTY,
        "typical": EMPTY,
        "treatment": EMPTY,
        "patients": EMPTY,
        "source": "invented for tests",
        "written": date(2026, 11, 1),
    }
    return Diagnosis(id=entry, names=names(en, zh), icd10cm=icd10cm, findings=findings, **{**usual, **fields})


def step(entry: str, words: str) -> Step:
    return Step(finding=entry, en=words, zh=f"（{words}）")


def knowledge_of(findings: Iterable[Finding], diagnoses: Iterable[Diagnosis]) -> Knowledge:
    return Knowledge(
        version="small",
        findings={entry.id: entry for entry in findings},
        diagnoses={entry.id: entry for entry in diagnoses},
    )


@cache
def small_knowledge() -> Knowledge:
    return knowledge_of(_findings(), _diagnoses())


def _findings() -> list[Finding]:
    return [*_symptoms(), *_measured(), *_history()]


def _symptoms() -> list[Finding]:
    return [
        finding("chest_pain", "chest pain", "胸痛", background=0.06),
        finding("pleuritic_chest_pain", "pleuritic chest pain", "胸膜性胸痛", background=0.01, is_a=["chest_pain"]),
        finding("dyspnea", "dyspnea | shortness of breath", "呼吸困难 | 气短", background=0.08),
        finding("sudden_dyspnea", "sudden shortness of breath", "突发呼吸困难", background=0.008, is_a=["dyspnea"]),
        finding("cough", "cough", "咳嗽", background=0.15),
        finding("runny_nose", "runny nose | rhinorrhea", "流涕", background=0.08),
        finding("body_aches", "body aches | myalgia", "全身酸痛 | 肌痛", background=0.05),
        finding("headache", "headache", "头痛", background=0.12),
        finding("throbbing_headache", "throbbing headache", "搏动性头痛", background=0.02, is_a=["headache"]),
        finding("photophobia", "photophobia", "畏光", background=0.02),
        finding("nausea", "nausea", "恶心", background=0.1),
        finding("abdominal_pain", "abdominal pain", "腹痛", background=0.1),
        finding(
            "right_lower_quadrant_pain",
            "right lower quadrant pain | RLQ pain",
            "右下腹痛",
            background=0.01,
            is_a=["abdominal_pain"],
        ),
        finding("oliguria", "oliguria | passing little urine", "少尿", background=0.02),
    ]


def _measured() -> list[Finding]:
    def lab(entry: str, en: str, zh: str, measured: Measured, **fields: Any) -> Finding:
        return finding(entry, en, zh, **{"kind": "lab", "measured": [measured], "background": 0.03, **fields})

    def potassium(**limits: float) -> Measured:
        return Measured(loinc=("2823-3",), unit="mmol/L", **limits)

    temperature, pulse = ("8310-5",), ("8867-4",)
    return [
        lab("fever", "fever | febrile", "发热", Measured(loinc=temperature, unit="Cel", above=38), kind="vital"),
        lab("high_fever", "high fever", "高热", Measured(loinc=temperature, unit="Cel", above=39), is_a=["fever"]),
        lab("tachycardia", "tachycardia", "心动过速", Measured(loinc=pulse, unit="/min", above=100, min_age=15)),
        lab("hyperkalemia", "hyperkalemia", "高钾血症", potassium(above=5.5)),
        lab("severe_hyperkalemia", "severe hyperkalemia", "重度高钾血症", potassium(above=6.5), is_a=["hyperkalemia"]),
        lab("hypokalemia", "hypokalemia", "低钾血症", potassium(below=3.5)),
        lab("leukocytosis", "leukocytosis", "白细胞增多", Measured(loinc=("6690-2",), unit="10*3/uL", above=11)),
        lab(
            "elevated_d_dimer",
            "elevated D-dimer",
            "D-二聚体升高",
            Measured(loinc=("48065-7",), unit="ng/mL", above=500),
        ),
        finding("positive_influenza_test", "positive influenza test", "流感检测阳性", kind="lab", background=0.001),
    ]


def _history() -> list[Finding]:
    history: dict[str, Any] = {"kind": "history", "background": 0.02}
    return [
        finding("prior_thrombosis", "deep vein thrombosis | DVT", "深静脉血栓", **history),
        finding(
            "family_history_migraine", "family history of migraine", "偏头痛家族史", **{**history, "background": 0.1}
        ),
        finding("sick_contact", "sick contact", "接触患者", kind="exposure", background=0.05),
    ]


def _diagnoses() -> list[Diagnosis]:
    return [*_chest(), *_elsewhere()]


def _chest() -> list[Diagnosis]:
    return [
        diagnosis(
            "common_cold",
            "Common cold",
            "普通感冒",
            "J00",
            {"runny_nose": 0.85, "cough": 0.6, "headache": 0.25, "body_aches": 0.2},
            frequency="very_common",
            against={"high_fever": 0.01},
            risk_factors={"sick_contact": 0.4},
            questions=(step("runny_nose", "Is the nose running?"), step("sick_contact", "Is anybody around ill?")),
        ),
        diagnosis(
            "influenza",
            "Influenza | flu",
            "流行性感冒 | 流感",
            "J11.1",
            {
                "fever": 0.85,
                "high_fever": 0.6,
                "cough": 0.8,
                "body_aches": 0.8,
                "headache": 0.6,
                "positive_influenza_test": 0.8,
            },
            urgency="soon",
            risk_factors={"sick_contact": 0.5},
            questions=(step("body_aches", "Does the whole body ache?"), step("high_fever", "How high was the fever?")),
            tests=(step("positive_influenza_test", "Influenza test"),),
        ),
        diagnosis(
            "pulmonary_embolism",
            "Pulmonary embolism | PE",
            "肺栓塞",
            "I26.99",
            {
                "dyspnea": 0.8,
                "sudden_dyspnea": 0.5,
                "pleuritic_chest_pain": 0.5,
                "cough": 0.3,
                "tachycardia": 0.45,
                "elevated_d_dimer": 0.95,
            },
            frequency="uncommon",
            onset="sudden",
            urgency="emergency",
            cannot_miss=True,
            risk_factors={"prior_thrombosis": 0.25},
            questions=(
                step("pleuritic_chest_pain", "Does it hurt to breathe in?"),
                step("sudden_dyspnea", "Did the shortness of breath come suddenly?"),
                step("prior_thrombosis", "Was there a clot in a leg before?"),
            ),
            tests=(step("elevated_d_dimer", "D-dimer"), step("tachycardia", "Electrocardiogram")),
        ),
    ]


def _elsewhere() -> list[Diagnosis]:
    return [
        diagnosis(
            "migraine",
            "Migraine",
            "偏头痛",
            "G43.909",
            {"throbbing_headache": 0.7, "photophobia": 0.75, "nausea": 0.6},
            age=AgeRange(typical=(10, 55), possible=(4, 100)),
            onset="hours",
            risk_factors={"family_history_migraine": 0.6},
            questions=(step("photophobia", "Does light hurt?"),),
        ),
        diagnosis(
            "appendicitis",
            "Acute appendicitis | appendicitis",
            "急性阑尾炎 | 阑尾炎",
            "K35.80",
            {"right_lower_quadrant_pain": 0.85, "nausea": 0.7, "fever": 0.5, "leukocytosis": 0.8},
            age=AgeRange(typical=(5, 50), possible=(1, 100)),
            onset="hours",
            urgency="emergency",
            cannot_miss=True,
            questions=(step("right_lower_quadrant_pain", "Does it hurt in the lower right of the belly?"),),
            tests=(step("leukocytosis", "White cell count"),),
        ),
        diagnosis(
            "acute_kidney_injury",
            "Acute kidney injury | AKI",
            "急性肾损伤",
            "N17.9",
            {"oliguria": 0.5, "hyperkalemia": 0.4, "nausea": 0.4, "hypokalemia": 0.02},
            urgency="urgent",
            tests=(step("hyperkalemia", "Serum potassium"),),
        ),
    ]
