"""The benchmarks of the encoder measure what they say, in a tiny size; without a GPU the GPU's says what is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks import encoder_batches, encoder_cards, encoder_page, encoders, text_pipeline
from benchmarks.encoder_variants import BY_ROWS, Variant, inputs_of, onnx_run, variants
from benchmarks.gpu_parity import lines, parity
from benchmarks.quantised_graphs import int8_blocks, int8_rows, int8_weights
from nlp_core.batches import Batch
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from training.model.half_graph import half_precision

torch = pytest.importorskip("torch", reason="benchmarks of the encoder need torch (make setup-test)")
from benchmarks import gpu  # noqa: E402

SERVES = "ONNX Runtime fp32 (serves)"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.open(composed_bundle_path())


def test_ways_on_a_cpu_are_held_against_fp32(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [way for way in variants(bundle, tmp_path) if way.name in (SERVES, BY_ROWS)]
    monkeypatch.setattr(encoders, "variants", lambda *_: shown)
    monkeypatch.setattr(encoders, "SHAPES", {encoders.MEASURED: encoders.SHAPES[encoders.MEASURED]})
    found = replace(
        encoders.measure(bundle, [], rounds=1, seconds=0.001),
        cascade=(BY_ROWS, encoder_cards.Agreement(0.99, 1.0, 0.6)),
    )
    first, second = found.figures
    assert first.cosine == pytest.approx(1, abs=1e-5)
    assert (first.same_cards, second.same_cards) == (True, False)  # by vectors alone, since nothing was read
    assert 0.95 < second.cosine < 0.9999
    assert 0 < first.share < 3
    encoder_page.draw(found, tmp_path / "encoders.svg")
    assert "times fp32" in (tmp_path / "encoders.svg").read_text()
    written = "\n".join(encoder_page.page(found, "encoders.svg", "a command", "5+abc"))
    assert "(`a command`), model 5+abc, " in written
    assert "Serving reads the notes of a chart as the last row does" in written
    assert f"| {BY_ROWS} |" in written
    assert "It reads 60 % of the tokens again" in written
    assert "| all notes at once, equal lengths together |" in written


def test_numbers_by_smaller_groups_are_nearer_to_fp32(bundle: Bundle, tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(999, bundle.manifest.vocabulary, (2, 24))
    asked = inputs_of(Batch(ids, np.ones_like(ids), (0, 1)))
    wanted = onnx_run(bundle.graph, 1)(asked)[0]

    def least(graph: Path) -> float:
        given = onnx_run(graph, 1)(asked)[0]
        return float(
            ((wanted * given).sum(-1) / np.linalg.norm(wanted, axis=-1) / np.linalg.norm(given, axis=-1)).min()
        )

    rows = least(int8_rows(bundle, tmp_path / "rows.onnx"))
    forward = least(int8_rows(bundle, tmp_path / "forward.onnx", feed_forward_alone=True))
    blocks = least(int8_blocks(bundle.graph, tmp_path / "blocks.onnx"))
    weights = least(int8_weights(bundle.graph, tmp_path / "weights.onnx"))
    assert 0.98 < rows < forward < 0.9999
    assert rows < blocks < 0.99999
    assert rows < weights < 0.99999


def test_a_cascade_that_reads_all_that_counts_again_shows_the_same_card(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_cards, "MARGIN_LIKENESS", 2.0)
    monkeypatch.setattr(encoder_cards, "MARGIN_PROBABILITY", 0.9)
    runs = {way.name: way.open(1) for way in variants(bundle, tmp_path) if way.name in (SERVES, BY_ROWS)}
    found = encoder_cards.agreements(runs, encoder_cards.texts_of(None, 3), bundle, cascade=BY_ROWS)
    twice = found[encoder_cards.cascaded(BY_ROWS)]
    assert (twice.whole, twice.first) == (1.0, 1.0)
    assert 0.3 < twice.again <= 1


@pytest.mark.parametrize(
    ("speed", "same", "said"),
    [
        (2.5, 0.999, "Fast enough"),
        (1.5, 0.999, "1.50 times fp32"),
        (9.0, 0.9, "fp32 serves"),
        (0.5, 1.0, "fp32 serves"),
    ],
)
def test_a_way_counts_only_with_the_same_cards(speed: float, same: float, said: str) -> None:
    def figures(name: str, rate: float, same: float) -> encoder_page.Figures:
        way = Variant(name, "fp32", lambda _: lambda _: [])
        tokens = {encoder_page.SENTENCES: rate, encoder_page.MEASURED: 1.0}
        return encoder_page.Figures(way, tokens, 1.0, 0.5, 1.0, encoder_cards.Agreement(same, same))

    assert said in encoder_page.verdict([figures("served", 1.0, 1.0), figures("other", speed, same)])


def test_batches_of_equal_lengths_are_never_padded(bundle: Bundle) -> None:
    found = {one.name: one for one in encoder_batches.measure(onnx_run(bundle.graph, 1), bundle, notes=2, rounds=1)}
    padded = found.pop("note by note, padded to a multiple of four")
    assert 0 < padded.padding < 0.3
    assert {one.padding for one in found.values()} == {0.0}
    runs = [found[name].runs for name in sorted(found)]
    assert runs == sorted(runs)  # all at once, note by note, one by one
    assert padded.runs < found["note by note, equal lengths together"].runs


def test_the_pipelines_cost_is_what_the_encoder_does_not_take() -> None:
    costs = text_pipeline.measure(rounds=1)
    assert [one.what for one in costs] == ["sentences", "windows"]
    assert all(one.padding == 0 and one.around > 0 and one.encoding > one.around for one in costs)
    written = " ".join(text_pipeline.page(costs, "5+abc"))
    assert "No row is padded" in written
    assert "model 5+abc:" in written


def test_the_gpu_benchmark_in_a_tiny_size_on_a_cpu(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch runs here, recording and the GPU's runtimes do not, and the page says why."""
    monkeypatch.setattr(gpu, "with_host", lambda *_: (2000.0, 9000.0))
    among = [way for way in gpu.ways(bundle, "cpu") if way.name != "torch.compile"]
    found = gpu.measure(bundle, "cpu", ((1, 8),), among)
    written = "\n".join(gpu.page(bundle, found, gpu.peak("cpu", 64), "cpu", ((1, 8),)))
    assert "| torch eager | " in written
    assert "Not run: TensorRT (" in written
    assert "| ONNX Runtime, CPU | 2.0 | 9.0 |" in written


