"""Sequences are grouped without padding and none is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.batches import Batch, same_length_batches

SEQUENCES = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), max_size=40)


def test_equals_share_a_batch_longest_first() -> None:
    batches = same_length_batches([[1, 2, 3], [4, 5, 6, 7, 8], [9, 10, 11]])
    assert [batch.ids.tolist() for batch in batches] == [[[4, 5, 6, 7, 8]], [[1, 2, 3], [9, 10, 11]]]
    assert [batch.members for batch in batches] == [(1,), (0, 2)]


@given(sequences=SEQUENCES, most=st.integers(1, 40))
def test_every_sequence_comes_back_whole_and_unpadded(sequences: list[list[int]], most: int) -> None:
    batches = same_length_batches(sequences, most_tokens=most)
    back = {place: row.tolist() for batch in batches for place, row in zip(batch.members, batch.ids, strict=True)}
    assert back == dict(enumerate(sequences))
    assert all(batch.mask.all() for batch in batches)
    assert all(batch.ids.size <= max(most, batch.ids.shape[1]) for batch in batches)


def test_a_sequence_without_tokens_is_refused_by_place() -> None:
    with pytest.raises(ValueError, match="sequence 1 has no tokens"):
        same_length_batches([[1], []])


@pytest.mark.parametrize(
    ("ids", "mask", "members"),
    [((2, 3), (2, 2), (0, 1)), ((2, 3), (2, 3), (0,)), ((3,), (3,), (0, 1, 2)), ((0, 3), (0, 3), ())],
)
def test_a_batch_says_which_shapes_disagree(
    ids: tuple[int, ...], mask: tuple[int, ...], members: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="a batch"):
        Batch(np.ones(ids, np.int64), np.ones(mask, np.int64), members)


def test_a_row_that_is_all_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="a row without tokens"):
        Batch(np.ones((2, 3), np.int64), np.array([[1, 1, 1], [0, 0, 0]]), (0, 1))
