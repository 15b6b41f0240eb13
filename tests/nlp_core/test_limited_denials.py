"""A denial that a place, a side or another circumstance limits denies what both make together, and no more."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.mentions import MentionReader
from tests.nlp_core.small_knowledge import finding, knowledge_of
from tests.nlp_core.test_composed_findings import special


@cache
def reader() -> MentionReader:
    return MentionReader(
        knowledge_of(
            [
                finding("rash", "rash", "皮疹"),
                special("rash_on_palms", "rash", {"site": ("palms_and_soles",)}),
                special("rash_on_feet_or_toes", "rash", {"site": ("foot", "toes")}),
                finding("chest_pain", "chest pain", "胸痛"),
                special("exertional_pain", "chest_pain", {"trigger": ("exertion", "stairs")}),
                finding("purpura", "purpura", "紫癜"),
                special("palpable_purpura", "purpura", {"quality": ("blistering",)}),
                finding("leg_pain", "leg pain", "腿痛"),
                finding("fever", "fever", "发热"),
                finding("cough", "cough", "咳嗽"),
                special("night_cough", "cough", {"timing": ("night",)}),
                special("epigastric_pain", "", {"symptom": ("pain",), "site": ("epigastrium",)}),
                finding("hematochezia", "bloody stool", "血便"),
            ],
            [],
        )
    )


def denied(text: str) -> set[str]:
    mentions, _ = reader().read(text, sex="unknown", age_years=50)
    return {mention.entry for mention in mentions if mention.assertion == "absent"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No rash.", {"rash"}),
        ("No rash on the palms.", {"rash_on_palms"}),
        ("手掌无皮疹。", {"rash_on_palms"}),
        ("手掌未见皮疹。", {"rash_on_palms"}),
        ("No rash on the face.", set()),
        ("No rash on the toes.", set()),  # it may be on the foot
        ("No pain in the left leg.", set()),
        ("No pain in the leg.", {"leg_pain"}),
        ("No pain in the upper abdomen.", {"epigastric_pain"}),
        ("No chest pain on exertion.", {"exertional_pain"}),
        ("On exertion no chest pain.", {"exertional_pain"}),
        ("活动后无胸痛。", {"exertional_pain"}),
        ("No fever or rash on the palms.", {"fever", "rash_on_palms"}),
    ],
)
def test_a_limited_denial_denies_the_special_finding_only(text: str, expected: set[str]) -> None:
    assert denied(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No fever for 3 days.", {"fever"}),
        ("No rash, left leg swollen.", {"rash"}),
        ("Cough at night without fever.", {"fever"}),
        ("Abdomen soft, no fever.", {"fever"}),
        ("无肉眼血便。", {"hematochezia"}),
        ("No rash. The palms are warm.", {"rash"}),
    ],
)
def test_what_stands_near_a_denial_without_limiting_it(text: str, expected: set[str]) -> None:
    assert denied(text) == expected


def test_the_limit_of_a_denial_makes_nothing_of_a_present_symptom() -> None:
    mentions, _ = reader().read("咳嗽，夜间无咳嗽。", sex="unknown", age_years=50)
    assert ("night_cough", "present") not in {(mention.entry, str(mention.assertion)) for mention in mentions}


@pytest.mark.parametrize("text", ["No purpura on legs.", "No purpura on the legs.", "双下肢无紫癜。", "No purpura."])
def test_a_place_limits_no_denial_of_what_is_one_finding_wherever_it_stands(text: str) -> None:
    assert denied(text) == {"purpura"}


def test_the_place_of_such_a_denial_is_no_other_findings() -> None:
    mentions, _ = reader().read("Fever and rash, no purpura on the palms.", sex="unknown", age_years=50)
    said = {(mention.entry, str(mention.assertion)) for mention in mentions}
    assert said == {("fever", "present"), ("rash", "present"), ("purpura", "absent")}
