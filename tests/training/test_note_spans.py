"""Stretches of a note are cut out, kept and drawn at random without touching any other word."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nlp_core.note import Span
from training.measures.note_spans import merged, only, random_spans, without

TEXT = "Fever and cough for three days, no rash. 咳嗽三天，无皮疹。"


def span(words: str) -> Span:
    return Span(start=TEXT.index(words), end=TEXT.index(words) + len(words))


def test_spans_are_taken_out_and_their_neighbours_stay_apart() -> None:
    assert without(TEXT, [span("rash"), span("cough")]) == TEXT.replace("cough", " ").replace("rash", " ")


def test_only_the_spans_are_kept_in_order_each_a_paragraph() -> None:
    assert only(TEXT, [span("咳嗽"), span("Fever"), span("rash")]) == "Fever\n\nrash\n\n咳嗽"


def test_spans_that_overlap_are_cut_once() -> None:
    overlapping = [span("cough for"), span("for three days"), span("Fever")]
    assert merged(overlapping) == [span("Fever"), span("cough for three days")]
    assert without(TEXT, overlapping).split() == TEXT.replace("cough for three days", " ").replace("Fever", "").split()


@pytest.mark.parametrize("seed", range(5))
def test_random_spans_are_whole_words_at_least_as_long_and_apart(seed: int) -> None:
    lengths = [4, 7, 2]
    found = sorted(random_spans(TEXT, lengths, np.random.default_rng(seed)), key=lambda one: one.start)
    assert all(one.end <= other.start for one, other in pairwise(found))
    quoted = sorted((TEXT[one.start : one.end] for one in found), key=len)
    assert all(len(words) >= length for words, length in zip(quoted, sorted(lengths), strict=True))
    for one in found:
        before, after = TEXT[max(0, one.start - 1) : one.start + 1], TEXT[one.end - 1 : one.end + 1]
        assert not (before.isascii() and before.isalpha() and len(before) == 2)
        assert not (after.isascii() and after.isalpha() and len(after) == 2)


def test_a_length_beyond_the_text_takes_all_of_it() -> None:
    (found,) = random_spans("咳嗽 fever", [99], np.random.default_rng(0))
    assert (found.start, found.end) == (0, 8)
