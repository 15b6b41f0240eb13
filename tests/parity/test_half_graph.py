"""The 16-bit graph that TensorRT engines are built from gives what the fp32 graph gives.

Tolerance, fp16 in ONNX Runtime: token vectors within 1e-2 (their numbers reach about 2) at cosine .99999, the heads'
logits within 5e-2. bf16, whose steps are eight times as wide, in ONNX's own reference evaluator (ONNX Runtime's CPU has no
bf16 products): token vectors and logits within 2e-1, cosine .9995; and the weights are those that torch's rounding gives.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp_core.batches import Batch
from nlp_core.cuda_driver import Cuda, CudaError
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.tensorrt_encoder import TensorRTEncoder
from nlp_core.tensorrt_library import library, library_name

torch = pytest.importorskip("torch", reason="the graph's tools come with torch (make setup-test)")
import onnx  # noqa: E402
import onnxruntime  # noqa: E402

from tests.parity.reference_operators import OPERATORS  # noqa: E402
from training.export_tensorrt import build_engine, serialized  # noqa: E402
from training.model.half_graph import half_precision  # noqa: E402


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.open(composed_bundle_path())


def batches() -> list[Batch]:
    random = np.random.default_rng(4)
    found = []
    for rows, length in ((1, 3), (4, 40), (1, 300)):
        ids = random.integers(1000, 30000, (rows, length))
        mask = np.ones_like(ids)
        mask[-1, 2 * length // 3 :] = 0
        found.append(Batch(ids, mask, tuple(range(rows))))
    return found


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)


def test_fp16_is_near_fp32_padding_or_not(bundle: Bundle) -> None:
    half = half_precision(onnx.load(str(bundle.graph)), "fp16")
    session = onnxruntime.InferenceSession(half.SerializeToString())
    encoder = OnnxEncoder.open(bundle)
    for batch in batches():
        kept = batch.mask.astype(bool)
        vectors, answers = encoder.read(batch)
        found = session.run(None, {"input_ids": batch.ids, "attention_mask": batch.mask})
        assert all(array.dtype == np.float32 for array in found)
        assert np.abs(found[0] - vectors)[kept].max() < 1e-2
        assert cosines(found[0], vectors)[kept].min() > 0.99999
        for array, wanted in zip(found[1:], (answers.finding, answers.assertion), strict=False):
            assert np.abs(array - wanted)[kept].max() < 5e-2
        assert np.abs(found[3] - answers.salience).max() < 5e-2
        assert np.abs(found[4] - answers.evidence).max() < 5e-2


def test_bf16_weights_are_rounded_as_torch_rounds(bundle: Bundle) -> None:
    half = half_precision(onnx.load(str(bundle.graph)), "bf16")
    kinds = {tensor.data_type for tensor in half.graph.initializer if tensor.name.endswith(".half")}
    assert kinds == {onnx.TensorProto.BFLOAT16}
    original = {tensor.name: tensor for tensor in onnx.load(str(bundle.graph)).graph.initializer}
    for tensor in half.graph.initializer:
        if tensor.name.endswith("query.weight.transpose.half"):
            wanted = torch.from_numpy(onnx.numpy_helper.to_array(original[tensor.name.removesuffix(".half")]).copy())
            found = np.frombuffer(tensor.raw_data, np.int16)
            assert np.array_equal(found, wanted.to(torch.bfloat16).view(torch.int16).numpy().ravel())


def test_bf16_is_near_fp32_padding_or_not(bundle: Bundle) -> None:
    half = onnx.reference.ReferenceEvaluator(half_precision(onnx.load(str(bundle.graph)), "bf16"), new_ops=OPERATORS)
    encoder = OnnxEncoder.open(bundle)
    for batch in batches()[:2]:
        kept = batch.mask.astype(bool)
        vectors, answers = encoder.read(batch)
        found = half.run(None, {"input_ids": batch.ids, "attention_mask": batch.mask})
        assert all(array.dtype == np.float32 for array in found)
        assert 1e-3 < np.abs(found[0] - vectors)[kept].max() < 2e-1  # nearer would not be bf16
        assert cosines(found[0], vectors)[kept].min() > 0.9995
        for array, wanted in zip(found[1:], (answers.finding, answers.assertion), strict=False):
            assert np.abs(array - wanted)[kept].max() < 2e-1
        assert np.abs(found[3] - answers.salience).max() < 2e-1
        assert np.abs(found[4] - answers.evidence).max() < 2e-1


def test_the_heads_stay_in_fp32_and_a_graph_without_vectors_is_refused(bundle: Bundle) -> None:
    half = half_precision(onnx.load(str(bundle.graph)), "fp16")
    heads = {t.name: t.data_type for t in half.graph.initializer if t.name.startswith("heads.") and t.data_type != 7}
    assert set(heads.values()) == {onnx.TensorProto.FLOAT}
    model = onnx.load(str(bundle.graph))
    model.graph.output[0].name = "something else"
    with pytest.raises(ValueError, match="no output last_hidden_state"):
        half_precision(model, "fp16")


def test_a_real_engine_is_built_without_a_gpu(bundle: Bundle, tmp_path: Path) -> None:
    """TensorRT-RTX builds the shipped encoder ahead of time, all profiles, for one kind of GPU."""
    place = build_engine(bundle, folder=tmp_path, capabilities=("SM89",))
    assert place.stat().st_size > 20_000_000
    assert library_name(library()).replace("_", "-").replace(" ", "-") in place.name


def test_what_tensorrt_cannot_read_is_said_in_its_own_words() -> None:
    with pytest.raises(Exception, match="TensorRT cannot read the graph"):
        serialized(library(), b"no graph", 512)


def test_an_engine_on_this_machines_gpu(bundle: Bundle, tmp_path: Path) -> None:
    try:
        cuda = Cuda()
    except CudaError as missing:
        pytest.skip(f"engines run on a GPU: {missing}")
    manifest = bundle.manifest
    engine = TensorRTEncoder(
        build_engine(bundle, folder=tmp_path).read_bytes(),
        bundle.tokenizer(),
        width=manifest.width,
        longest=manifest.longest,
        vocabulary=manifest.vocabulary,
        heads=bool(manifest.heads),
        trt=library(),
        cuda=cuda,
    )
    encoder = OnnxEncoder.open(bundle)
    for batch in batches() * 5:  # repeated shapes are recorded
        kept = batch.mask.astype(bool)
        assert cosines(engine.encode(batch), encoder.encode(batch))[kept].min() > 0.9999
