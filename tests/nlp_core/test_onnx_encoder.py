"""The shipped encoder on the CPU: meaning, shapes, masks, refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nlp_core.batches import Batch, same_length_batches
from nlp_core.encoder import Encoder
from nlp_core.model_bundle import Bundle
from nlp_core.model_faults import EncoderError
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.windows import windows_over
from tests.nlp_core.tiny_bundle import tiny_tokenizer


def batch_of(ids: list[list[int]], mask: list[list[int]] | None = None) -> Batch:
    rows = np.array(ids, np.int64)
    return Batch(rows, np.ones_like(rows) if mask is None else np.array(mask, np.int64), tuple(range(len(rows))))


def test_it_is_an_encoder(encoder: OnnxEncoder) -> None:
    kept: Encoder = encoder
    assert kept.width == 384


def test_near_meanings_are_near(encoder: OnnxEncoder) -> None:
    phrase, same, other = encoder.embed(["trouble breathing", "shortness of breath", "itchy rash on the elbow"])
    assert phrase @ same > 0.6 > 0.3 > phrase @ other


def test_sentence_vectors_are_float32_of_unit_length(encoder: OnnxEncoder) -> None:
    vectors = encoder.embed(["fever", "胸痛", "😀", "chest pain on exertion"])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_a_blank_text_is_like_nothing(encoder: OnnxEncoder) -> None:
    blank, fever = encoder.embed(["\u0000 \n", "fever"])
    assert blank @ fever == 0


def test_company_in_a_batch_changes_nothing_that_counts(encoder: OnnxEncoder) -> None:
    texts = ["chest pain", "low back pain", "sore throat", "weight loss", "chest pain at night"]
    alone = np.concatenate([encoder.embed([text]) for text in texts])
    assert np.abs(encoder.embed(texts) - alone).max() < 1e-6


@pytest.mark.parametrize("left", [0, 4])
def test_what_stands_under_the_mask_is_not_read(encoder: OnnxEncoder, left: int) -> None:
    """Left padding moves positions, so it is compared with itself over other ids under the mask."""
    words = [101, 3108, 3255, 102]
    mask = [[0] * left + [1] * 4 + [0] * (4 - left)]
    zeros = encoder.encode(batch_of([[0] * left + words + [0] * (4 - left)], mask))
    noise = encoder.encode(batch_of([[7592] * left + words + [2088] * (4 - left)], mask))
    assert np.abs(zeros - noise)[:, left : left + 4].max() < 1e-5


def test_right_padding_changes_nothing(encoder: OnnxEncoder) -> None:
    words = [101, 3108, 3255, 102]
    plain = encoder.encode(batch_of([words]))
    padded = encoder.encode(batch_of([[*words, 0, 0, 0]], [[1, 1, 1, 1, 0, 0, 0]]))
    assert np.abs(padded[:, :4] - plain).max() < 1e-5


def test_windows_of_a_long_note_are_read_whole(encoder: OnnxEncoder, bundle: Bundle) -> None:
    windows = windows_over("No chest pain on exertion today. " * 150, bundle.tokenizer(), length=512)
    batches = same_length_batches([window.ids for window in windows])
    assert {encoder.encode(batch).shape[1:] for batch in batches} == {(len(windows[0].ids), 384)}


def test_several_threads_may_share_it(encoder: OnnxEncoder) -> None:
    texts = [f"pain for {days} days" for days in range(24)]
    with ThreadPoolExecutor(4) as threads:
        together = np.concatenate(list(threads.map(lambda text: encoder.embed([text]), texts)))
    assert np.abs(together - encoder.embed(texts)).max() < 1e-6


def test_rows_longer_than_the_encoder_are_refused(encoder: OnnxEncoder) -> None:
    with pytest.raises(ValueError, match="rows of 513 tokens in a batch of 1; this encoder takes 512"):
        encoder.encode(batch_of([[101] * 513]))


@pytest.mark.parametrize("unknown", [-1, 30522])
def test_ids_outside_the_vocabulary_are_refused(encoder: OnnxEncoder, unknown: int) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.30521"):
        encoder.encode(batch_of([[101, unknown, 102]]))


def test_threads_below_zero_are_refused(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="threads"):
        OnnxEncoder.open(bundle, threads=-1)


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    graph = tmp_path / "encoder.graph.onnx"
    graph.write_bytes(b"not a graph")
    with pytest.raises(EncoderError, match=r"cannot load encoder\.graph\.onnx"):
        OnnxEncoder(graph, tiny_tokenizer(), width=4, longest=16, vocabulary=8)
