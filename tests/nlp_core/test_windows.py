"""Windows cover a text, and every token knows its characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from nlp_core.windows import LONGEST, Frame, Window, frame_of, tokens_of, windows_over
from tests.nlp_core.byte_pieces import modernbert_words, roberta_words
from tests.nlp_core.tiny_bundle import tiny_tokenizer

CLS, SEP = 101, 102
LETTERS = "ab çé chest 胸痛 😀👩‍👧 ﬁ İ ß \t\n\u200b\u0301.,-/°µ²"
TEXTS = st.text(alphabet=st.one_of(st.sampled_from(LETTERS), st.characters()), max_size=300)
GIVEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def own_tokens(window: Window) -> list[tuple[int, int, int]]:
    rows = zip(window.ids, window.starts, window.ends, strict=True)
    return [(int(i), int(s), int(e)) for i, s, e in list(rows)[window.own]]


def invisible(character: str) -> bool:
    """White space, control characters and the replacement character, which the tokenizer drops; and lone surrogates."""
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def test_a_token_stands_for_its_characters(tokenizer: Tokenizer) -> None:
    text = "Chest pain, dyspnoea."
    tokens = tokens_of(text, tokenizer)
    words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert words == ["Chest", "pain", ",", "d", "ys", "p", "no", "ea", "."]


def test_chinese_is_one_token_a_character(tokenizer: Tokenizer) -> None:
    text = "患者胸痛。no fever"
    tokens = tokens_of(text, tokenizer)
    words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert words == ["患", "者", "胸", "痛", "。", "no", "fever"]


def test_emoji_keep_the_offsets_of_what_follows(tokenizer: Tokenizer) -> None:
    text = "😀👩‍👧 pain 🫀 fever"
    tokens = tokens_of(text, tokenizer)
    words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert [word for word in words if word.isalpha()] == ["pain", "fever"]
    assert "🫀" in words


def test_a_lone_surrogate_moves_no_offset(tokenizer: Tokenizer) -> None:
    text = "pain\ud83d fever"
    tokens = tokens_of(text, tokenizer)
    assert text[tokens.starts[-1] : tokens.ends[-1]] == "fever"


@GIVEN
@given(text=TEXTS)
def test_offsets_slice_the_text_in_order_and_cover_what_can_be_seen(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokens_of(text, tokenizer)
    assert np.all((tokens.starts >= 0) & (tokens.starts <= tokens.ends) & (tokens.ends <= len(text)))
    assert np.all(np.diff(tokens.starts) >= 0)
    covered = np.zeros(len(text), bool)
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        covered[start:end] = True
    dropped = {text[place] for place in np.flatnonzero(~covered)}
    assert {c for c in dropped if not invisible(c)} <= {c for c in dropped if stripped(c)}


@pytest.mark.parametrize("words", [roberta_words, modernbert_words])
def test_of_bytes_every_token_stands_for_its_characters_without_blanks(words: Callable[[], Tokenizer]) -> None:
    text = "Chest  pain\n 胸闷 "
    tokens = tokens_of(text, words())
    seen = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True) if end > start]
    assert "".join(dict.fromkeys(seen)) == "Chest pain胸闷".replace(" ", "")
    assert np.all(np.diff(tokens.starts) >= 0)
    assert len(tokens_of(" \n\u3000", words()).ids) == 0


@GIVEN
@given(text=TEXTS)
@pytest.mark.parametrize("words", [roberta_words, modernbert_words])
def test_of_bytes_offsets_slice_the_text_in_order(words: Callable[[], Tokenizer], text: str) -> None:
    tokens = tokens_of(text, words())
    assert np.all((tokens.starts >= 0) & (tokens.starts <= tokens.ends) & (tokens.ends <= len(text)))
    assert np.all(np.diff(tokens.starts) >= 0)
    stretches = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert all(stretch == stretch.strip() for stretch in stretches)


def stripped(character: str) -> bool:
    """Combining marks, which uncased BERT strips, and U+FFFD."""
    return character == "\ufffd" or all(
        unicodedata.category(part) == "Mn" for part in unicodedata.normalize("NFD", character)
    )


@GIVEN
@given(words=st.integers(0, 400), length=st.integers(8, 64), overlap=st.integers(0, 5))
def test_every_token_is_own_to_exactly_one_window_in_order(words: int, length: int, overlap: int) -> None:
    tokenizer = tiny_tokenizer()
    text = "chest pain on a " * (words // 4) + "pain " * (words % 4)
    windows = windows_over(text, tokenizer, length=length, overlap=overlap)
    tokens = tokens_of(text, tokenizer)
    wanted = list(zip(tokens.ids, tokens.starts, tokens.ends, strict=True))
    assert [token for window in windows for token in own_tokens(window)] == wanted


@GIVEN
@given(words=st.integers(1, 400), length=st.integers(8, 64), overlap=st.integers(0, 5))
def test_windows_are_framed_equally_long_and_overlap(words: int, length: int, overlap: int) -> None:
    windows = windows_over("pain " * words, tiny_tokenizer(), length=length, overlap=overlap)
    assert {len(window.ids) for window in windows} == {len(windows[0].ids)}
    assert all(len(window.ids) <= length and window.ids[0] == 2 and window.ids[-1] == 3 for window in windows)
    for one, other in pairwise(windows):
        assert one.ends[-2] // 5 - other.starts[1] // 5 + 1 >= overlap  # "pain " is 5 characters


def test_no_window_exceeds_512_tokens_with_its_frame(tokenizer: Tokenizer) -> None:
    windows = windows_over("pain " * 3000, tokenizer, length=LONGEST)
    assert max(len(window.ids) for window in windows) <= 512
    assert all(window.ids[0] == CLS and window.ids[-1] == SEP for window in windows)


def test_windows_cost_no_more_tokens_than_the_overlaps(tokenizer: Tokenizer) -> None:
    windows = windows_over("pain " * 720, tokenizer)
    assert [len(window.ids) for window in windows] == [206] * 4


@pytest.mark.parametrize("text", ["", "  \n\t", "\u0000\u0007"])
def test_a_text_without_tokens_has_no_windows(tokenizer: Tokenizer, text: str) -> None:
    assert windows_over(text, tokenizer) == []


@pytest.mark.parametrize(("length", "overlap"), [(513, 0), (2, 0), (16, 14), (16, -1)])
def test_impossible_windows_are_refused_with_the_numbers(tokenizer: Tokenizer, length: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"no windows of {length} tokens with overlap {overlap}"):
        windows_over("pain", tokenizer, length=length, overlap=overlap)


def test_the_frame_is_read_off_the_tokenizer(tokenizer: Tokenizer) -> None:
    assert frame_of(tokenizer) == Frame((CLS,), (SEP,))
