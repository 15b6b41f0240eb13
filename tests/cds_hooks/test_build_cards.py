import asyncio
import html
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.condition import Condition
from pydantic import ValidationError

from cds_hooks.build_cards import EXTENSION, CardBuilder, news_candidates
from cds_hooks.card_detail import DETAIL_LIMIT
from cds_hooks.safe_markdown import WORD_JOINER
from nlp_core.assessment import Assessment, Words
from nlp_core.chart import Unread
from nlp_core.note import Note
from tests.cds_hooks.assessments import BUILDER, NOTE, NOW, assessment, candidate, chart, evidence, occasion


def built(
    given: Assessment | None = None, *, builder: CardBuilder = BUILDER, on: dict[str, Any] | None = None, **of: Any
) -> dict[str, Any]:
    """The one card, as JSON on the wire."""
    result = asyncio.run(builder(given or assessment(), chart(**of), occasion(**(on or {}))))
    assert len(result.cards) == 1
    return result.cards[0].model_dump(mode="json", by_alias=True, exclude_none=True)


def reason(given: Assessment, **of: Any) -> str | None:
    result = asyncio.run(BUILDER(given, chart(**of), occasion()))
    assert result.cards == ()
    return result.silence


def readable(card: dict[str, Any]) -> str:
    return html.unescape(card["detail"]).replace(WORD_JOINER, "")


def empties(value: Any) -> bool:
    if isinstance(value, dict):
        return any(empties(v) for v in value.values()) or value == {}
    if isinstance(value, list):
        return any(empties(v) for v in value) or value == []
    return value is None or value == ""


def test_one_info_card_with_at_most_three_diagnoses():
    card = built(assessment(*[candidate(f"Disease {n}", f"A0{n}") for n in range(5)]))
    assert card["indicator"] == "info"
    assert len(card["extension"][EXTENSION]["diagnoses"]) == 3
    assert len(card["suggestions"]) == 3


def test_required_attributes_are_there_and_nothing_is_empty():
    card = built()
    assert UUID(card["uuid"])
    assert card["summary"]
    assert card["detail"]
    assert card["source"]["label"]
    assert card["source"]["topic"].keys() >= {"code", "system"}
    assert not empties(card)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_d2_summary_stays_under_140_code_points(language: str):
    long = Words(
        en="A very long name of a disease that nobody could ever say in one breath" * 2, zh="很长的疾病名称" * 30
    )
    card = built(assessment(candidate(names=long), candidate("B", "B00", names=long), language=language))
    assert len(card["summary"]) <= 139
    assert card["summary"].endswith("(2026-11-20)")


def test_summary_names_diagnoses_and_notes():
    assert built()["summary"] == "Consider: Influenza; Common cold; COVID-19 — from 1 note (2026-11-20)"


def test_summary_in_chinese():
    assert built(assessment(candidate(), language="zh"))["summary"] == "请考虑：流行性感冒——据1份病历 (2026-11-20)"


def test_detail_says_code_band_spans_kind_role_and_date():
    text = readable(built())
    assert "Influenza (J11.1)" in text
    assert "likely, 60–75 %" in text
    assert "For: “High fever” – Clinic note, Family physician, 2026-11-20" in text
    assert "Against: “chest pain” (absent)" in text
    assert "Influenza PCR" in text
    assert "model 1+abcdef012345" in text
    assert "calibrated on simulated patients only" in text


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        ("en", "simulated patients and on coded notes of this site", "patients only"),
        ("zh", "本院已编码病历", "仅以模拟"),
    ],
)
def test_a_site_that_calibrated_on_its_own_notes_reads_so_on_the_card(language: str, said: str, unsaid: str):
    text = readable(built(assessment(candidate(), language=language, calibrated_on_site=True)))
    assert said in text
    assert unsaid not in text


def test_no_band_without_calibration():
    text = readable(built(assessment(candidate(band=None))))
    assert "likely" not in text
    assert "no calibrated confidence" in text


def test_detail_says_what_was_not_seen():
    unread = (Unread(what="DocumentReference", reason="not-text", count=2),)
    text = readable(built(assessment(notes_unread=3), problems_available=False, unread=unread))
    assert "no laboratory results" in text
    assert "problem list not available" in text
    assert "3 older notes not read" in text
    assert "2 documents could not be read" in text


def test_detail_is_at_most_1500_characters_and_keeps_every_diagnosis():
    words = "<b>" + "many (words) *here* " * 8
    note = Note(reference="DocumentReference/9", text=words, kind="A & B" * 20, date=NOW)
    long = tuple(evidence(words[: 100 + n], note=note) for n in range(6))
    card = built(assessment(*[candidate(f"Disease {n}", f"A0{n}", evidence_for=long) for n in range(3)]))
    assert len(card["detail"]) <= DETAIL_LIMIT
    assert all(f"Disease {n}" in readable(card) for n in range(3))


def test_every_quoted_span_is_a_slice_of_its_note():
    for diagnosis in built()["extension"][EXTENSION]["diagnoses"]:
        for said in (*diagnosis["for"], *diagnosis.get("against", [])):
            assert NOTE.text[said["start"] : said["end"]] == said["quote"]


