"""Places in a note become stretches of text: nothing is lost, nothing moves, and each knows what it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.viewer.highlights import BEGINNING, LONG_NOTE, Place, Use, stretches

FOR_FIRST = Use(1, "Influenza", "for", "d1e1")
AGAINST_FIRST = Use(1, "Influenza", "against", "d1e2")
AGAINST_SECOND = Use(2, "Common cold", "against", "d2e1")


def place(number: int, start: int, end: int, *uses: Use) -> Place:
    return Place(number, start, end, uses or (FOR_FIRST,))


@given(
    st.text(alphabet="abc\n é中", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=6),
)
def test_stretches_are_the_whole_text_in_its_order_and_every_place_its_own_words(
    text: str, spans: list[tuple[int, int]]
) -> None:
    places = [
        place(number, start, min(start + length, len(text)))
        for number, (start, length) in enumerate(spans, start=1)
        if start < len(text)
    ]
    found = list(stretches(text, places))
    assert "".join(one.text for one in found) == text
    for one in places:
        words = "".join(s.text for s in found if one in s.places)
        assert words == text[one.start : one.end]
        assert sum(one.number in s.begins for s in found) == 1


def test_characters_that_nobody_sees_move_nothing() -> None:
    text = "no\u202e fe\u200bver\r\nand\x00 cough"
    start = text.index("fe")
    found = list(stretches(text, [place(1, start, start + 6)]))
    assert [one.text for one in found] == ["no ", "fever", "\nand cough"]


def test_words_say_what_they_are_for_the_diagnosis_that_stands_highest() -> None:
    (words,) = stretches("fever", [place(1, 0, 5, AGAINST_SECOND, FOR_FIRST)])
    assert (words.speaks, words.sign) == ("for", "+1")
    assert (words.of("for"), words.of("against")) == ("1", "2")
    (words,) = stretches("fever", [place(1, 0, 5, FOR_FIRST, AGAINST_FIRST)])
    assert (words.speaks, words.sign) == ("both", "±1")
    (words,) = stretches("fever", [place(1, 0, 5, AGAINST_SECOND)])
    assert (words.speaks, words.sign) == ("against", "−2")


def test_of_a_very_long_note_the_beginning_and_what_stands_around_places_is_shown() -> None:
    text = "a" * LONG_NOTE + "fever" + "b" * LONG_NOTE
    found = list(stretches(text, [place(1, LONG_NOTE, LONG_NOTE + 5), place(2, LONG_NOTE + 2, LONG_NOTE + 4)]))
    shown = "".join(one.text for one in found)
    assert shown.startswith("a" * BEGINNING)
    assert "aaafeverbbb" in shown
    assert len(shown) < LONG_NOTE
    assert len(shown) + sum(one.skipped for one in found) == len(text)
    assert [one.begins for one in found if one.begins] == [(1,), (2,)]
