"""Shapes are checked, masked tokens do not count, and every different text is read once."""

from __future__ import annotations

import numpy as np
import pytest

from nlp_core.batches import Batch
from nlp_core.encoder import HeadAnswers, Vectors, check_answers, check_vectors, embed_texts, pool
from nlp_core.model_faults import EncoderError, NotFinite
from tests.nlp_core.tiny_bundle import tiny_tokenizer

HEADS = ("finding", "assertion", "salience", "evidence")
BATCH = Batch(np.ones((2, 3), np.int64), np.ones((2, 3), np.int64), (0, 1))


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 4, 4), (6, 4)])
def test_a_wrong_shape_is_refused_with_both_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(EncoderError, match=r"wanted float32 \(2, 3, 4\), the encoder gave float32"):
        check_vectors(np.zeros(shape, np.float32), BATCH, 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_d13_numbers_that_are_none_are_refused(bad: float) -> None:
    vectors = np.zeros((2, 3, 4), np.float32)
    vectors[1, 2, 3] = bad
    with pytest.raises(EncoderError, match="not finite"):
        check_vectors(vectors, BATCH, 4)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("head", ["finding", "assertion", "salience", "evidence"])
def test_d13_a_head_that_gives_no_numbers_is_refused_by_name(head: str, bad: float) -> None:
    answers = HeadAnswers(**{name: np.zeros((1, 2), np.float32) for name in HEADS})
    assert check_answers(answers) is answers
    getattr(answers, head)[0, 1] = bad
    with pytest.raises(NotFinite, match=f"the {head} head"):
        check_answers(answers)


def test_pooling_is_the_mean_of_unmasked_tokens_at_unit_length() -> None:
    vectors = np.array([[[3, 0], [0, 4], [99, 99]]], np.float32)
    assert pool(vectors, np.array([[1, 1, 0]])) == pytest.approx(np.array([[0.6, 0.8]]))


def test_pooling_refuses_a_mask_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"\(1, 3, 2\) and mask \(1, 2\)"):
        pool(np.zeros((1, 3, 2), np.float32), np.ones((1, 2), np.int64))


def test_equal_texts_are_read_once_and_answered_in_order() -> None:
    seen: list[Batch] = []

    def encode(batch: Batch) -> Vectors:
        seen.append(batch)
        return np.repeat(batch.ids[..., None], 2, axis=2).astype(np.float32) + np.array([0, 1], np.float32)

    vectors = embed_texts(["pain", "chest pain", "pain", " "], tokenizer=tiny_tokenizer(), encode=encode, width=2)
    assert [batch.ids.tolist() for batch in seen] == [[[2, 4, 5, 3]], [[2, 5, 3]]]
    assert vectors.shape == (4, 2)
    assert vectors[0].tolist() == vectors[2].tolist() != vectors[1].tolist()
    assert vectors[3].tolist() == [0, 0]


def test_a_long_phrase_is_cut_to_256_tokens_with_its_frame_or_to_what_the_encoder_takes() -> None:
    lengths: list[int] = []

    def encode(batch: Batch) -> Vectors:
        lengths.append(batch.ids.shape[1])
        assert batch.ids[0, -1] == 3
        return np.ones((*batch.ids.shape, 2), np.float32)

    embed_texts(["pain " * 999], tokenizer=tiny_tokenizer(), encode=encode, width=2)
    embed_texts(["pain " * 999], tokenizer=tiny_tokenizer(), encode=encode, width=2, longest=40)
    assert lengths == [256, 40]


def test_nothing_to_embed_is_no_row() -> None:
    assert embed_texts([], tokenizer=tiny_tokenizer(), encode=lambda _: BATCH.ids, width=2).shape == (0, 2)  # type: ignore[arg-type,return-value]  # never called