def test_suggestions_propose_a_valid_unconfirmed_r4_condition():
    suggestion = built()["suggestions"][0]
    action = suggestion["actions"][0]
    condition = Condition.model_validate(action["resource"])
    assert action["type"] == "create"
    assert action["description"]
    assert condition.verificationStatus.coding[0].code == "provisional"
    assert condition.category[0].coding[0].code == "problem-list-item"
    assert condition.code.coding[0].code == "J11.1"
    assert condition.subject.reference == "Patient/p-1"
    assert condition.encounter.reference == "Encounter/e-1"
    assert condition.meta.security[0].code == "AIAST"
    assert condition.evidence[0].detail[0].reference == NOTE.reference


def test_suggestions_without_encounter_name_none():
    assert "encounter" not in built(on={"encounter_id": None})["suggestions"][0]["actions"][0]["resource"]


def test_selection_behavior_is_at_most_one_and_nothing_is_recommended():
    card = built()
    assert card["selectionBehavior"] == "at-most-one"
    assert not any("isRecommended" in suggestion for suggestion in card["suggestions"])


def test_d6_without_problem_list_no_add_button():
    card = built(problems_available=False)
    assert "suggestions" not in card
    assert "selectionBehavior" not in card


def test_override_reasons_have_code_system_and_display():
    for language in ("en", "zh"):
        reasons = built(assessment(language=language))["overrideReasons"]
        assert "cds-not-applicable" in {entry["code"] for entry in reasons}
        assert all(entry["code"] and entry["system"] and entry["display"] for entry in reasons)


def test_links_are_absolute_and_carry_no_app_context():
    for link in built()["links"]:
        assert link["type"] == "absolute"
        assert link["url"].startswith("https://cds.example.org/")
        assert "appContext" not in link


def test_d15_no_fields_of_3_0_that_older_clients_refuse():
    card = built()
    assert "actionSelectionBehavior" not in str(card)
    assert "systemActions" not in card
    assert not any("autolaunchable" in link for link in card["links"])


def test_d14_the_same_call_gets_the_same_card():
    assert built() == built()
    other = built(on={"hook_instance": UUID("b1b0f4d2-6f4e-4a0b-9d7e-1f7f0a5f7a12")})
    assert other["uuid"] != built()["uuid"]


@pytest.mark.parametrize("status", ["active", "refuted"])
def test_what_the_problem_list_holds_or_denies_is_not_shown(status: str):
    shown = news_candidates([candidate(problem_list=status), candidate("Common cold", "J00")], hide_past=False)
    assert [entry.names.en for entry in shown] == ["Common cold"]


def test_past_problems_are_shown_again_unless_the_site_hides_them():
    past = [candidate(problem_list="past")]
    assert news_candidates(past, hide_past=False) == past
    assert news_candidates(past, hide_past=True) == []


def test_what_a_note_names_as_established_is_not_shown():
    assert reason(assessment(candidate(named_in_chart=True))) == "already-known"


def test_a_diagnosis_without_a_word_for_it_is_not_shown():
    assert reason(assessment(candidate(evidence_for=()))) == "no-evidence"


def test_no_name_identifier_or_birth_date_reaches_the_card():
    card = str(built())
    assert "p-1" not in card.replace("Patient/p-1", "")
    assert "Practitioner/7" not in card


def test_d12_two_services_with_the_same_diagnosis_share_uuid_and_evidence_hash():
    one, other = (built(on={"service_id": service}) for service in ("dxspan-patient-view", "dxspan-order-select"))
    assert one["uuid"] == other["uuid"]
    assert one["extension"][EXTENSION]["evidenceHash"] == other["extension"][EXTENSION]["evidenceHash"]


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 1.1, float("inf")])
def test_d13_what_is_no_probability_makes_no_candidate(probability: float):
    with pytest.raises(ValidationError):
        candidate(probability=probability)


@pytest.mark.parametrize("character", ["e\u0301", "\u4eba\ufe0f", "\U0001f44d\U0001f3fd", "o\u0302\u0323"])
@pytest.mark.parametrize("before", ["", "x", "xx"])
def test_d2_a_long_name_is_cut_on_a_whole_character(character: str, before: str):
    name = before + character * 150
    card = built(assessment(candidate(names=Words(en=name, zh=name))))
    assert len(card["summary"]) <= 139
    begun = card["summary"].split("…")[0].removeprefix(f"Consider: {before}")
    assert begun
    assert begun == character * (len(begun) // len(character))


def test_c17_an_old_note_is_shown_with_its_date():
    old = NOTE.model_copy(update={"date": NOW.replace(year=2009)})
    speaking = (evidence("High fever", note=old), evidence("body aches", note=old))
    given = assessment(candidate(evidence_for=speaking, evidence_against=()), newest_note=old.date)
    card = built(given, notes=(old,))
    assert "2009" in card["summary"]
    assert readable(card).count("2009") >= len(speaking)
