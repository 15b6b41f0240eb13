"""Any BERT-like encoder becomes a bundle without weights, the same bytes each time, right for any mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp_core.adapters import Adapter
from nlp_core.batches import Batch
from nlp_core.bundle_manifest import GRAPH, TABLE, WEIGHTS, Initializer, read_manifest, read_table, stored_file
from nlp_core.compose_bundle import compose
from nlp_core.compose_weights import write_weights
from nlp_core.external_data import external_files
from nlp_core.model_bundle import SHIPPED_BUNDLE, Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from tests.training.tiny_encoders import LONGEST, VOCABULARY, WIDTH, save_encoder
from training.__main__ import main
from training.model.parity_report import PARITY, Parity

torch = pytest.importorskip("torch", reason="export needs torch (make setup-test)")


def masked_batch(length: int = 9) -> Batch:
    random = np.random.default_rng(5)
    ids = random.integers(2, VOCABULARY, (4, length))
    mask = np.ones_like(ids)
    mask[1, 5:] = 0
    mask[2, :4] = 0
    mask[3, ::2] = 0
    return Batch(ids, mask, (0, 1, 2, 3))


@pytest.mark.parametrize("kind", ["bert", "bert for words", "roberta", "modernbert"])
def test_an_encoder_from_a_folder_computes_as_in_torch(tmp_path: Path, kind: str) -> None:
    from training.model.trace_graph import load_encoder

    model = save_encoder(kind, tmp_path / "model")
    command = [
        "export-model",
        "--model",
        str(model),
        "--out",
        str(tmp_path / "out"),
        "--compose",
        str(tmp_path / "composed"),
    ]
    assert main(command) == 0
    bundle = Bundle.open(tmp_path / "composed")
    assert (bundle.manifest.width, bundle.manifest.longest, bundle.manifest.vocabulary) == (WIDTH, LONGEST, VOCABULARY)
    encoder, reference = OnnxEncoder.open(bundle), load_encoder(model)
    for batch in (masked_batch(), masked_batch(LONGEST), Batch(np.array([[2]]), np.array([[1]]), (0,))):
        with torch.no_grad():
            wanted = reference(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)).numpy()
        assert np.abs(encoder.encode(batch) - wanted)[batch.mask.astype(bool)].max() < 1e-5


def test_two_exports_are_the_same_bytes_and_hold_no_weights(tmp_path: Path) -> None:
    model = save_encoder("bert", tmp_path / "model")
    for out in ("one", "two"):
        assert main(["export-model", "--model", str(model), "--out", str(tmp_path / out)]) == 0
    for name in (GRAPH, TABLE, "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    graph = (tmp_path / "one" / GRAPH).read_bytes()
    assert external_files(graph) == {WEIGHTS}
    assert str(Path(torch.__file__).parents[1]).encode() not in graph
    assert str(tmp_path).encode() not in graph


def test_int8_per_token_is_near_and_takes_no_notice_of_company(tmp_path: Path) -> None:
    model = save_encoder("bert", tmp_path / "model")
    encoders = {}
    for precision in ("fp32", "int8-rows"):
        places = ["--out", str(tmp_path / precision), "--compose", str(tmp_path / f"{precision} composed")]
        assert main(["export-model", "--model", str(model), "--precision", precision, *places]) == 0
        encoders[precision] = OnnxEncoder.open(Bundle.open(tmp_path / f"{precision} composed"))
    batch = masked_batch()
    exact, rounded = (encoders[precision].encode(batch) for precision in ("fp32", "int8-rows"))
    cosine = (exact * rounded).sum(-1) / np.linalg.norm(exact, axis=-1) / np.linalg.norm(rounded, axis=-1)
    assert 0.99 < cosine.min() < 1
    alone = encoders["int8-rows"].encode(Batch(batch.ids[:1], batch.mask[:1], (0,)))
    assert np.abs(alone - rounded[:1]).max() < 1e-5
    kinds = {row.dtype for row in read_table(tmp_path / "int8-rows" / TABLE)}
    assert kinds == {"float32", "int8"}


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_half_the_bytes_are_stored_and_nearly_the_same_is_computed(tmp_path: Path, kind: str) -> None:
    model = save_encoder(kind, tmp_path / "model")
    encoders = {}
    for precision in ("fp32", "fp16"):
        places = ["--out", str(tmp_path / precision), "--compose", str(tmp_path / f"{precision} composed")]
        assert main(["export-model", "--model", str(model), "--precision", precision, *places]) == 0
        encoders[precision] = OnnxEncoder.open(Bundle.open(tmp_path / f"{precision} composed"))
    batch = masked_batch()
    kept = batch.mask.astype(bool)
    difference = np.abs(encoders["fp32"].encode(batch) - encoders["fp16"].encode(batch))[kept].max()
    assert 0 < difference < 5e-3
    rows = read_table(tmp_path / "fp16" / TABLE)
    assert {len(row.shape) > 1: row.dtype for row in rows} == {True: "float16", False: "float32"}


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8-rows"])
def test_each_export_reports_how_near_torch_it_computes(tmp_path: Path, precision: str) -> None:
    model = save_encoder("bert", tmp_path / "model")
    assert main(["export-model", "--model", str(model), "--precision", precision, "--out", str(tmp_path / "out")]) == 0
    report = Parity.model_validate_json((tmp_path / "out" / PARITY).read_bytes())
    assert report.precision == precision
    assert set(report.outputs) == {"last_hidden_state"}
    vectors = report.outputs["last_hidden_state"]
    assert 0 < vectors.largest < {"fp32": 1e-5, "fp16": 5e-3, "int8-rows": 0.5}[precision]
    assert report.tokens > 100


def test_a_graph_that_computes_something_else_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.model.exported_graph.write_weights", _one_tensor_lost)
    model = save_encoder("bert", tmp_path / "model")
    assert main(["export-model", "--model", str(model), "--out", str(tmp_path / "out")]) == 1
    assert "differs from torch" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def _one_tensor_lost(base: Path, table: tuple[Initializer, ...], target: Path, *, adapter: Adapter | None) -> None:
    """As write_weights, but the last matrix is zero."""
    write_weights(base, table, target, adapter=adapter)
    lost = [row for row in table if len(row.shape) > 1][-1]
    with target.open("r+b") as stream:
        stream.seek(lost.offset)
        stream.write(bytes(lost.size))


def test_a_folder_without_weights_or_tokenizer_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-model", "--model", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "holds no model.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_calibration_beside_the_bundle_is_left_alone(tmp_path: Path) -> None:
    model = save_encoder("bert", tmp_path / "model")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "calibration.json").write_text("{}")
    assert main(["export-model", "--model", str(model), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "calibration.json").read_text() == "{}"


def test_the_shipped_bundle_is_what_export_writes(tmp_path: Path) -> None:
    """Table and weights to the byte; the graph too, where this is the torch it was exported with."""
    assert main(["export-model", "--trained", str(SHIPPED_BUNDLE), "--out", str(tmp_path / "out")]) == 0
    wanted, found = read_manifest(SHIPPED_BUNDLE), read_manifest(tmp_path / "out")
    assert (found.weights, found.base, found.version) == (wanted.weights, wanted.base, wanted.version)
    assert stored_file(tmp_path / "out" / TABLE) == wanted.files[TABLE]
    if torch.__version__ == "2.13.0+cpu":  # the graph names the build that wrote it
        assert stored_file(tmp_path / "out" / GRAPH) == wanted.files[GRAPH]


def test_a_composed_bundle_needs_its_own_base(tmp_path: Path) -> None:
    model = save_encoder("bert", tmp_path / "model")
    assert main(["export-model", "--model", str(model), "--out", str(tmp_path / "out")]) == 0
    other = save_encoder("roberta", tmp_path / "other")
    with pytest.raises(Exception, match="not the file this bundle was made for"):
        compose(tmp_path / "composed", shipped=tmp_path / "out", base=other)
