from hypothesis import given
from hypothesis import strategies as st

from nlp_core.text_view import view


def test_plain_text_is_returned_as_it_is():
    seen = view("Fever and cough.\nNo rash.")
    assert seen.text == "Fever and cough.\nNo rash."
    assert seen.offsets is None


def test_b10_invisible_characters_are_skipped_and_offsets_stay_exact():
    text = "fe\u200bver \u202eand\u202c chi\ufeffll\x00s"
    seen = view(text)
    assert seen.text == "fever and chill s"
    start = seen.text.index("fever")
    span = seen.to_note(start, start + len("fever"))
    assert text[span.start : span.end] == "fe\u200bver"


def test_runs_of_blanks_become_one():
    text = "No   abdominal    pain"
    seen = view(text)
    assert seen.text == "No abdominal pain"
    span = seen.to_note(seen.text.index("abdominal"), len(seen.text))
    assert text[span.start : span.end] == "abdominal    pain"


def test_full_width_letters_are_folded():
    assert view("ＣＯＰＤ").text == "COPD"


@given(st.text())
def test_every_seen_character_knows_its_place(text: str):
    seen = view(text)
    if seen.offsets is None:
        assert len(seen.text) == len(text)
        return
    assert len(seen.offsets) == len(seen.text)
    assert list(seen.offsets) == sorted(set(seen.offsets))
    if seen.text:
        whole = seen.to_note(0, len(seen.text))
        assert 0 <= whole.start < whole.end <= len(text)
