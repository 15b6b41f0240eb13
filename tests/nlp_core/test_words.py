"""Words of names and words of notes meet in one form, whatever their case, inflection or language."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
import snowballstemmer
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from nlp_core.words import blank_pipeline, doc_stems, name_stems, stem, written_ways


@pytest.fixture(scope="module")
def nlp() -> Language:
    return blank_pipeline()


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("cough", "coughing"),
        ("Cough", "COUGHED"),
        ("ache", "aches"),
        ("diarrhea", "diarrhoea"),
        ("anemia", "anaemia"),
        ("vomit", "vomited"),
        ("tooth", "teeth"),
        ("swell", "swollen"),
        ("patient's", "patient"),
        ("patient’s", "patients"),
    ],
)
def test_inflection_case_and_spelling_do_not_matter(written: str, other: str) -> None:
    assert stem(written) == stem(other) != ""


@pytest.mark.parametrize("written", ["", ".", "-", "'", "...", "°", "、"])
def test_punctuation_is_no_word(written: str) -> None:
    assert stem(written) == ""


@pytest.mark.parametrize("written", ["HIV", "b12", "t4", "38.5"])
def test_short_words_and_words_with_digits_stay_as_they_are(written: str) -> None:
    assert stem(written) == written.lower()


def test_a_name_is_its_words_without_fillers(nlp: Language) -> None:
    assert name_stems("pain in the chest", nlp) == name_stems("pain of a chest", nlp) == ("pain", "chest")


def test_a_name_of_fillers_alone_is_no_name(nlp: Language) -> None:
    assert name_stems("in the", nlp) == ()


def test_every_chinese_character_is_a_word(nlp: Language) -> None:
    assert [token.text for token in nlp.make_doc("右下腹痛3天")] == ["右", "下", "腹", "痛", "3", "天"]


def test_chinese_and_english_part_where_they_touch(nlp: Language) -> None:
    assert [token.text for token in nlp.make_doc("查CT示肺炎")] == ["查", "CT", "示", "肺", "炎"]


def test_a_value_parts_from_its_unit(nlp: Language) -> None:
    assert [token.text for token in nlp.make_doc("38.5℃ 20mg")] == ["38.5", "℃", "20", "mg"]


def test_痛_and_疼痛_are_two_ways_of_one_word() -> None:
    assert set(written_ways("胸痛")) == set(written_ways("胸疼痛")) == {"胸痛", "胸疼痛"}
    assert written_ways("咳嗽") == ("咳嗽",)


def test_an_abbreviation_that_is_also_a_word_counts_in_capitals_only(nlp: Language) -> None:
    assert doc_stems(nlp.make_doc("his PE")) != doc_stems(nlp.make_doc("his pe"))
    assert name_stems("PE", nlp) == (doc_stems(nlp.make_doc("his PE"))[1],)


def test_capitals_tell_nothing_where_everything_is_in_capitals(nlp: Language) -> None:
    shouted, said = nlp.make_doc("WHAT SHE FELT WAS AS BEFORE"), nlp.make_doc("what she felt was as before")
    assert doc_stems(shouted) == doc_stems(said)


@given(st.text())
@settings(deadline=None)
def test_every_token_of_any_text_has_one_stem_and_none_is_blank(text: str) -> None:
    doc = _any_text_pipeline().make_doc(text)
    stems = doc_stems(doc)
    assert len(stems) == len(doc)
    assert not any(found.isspace() for found in stems)


@cache
def _any_text_pipeline() -> Language:
    return blank_pipeline()


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    stem.cache_clear()
    yield
    sys.setswitchinterval(before)
    stem.cache_clear()


@pytest.mark.usefixtures("impatient_threads")
def test_threads_do_not_mix_up_each_others_words() -> None:
    stemmer = snowballstemmer.stemmer("english")
    syllables = ("ar", "ben", "col", "dif", "eth", "gri", "hom", "lun")
    endings = ("ations", "ing", "nesses", "ically")
    vocabulary = [a + b + c + end for a in syllables for b in syllables for c in syllables for end in endings]
    wanted = {word: stemmer.stemWord(word) for word in vocabulary}
    with ThreadPoolExecutor(4) as threads:
        for place in range(4):
            threads.submit(lambda some: [stem(word) for word in some], vocabulary[place::4])
    assert {word: stem(word) for word in wanted} == wanted
