"""Slips of the keyboard are mended towards the words of the knowledge, and right words are left alone."""

from __future__ import annotations

import pytest

from nlp_core.spelling import MOST_UNKNOWN, Spelling
from nlp_core.text_view import view

SPELLING = Spelling(
    {"abdominal": 9, "abdomen": 3, "hemoglobin": 2, "dysphagia": 2, "cough": 5, "pain": 4, "sharp": 2},
    ["dysphasia", "couch"],
)


def read(text: str) -> str:
    return view(text).rewritten(SPELLING.corrections(text)).text


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("abdomnal", "abdominal"),
        ("abdominnal", "abdominal"),
        ("abdomimal", "abdominal"),
        ("abdomianl", "abdominal"),
        ("Abdomnal", "Abdominal"),
        ("ABDOMNAL", "ABDOMINAL"),
        ("haemoglobin", "hemoglobin"),
    ],
)
def test_one_slip_is_mended_and_british_spelling_is_read(written: str, right: str) -> None:
    assert read(f"Her {written} today") == f"Her {right} today"


@pytest.mark.parametrize("word", ["dysphasia", "couch", "pian", "coughs", "abdmnal", "xcough", "shar9"])
def test_known_words_short_ones_forms_and_two_slips_are_left_alone(word: str) -> None:
    assert read(f"Her {word} today") == f"Her {word} today"


def test_a_note_of_unknown_words_is_not_searched_to_its_end() -> None:
    noise = " ".join(f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}zzqxw" for n in range(MOST_UNKNOWN + 60))
    assert read(f"{noise} abdomnal").endswith("abdomnal")


def test_a_mended_word_is_quoted_as_it_was_written() -> None:
    text = "Severe abdomnal pain"
    seen = view(text).rewritten(SPELLING.corrections(text))
    start = seen.text.index("abdominal")
    span = seen.to_note(start, start + len("abdominal"))
    assert text[span.start : span.end] == "abdomnal"
