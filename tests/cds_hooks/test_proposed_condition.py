from datetime import UTC, datetime

import pytest
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.provenance import Provenance

from cds_hooks.proposed_condition import proposed_condition
from cds_hooks.transparency.provenance import AI_CONFIDENCE, ASSERTED_BY_AI, MadeWith, device
from tests.cds_hooks.assessments import assessment

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
CANDIDATE = assessment().candidates[0]
EVIDENCE = CANDIDATE.evidence_for[0]


def condition(references: tuple[str, ...] = ("DocumentReference/1",), **changed):
    evidence = tuple(EVIDENCE.model_copy(update={"reference": reference}) for reference in references)
    candidate = CANDIDATE.model_copy(update={"evidence_for": evidence})
    given = {"patient_id": "p1", "encounter_id": None, "recorded": NOW, "language": "en"}
    return proposed_condition(candidate, **given | changed)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("encounter", [None, "e-1.2"])
@pytest.mark.parametrize(
    "references", [(), ("DocumentReference/1",), ("Observation", "Observation/a_b", "Observation")]
)
def test_whatever_is_sent_is_a_valid_condition(language, encounter, references):
    sent = condition(references, encounter_id=encounter, language=language)
    read = Condition.model_validate(sent)
    assert read.subject.reference == "Patient/p1"
    named = [detail.reference for entry in read.evidence or () for detail in entry.detail]
    assert named == list(dict.fromkeys(references))


def test_one_patients_condition_holds_nothing_of_the_one_before():
    first, second = condition(patient_id="p1", encounter_id="e1"), condition(("Observation/2",), patient_id="p2")
    assert first["subject"] == {"reference": "Patient/p1"}
    assert "encounter" not in second
    assert "p1" not in str(second)


@pytest.mark.parametrize("changed", [{"patient_id": ""}, {"patient_id": "a b"}, {"encounter_id": "../x"}])
def test_an_id_that_is_none_is_refused(changed):
    with pytest.raises(ValueError, match="not a FHIR reference"):
        condition(**changed)


@pytest.mark.parametrize("reference", ["", "two words", "Observation/", "http://elsewhere/Observation/1"])
def test_a_reference_that_is_none_is_refused(reference):
    with pytest.raises(ValueError, match="not a FHIR reference"):
        condition((reference,))


def test_a_moment_without_time_zone_is_refused():
    with pytest.raises(ValueError, match="without time zone"):
        condition(recorded=datetime(2026, 11, 23, 10))


def test_a_diagnosis_that_makes_no_valid_condition_is_refused_every_time():
    nameless = CANDIDATE.model_copy(update={"icd10cm": "two  blanks "})
    for _ in range(2):
        with pytest.raises(ValueError, match="validation error"):
            proposed_condition(nameless, patient_id="p1", encounter_id=None, recorded=NOW, language="en")


def test_d14_the_recorded_date_is_a_day_without_time():
    assert condition()["recordedDate"] == "2026-11-23"
    assert condition(recorded=NOW.replace(hour=23)) == condition()


MADE_WITH = MadeWith("4+abc", "k1", "https://cds.example.org")


def test_it_is_marked_as_asserted_by_ai_with_the_band_that_the_card_shows():
    sent = condition()
    assert sent["meta"]["security"] == [ASSERTED_BY_AI]
    (extension,) = sent["extension"]
    assert extension["url"] == AI_CONFIDENCE
    shown = extension["valueRange"]
    assert (shown["low"]["value"], shown["high"]["value"]) == (CANDIDATE.band.low, CANDIDATE.band.high)


def test_without_calibration_no_confidence_is_claimed():
    unsure = CANDIDATE.model_copy(update={"band": None})
    sent = proposed_condition(unsure, patient_id="p1", encounter_id=None, recorded=NOW, language="en")
    assert "extension" not in sent


@pytest.mark.parametrize("references", [(), ("DocumentReference/1", "Observation/2")])
def test_a_provenance_in_it_says_who_made_it_of_which_notes(references):
    sent = condition(references, made_with=MADE_WITH)
    Condition.model_validate(sent)
    maker, provenance = sent["contained"]
    Device.model_validate(maker)
    read = Provenance.model_validate(provenance)
    assert read.target[0].reference == "#", "the resource that contains it"
    assert read.reason[0].coding[0].code == "AIAST"
    assert read.agent[0].who.reference == f"#{maker['id']}"
    assert [version["value"] for version in maker["version"]] == ["4+abc", "k1"]
    assert [one.what.reference for one in read.entity if one.role == "source"] == list(references)
    (card,) = (one.what.identifier.value for one in read.entity if one.role == "derivation")
    assert card == "https://cds.example.org/transparency/model-card.md"


def test_d14_what_it_holds_of_its_making_is_the_same_all_day():
    assert condition(made_with=MADE_WITH) == condition(made_with=MADE_WITH, recorded=NOW.replace(hour=23))


def test_nothing_in_it_is_labelled_or_versioned_by_itself():
    for one in condition(made_with=MADE_WITH)["contained"]:
        assert "meta" not in one, "FHIR allows a contained resource neither (dom-4, dom-5)"


def test_the_device_stands_alone_too():
    assert Device.model_validate(device(MADE_WITH)).url == "https://cds.example.org/transparency"
