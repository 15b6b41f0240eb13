"""What is sealed can be opened with the same key about the same things, and in no other way."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.payloads import CannotOpen, Sealer, new_queue_key

SEALER = Sealer.from_setting(new_queue_key())


@given(st.binary(), st.text(), st.text())
def test_sealed_bytes_come_back_whole(plain: bytes, tenant: str, reading: str) -> None:
    assert SEALER.open(SEALER.seal(plain, tenant, reading), tenant, reading) == plain


def test_sealing_adds_28_bytes_and_is_never_the_same_twice() -> None:
    assert len(SEALER.seal(b"note", "north")) == 4 + 28
    assert SEALER.seal(b"note", "north") != SEALER.seal(b"note", "north")


@pytest.mark.parametrize("about", [("south", "1"), ("north", "2"), ("north",), ("north1", ""), ("north", "1", "")])
def test_f01_another_tenant_or_reading_cannot_open(about: tuple[str, ...]) -> None:
    with pytest.raises(CannotOpen):
        SEALER.open(SEALER.seal(b"note", "north", "1"), *about)


def test_another_key_cannot_open() -> None:
    with pytest.raises(CannotOpen):
        Sealer.from_setting(new_queue_key()).open(SEALER.seal(b"note", "north"), "north")


@given(st.integers(min_value=0, max_value=31), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_cannot_be_opened(place: int, change: int) -> None:
    sealed = bytearray(SEALER.seal(b"note", "north"))
    sealed[place] ^= change
    with pytest.raises(CannotOpen):
        SEALER.open(bytes(sealed), "north")


@given(st.binary(max_size=64))
def test_junk_cannot_be_opened(junk: bytes) -> None:
    with pytest.raises(CannotOpen):
        SEALER.open(junk, "north")


def test_an_old_key_still_opens_while_the_new_one_seals() -> None:
    old, new = new_queue_key(), new_queue_key()
    both = Sealer.from_setting(f"{new}, {old}")
    assert both.open(Sealer.from_setting(old).seal(b"note", "north"), "north") == b"note"
    assert Sealer.from_setting(new).open(both.seal(b"note", "north"), "north") == b"note"


def test_marks_are_equal_for_equal_words_and_keys_only() -> None:
    assert SEALER.mark("north", "chart") == SEALER.mark("north", "chart")
    assert SEALER.mark("north", "chart") != SEALER.mark("northchart")
    assert SEALER.mark("north", "chart") != Sealer.from_setting(new_queue_key()).mark("north", "chart")


@pytest.mark.parametrize(
    "text", ["", "secret!", base64.b64encode(b"x" * 31).decode(), base64.b64encode(b"x" * 33).decode()]
)
def test_a_key_of_wrong_form_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="queue key") as refused:
        Sealer.from_setting(text)
    assert not text or text not in str(refused.value)