def test_what_the_gpu_benchmark_did_not_reach_in_its_time_is_a_dash(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "with_host", lambda *_: (2000.0, 9000.0))
    found = gpu.measure(bundle, "cpu", ((1, 8),), [gpu.ways(bundle, "cpu")[0]], seconds=-1)
    written = "\n".join(gpu.page(bundle, found, gpu.peak("cpu", 64), "cpu", ((1, 8),)))
    assert "| torch eager | – |" in written
    assert "not reached" in written


def test_parity_is_whole_with_itself_and_shows_what_fp16_changes(bundle: Bundle, tmp_path: Path) -> None:
    served = OnnxEncoder.open(bundle)
    same = parity("itself", served, OnnxEncoder.open(bundle), bundle.manifest.vocabulary)
    assert set(same.largest.values()) == {0.0}
    graph = tmp_path / "half.onnx"
    onnx.save(half_precision(onnx.load(str(bundle.graph)), "fp16"), str(graph))
    shape = {name: getattr(bundle.manifest, name) for name in ("width", "longest", "vocabulary")}
    half = OnnxEncoder(graph, bundle.tokenizer(), heads=served.has_heads, **shape)
    found = parity("fp16", half, served, bundle.manifest.vocabulary)
    assert 0 < found.largest["last_hidden_state"] < 0.02
    assert 0.9999 < found.cosine < 1
    assert found.largest.keys() == same.largest.keys()
    assert "| fp16 | 0.9999" in "\n".join(lines([found]))


def test_without_a_gpu_nothing_is_measured_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu"])
    assert gpu.main() == 1
    assert "no GPU here" in capsys.readouterr().err
