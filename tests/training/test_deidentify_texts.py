"""Identifiers in texts: found, replaced by the same surrogate everywhere, words of medicine left, offsets kept."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.deidentify.chinese_identifiers import is_citizen_number
from training.deidentify.dates import moved_iso, rewritten
from training.deidentify.identifier_head.head import shipped_head
from training.deidentify.kinds import Found, Kind, joined
from training.deidentify.known_identifiers import Known, KnownIdentifiers
from training.deidentify.notes import NoteCleaner, Person, new_offset, nobody
from training.deidentify.patterns import PatternFinder, read_patterns
from training.deidentify.searched_text import SearchedText
from training.deidentify.surrogates import Surrogates, read_key
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.command import FITTED_ON
from training.measures.planted_notes import SETS, Outcome, judge, people, planted_notes

PLANTED = Path(__file__).parent / "planted"
HELD = 0.87
LARGE_AND_FITTED_ON = FITTED_ON[2:]
"""What is found in them says nothing and takes minutes."""
KEY = b"a key of a test, thirty-two characters or more"


@pytest.fixture(scope="module")
def cleaner() -> NoteCleaner:
    return NoteCleaner(Surrogates(KEY, vocabulary()), head=shipped_head(vocabulary()))


def outcome(cleaner: NoteCleaner, name: str, shift: int | None) -> Outcome:
    return judge(
        list(planted_notes(PLANTED / f"{name}.txt")), people(PLANTED / "patients.ndjson", shift), cleaner, shift
    )


def person(*known: Known, shift: int | None = 10) -> Person:
    return Person("Patient/1", KnownIdentifiers(known, vocabulary()), shift)


def test_the_planted_notes_hold_two_hundred_identifiers_of_all_kinds_in_both_languages() -> None:
    notes = [note for name in SETS for note in planted_notes(PLANTED / f"{name}.txt")]
    kinds = [one.kind for note in notes for one in note.identifiers]
    assert len(kinds) >= 200
    assert set(kinds) == set(Kind)
    assert {note.chinese for note in notes} == {True, False}


@pytest.mark.parametrize("shift", [None, 30], ids=["safe-harbor", "expert-shift"])
def test_the_planted_identifiers_that_rules_were_written_for_are_wholly_found_and_few_other_words_are_lost(
    cleaner: NoteCleaner, shift: int | None
) -> None:
    outcomes = {name: outcome(cleaner, name, shift) for name in SETS if name not in LARGE_AND_FITTED_ON}
    assert outcomes["development"].recall >= 0.99, outcomes["development"].missed
    # Floors at what docs/deidentification.md says, so that no change loses any: the aim of 0.99 is not met on all of these.
    assert outcomes["test"].recall >= 0.97
    assert outcomes["unseen"].recall >= 0.97
    assert outcomes["development2"].recall >= 0.95
    # Notes that neither rules nor head were fitted on: by counts, so that nobody reads what was missed.
    floors = {
        "development3_check": 0.87, "development4_check_en": 0.83, "development4_check_zh": 0.84, "development5_check_en": 0.79,
        "development5_check_zh": 0.80, "development6_check_en": 0.80, "development6_check_zh": 0.75, "development7_check_en": 0.81,
        "development7_check_zh": 0.75,
    }  # fmt: skip
    below = {name: outcomes[name].recall for name, floor in floors.items() if outcomes[name].recall < floor}
    assert not below
    assert outcomes["held"].recall >= HELD
    seen = {name: one.lost_share for name, one in outcomes.items() if name != "held"}
    assert all(share <= 0.03 for share in seen.values()), seen
    assert outcomes["held"].lost_share <= 0.03, outcomes["held"].lost_share


@pytest.mark.parametrize("rule", read_patterns(), ids=lambda rule: f"{rule.kind}-{rule.finds[0]}")
def test_every_pattern_finds_its_examples_and_leaves_the_others(rule) -> None:  # type: ignore[no-untyped-def]
    finder = PatternFinder(vocabulary())
    for example in rule.finds:
        assert rule.kind in {one.kind for one in finder.find(SearchedText(example))}, example
    for example in rule.leaves:
        assert not list(finder.find(SearchedText(example))), example


@pytest.mark.parametrize(
    "text",
    [
        "Parkinson's disease, Crohn disease, Graves ophthalmopathy, Hodgkin lymphoma, Bell's palsy.",
        "Murphy sign negative, Babinski absent, Romberg positive, Glasgow 15, Foley catheter, Whipple procedure.",
        "It may help. March fracture of the foot. She will return in 2 weeks.",
        "WBC 7.8, platelets 210-450, BP 120/80, troponin 0.013, TSH 4.12, INR 2.3 to 3.1, SpO2 97%.",
        "metoprolol 25 mg, Eliquis 5 mg, Lasix 40 mg IV, Keppra 500 mg, doses 100-200-3000 mg",
        "pain 7/10, strength 5/5, 1/2 tablet, T12-L1, C5-C6, 3-4 times a day",
        "白细胞 7.8×10^9/L，血红蛋白 120 g/L，血压 138/82mmHg，帕金森病，克罗恩病，桥本甲状腺炎。",
        "高血压病史20年，否认糖尿病；双肾区无叩痛，尿路感染；主任医师、住院医师共同查房，就诊于当地人民医院。",
    ],
)
def test_words_of_medicine_and_measurements_stay(cleaner: NoteCleaner, text: str) -> None:
    assert cleaner.clean(text, nobody(None)).text == text


def test_the_record_finds_a_name_in_any_case_and_a_number_with_any_marks(cleaner: NoteCleaner) -> None:
    whom = person(
        Known(Kind.NAME, "Zoë"),
        Known(Kind.NAME, "Okparaebo"),
        Known(Kind.PHONE, "413-555-0100"),
        Known(Kind.MEDICAL_RECORD, "44-1209"),
    )
    text = "ZOE OKPARAEBO (zoë okparaebo) rang 413 555 0100, chart 441209; tel ４１３５５５０１００"
    cleaned = cleaner.clean(text, whom).text
    assert not any(said in cleaned.lower() for said in ("zoe", "zoë", "okparaebo", "413", "1209", "５５５"))


def test_a_name_that_is_a_word_is_told_by_its_place(cleaner: NoteCleaner) -> None:
    whom = person(Known(Kind.NAME, "May"), Known(Kind.NAME, "Brown"))
    cleaned = cleaner.clean("May Brown has brown sputum. It may be bronchitis. Brown reports pain.", whom).text
    assert "brown sputum. It may be bronchitis." in cleaned
    assert "May" not in cleaned
    assert "Brown" not in cleaned


def test_a_patient_called_parkinson_keeps_the_disease(cleaner: NoteCleaner) -> None:
    cleaned = cleaner.clean("Mr Parkinson has Parkinson's disease.", person(Known(Kind.NAME, "Parkinson"))).text
    assert cleaned.endswith("has Parkinson's disease.")
    assert not cleaned.startswith("Mr Parkinson")


def test_the_same_name_gets_the_same_surrogate_in_its_case_and_another_patient_another(cleaner: NoteCleaner) -> None:
    whom = person(Known(Kind.NAME, "Okparaebo"))
    first, second = cleaner.clean("Okparaebo and OKPARAEBO", whom).text.split(" and ")
    assert first.upper() == second
    other = Person("Patient/2", whom.known, 10)
    assert cleaner.clean("Okparaebo", other).text != first


def test_another_key_gives_other_surrogates() -> None:
    text = "Seen by Dr. Okparaebo, MRN 00482913."
    cleaned = {NoteCleaner(Surrogates(key * 32, vocabulary())).clean(text, nobody(None)).text for key in (b"a", b"b")}
    assert len(cleaned) == 2


@pytest.mark.parametrize(
    ("written", "moved", "year"),
    [
        ("3/5/2021", "3/15/2021", "2021"),
        ("03/25/2021", "04/04/2021", "2021"),
        ("2021-12-28", "2022-01-07", "2021"),
        ("25.12.2020", "4.1.2021", "2020"),
        ("20210305", "20210315", "2021"),
        ("March 5, 2021", "March 15, 2021", "2021"),
        ("5 May 2020", "15 May 2020", "2020"),
        ("12-JAN-2019", "22-JAN-2019", "2019"),
        ("2021年3月5日", "2021年3月15日", "2021年"),
        ("3月25日", "4月4日", "某日"),
        ("93", "90+", "90+"),
    ],
)
def test_dates_are_moved_in_the_form_they_were_written_in_or_their_year_is_left(
    written: str, moved: str, year: str
) -> None:
    assert rewritten(written, folded(written), 10) == moved
    assert rewritten(written, folded(written), None) == year


def test_a_moved_date_keeps_its_time_and_precision() -> None:
    assert moved_iso("2021-12-28T10:00:00-05:00", 10) == "2022-01-07T10:00:00-05:00"
    assert moved_iso("2021-12", 30) == "2022-01"
    assert moved_iso("2021-13-40", 10) is None


def test_safe_harbor_says_no_day_and_no_month(cleaner: NoteCleaner) -> None:
    cleaned = cleaner.clean(
        "Seen Monday, March 5, 2021 and on 4/12; 于5月19日复查，2020年11月入院。", nobody(None)
    ).text
    assert not any(said in cleaned for said in ("Monday", "March", "4/12", "5月", "11月"))
    assert "2021" in cleaned
    assert "2020年" in cleaned


def test_ages_over_89_are_one(cleaner: NoteCleaner) -> None:
    cleaned = cleaner.clean("A 93-year-old; age 101; 89-year-old; 患者，女，95岁；88岁。", nobody(10)).text
    assert cleaned == "A 90+-year-old; age 90+; 89-year-old; 患者，女，90+岁；88岁。"


def test_a_citizen_number_needs_its_check_digit() -> None:
    assert is_citizen_number("11010519491231002X")
    assert not is_citizen_number("110105194912310021")


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="Zoë Brown 张伟，。1234567890-/.:@\nabc岁年月日", max_size=120), st.sampled_from([None, -40, 200])
)
def test_offsets_lead_from_the_old_text_to_the_new(cleaner: NoteCleaner, text: str, shift: int | None) -> None:
    cleaned = cleaner.clean(
        text, person(Known(Kind.NAME, "Zoe"), Known(Kind.NAME, "Brown"), Known(Kind.NAME, "张伟"), shift=shift)
    )
    at = 0
    for moved in cleaned.moved:
        assert at <= moved.start < moved.end
        assert (
            text[at : moved.start]
            == cleaned.text[new_offset(cleaned.moved, at) if at < moved.start else 0 :][: moved.start - at]
        )
        at = moved.end
    replaced = {index for moved in cleaned.moved for index in range(moved.start, moved.end)}
    assert all(
        cleaned.text[new_offset(cleaned.moved, index)] == text[index]
        for index in range(len(text))
        if index not in replaced
    )
    assert new_offset(cleaned.moved, len(text)) == len(cleaned.text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_cleaned_and_cleaned_again_without_change_of_length(cleaner: NoteCleaner, text: str) -> None:
    assert len(folded(text)) == len(text)
    cleaned = cleaner.clean(text, nobody(None))
    assert sum(one.new_end - one.new_start for one in cleaned.moved) + len(text) - sum(
        one.end - one.start for one in cleaned.moved
    ) == len(cleaned.text)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9))))
def test_joined_spans_cover_the_same_and_never_overlap(spans: list[tuple[int, int]]) -> None:
    found = [Found(start, start + size, Kind.NAME) for start, size in spans]
    whole = joined(found)
    assert all(first.end <= second.start for first, second in pairwise(whole))
    cover = {at for one in found for at in range(one.start, one.end)}
    assert {at for one in whole for at in range(one.start, one.end)} == cover


def test_no_surrogate_is_a_word_or_a_listed_name() -> None:
    surrogates, words = Surrogates(KEY, vocabulary()), vocabulary()
    made = {surrogates.person(f"Name{number}", "Patient/1") for number in range(500)}
    assert len(made) > 490
    assert not {name.lower() for name in made} & (words.names | words.ordinary)


def test_a_date_shift_is_a_patients_own_and_never_none() -> None:
    surrogates = Surrogates(KEY, vocabulary())
    shifts = [surrogates.shift(f"Patient/{number}") for number in range(2000)]
    assert 0 not in shifts
    assert min(shifts) >= -365
    assert max(shifts) <= 365
    assert len(set(shifts)) > 600


def test_a_short_or_missing_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    key = tmp_path / "key"
    with pytest.raises(FileNotFoundError, match="openssl rand"):
        read_key(key)
    key.write_text("hunter2")
    with pytest.raises(ValueError, match="7 characters") as refused:
        read_key(key)
    assert "hunter2" not in str(refused.value)
