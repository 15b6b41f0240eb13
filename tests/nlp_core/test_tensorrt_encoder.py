"""The TensorRT encoder answers like ONNX Runtime's, and says what is missing where it cannot run.

No GPU is at hand in tests: driver and runtime are stand-ins that compute on the host (device_stand_in).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp_core import tensorrt_encoder, tensorrt_library
from nlp_core.batches import MOST_TOKENS, Batch, same_length_batches
from nlp_core.cuda_driver import Cuda, CudaError
from nlp_core.device_faults import DeviceHealth, device_fault
from nlp_core.guarded_encoder import GuardedEncoder
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.model_faults import EncoderError
from nlp_core.onnx_encoder import OnnxEncoder, open_encoder
from nlp_core.tensorrt_encoder import TensorRTEncoder
from nlp_core.tensorrt_library import PORTABLE, engine_path, engines_of, model_key, profiles
from tests.nlp_core.device_stand_in import StandInDriver, StandInEngine, StandInRecordingEngine, stand_in_library


@dataclass(frozen=True)
class Device:
    driver: StandInDriver
    engine: StandInEngine
    encoder: TensorRTEncoder


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.open(composed_bundle_path())


@pytest.fixture(scope="module")
def cpu(bundle: Bundle) -> OnnxEncoder:
    return OnnxEncoder.open(bundle)


@pytest.fixture
def device(bundle: Bundle) -> Device:
    driver = StandInDriver()
    engine = StandInEngine(bundle.graph, driver)
    manifest = bundle.manifest
    encoder = TensorRTEncoder(
        b"engine",
        bundle.tokenizer(),
        width=manifest.width,
        longest=manifest.longest,
        vocabulary=manifest.vocabulary,
        heads=True,
        trt=stand_in_library(engine),
        cuda=Cuda(driver),
    )
    return Device(driver, engine, encoder)


def batch(rows: int, length: int, seed: int = 3) -> Batch:
    ids = np.random.default_rng(seed).integers(1000, 30000, (rows, length))
    return Batch(ids, np.ones_like(ids), tuple(range(rows)))


def test_every_batch_that_reading_makes_has_a_profile() -> None:
    lengths = [*range(1, 70), 100, 255, 256, 257, 511, 512] * 9
    for made in same_length_batches([np.ones(length, np.int64) for length in lengths]):
        rows, length = made.ids.shape
        assert sum(one.holds(rows, length) for one in profiles()) == 1


def test_answers_are_those_of_onnx_runtime(device: Device, cpu: OnnxEncoder) -> None:
    for asked in (batch(3, 7), batch(1, 200), batch(2, 7)):
        vectors, answers = device.encoder.read(asked)
        wanted, wanted_answers = cpu.read(asked)
        assert np.abs(vectors - wanted).max() < 1e-5
        assert np.abs(answers.evidence - wanted_answers.evidence).max() < 1e-4
        assert np.abs(answers.salience - wanted_answers.salience).max() < 1e-4
    assert {context.profile for context in device.engine.contexts} == {0, 5}


def test_rows_beyond_the_profile_are_read_in_parts(device: Device, cpu: OnnxEncoder) -> None:
    asked = batch(5, 256)  # its profile holds three rows
    assert np.abs(device.encoder.encode(asked) - cpu.encode(asked)).max() < 1e-5


def test_a_shape_that_keeps_coming_is_recorded_and_replayed(device: Device, cpu: OnnxEncoder) -> None:
    for seed in range(7):
        asked = batch(2, 9, seed)
        assert np.abs(device.encoder.encode(asked) - cpu.encode(asked)).max() < 1e-5
        device.encoder.encode(batch(1, 12, seed))  # another shape of the same profile between
    assert device.driver.replayed == 8  # four of each, after three plain runs


def test_c_what_does_not_fit_the_model_is_refused(device: Device) -> None:
    with pytest.raises(ValueError, match="rows of 513 tokens"):
        device.encoder.encode(batch(1, 513))
    with pytest.raises(ValueError, match="token ids outside"):
        device.encoder.encode(Batch(np.array([[40_000]]), np.array([[1]]), (0,)))


def test_e_a_lost_device_and_a_full_memory_are_told_apart(device: Device, bundle: Bundle, cpu: OnnxEncoder) -> None:
    for status, fault in ((2, "memory"), (700, "lost")):
        device.driver.status = {"cuStreamSynchronize": status}
        with pytest.raises(CudaError) as raised:
            device.encoder.encode(batch(1, 5))
        assert device_fault(raised.value) == fault
    health = DeviceHealth()
    guarded = GuardedEncoder(device.encoder, lambda: cpu, bundle.tokenizer(), health)
    assert np.array_equal(guarded.encode(batch(1, 5)), cpu.encode(batch(1, 5)))
    assert health.lost


def opened(bundle: Bundle, library: Any, driver: StandInDriver | None = None) -> TensorRTEncoder:
    """What `library` makes of an engine, if it will have it."""
    cuda = Cuda(driver or StandInDriver())
    sizes = {"width": 384, "longest": 512, "vocabulary": 30_522}
    return TensorRTEncoder(b"engine", bundle.tokenizer(), heads=True, trt=library, cuda=cuda, **sizes)


def test_a_runtime_that_refuses_the_engine_says_so(bundle: Bundle) -> None:
    with pytest.raises(EncoderError, match="TensorRT refuses the engine"):
        opened(bundle, stand_in_library(None))


def test_e_a_driver_that_the_runtime_cannot_start_on_is_an_encoder_error(bundle: Bundle) -> None:
    """Its bindings log a reason, then raise a TypeError (seen of a builder; a worker must fall back, not end)."""
    library: Any = stand_in_library(None)

    def runtime(log: Any) -> None:
        log.log(library.ILogger.Severity.ERROR, "CUDA initialization failure with error: 35")
        raise TypeError("pybind11::init(): factory function returned nullptr")

    library.Runtime = runtime
    with pytest.raises(EncoderError, match="cannot start its runtime: CUDA initialization failure with error: 35"):
        opened(bundle, library)


def test_a_machine_without_a_gpu_is_named() -> None:
    driver = StandInDriver()
    driver.devices = 0
    with pytest.raises(CudaError, match="no CUDA-capable device"):
        Cuda(driver)
    assert Cuda(StandInDriver()).name == "Stand-in 8.9"


NAMED: dict[str, Any] = {"gpu": PORTABLE, "library": "tensorrt_rtx 1.7", "model": "a b", "precision": "fp16"}


@pytest.mark.parametrize(
    "other",
    [
        {"gpu": "NVIDIA L4 8.9"},
        {"library": "tensorrt_rtx 1.8"},
        {"model": "a c"},
        {"precision": "bf16"},
        {"bands": profiles(256)},
        {"bands": profiles(most_tokens=MOST_TOKENS + 1)},
        {"capabilities": ("SM89",)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_engine_made_otherwise_has_another_name(tmp_path: Path, other: dict[str, Any]) -> None:
    usual = NAMED | {"bands": profiles()}
    assert engine_path(tmp_path, **usual) == engine_path(tmp_path, **usual)
    assert engine_path(tmp_path, **usual | other) != engine_path(tmp_path, **usual)


def test_a_changed_border_or_half_graph_gives_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {engine_path(tmp_path, **NAMED, bands=profiles())}
    monkeypatch.setattr(tensorrt_library, "_BORDERS", (8, 16, 32, 64, 128, 320, 512))
    places.add(engine_path(tmp_path, **NAMED, bands=profiles()))
    monkeypatch.setattr(tensorrt_library, "HALF_GRAPH_VERSION", tensorrt_library.HALF_GRAPH_VERSION + 1)
    places.add(engine_path(tmp_path, **NAMED, bands=profiles()))
    assert len(places) == 3


def test_an_engine_built_on_its_gpu_has_one_name_whatever_portable_engines_are_for(tmp_path: Path) -> None:
    own = NAMED | {"gpu": "NVIDIA L4 8.9", "bands": profiles()}
    assert engine_path(tmp_path, **own, capabilities=("SM89",)) == engine_path(tmp_path, **own)


def test_a_stale_engine_is_not_met(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine of this bundle, library and GPU is opened, and no longer when the borders have changed since."""
    driver = StandInDriver()
    trt = stand_in_library(StandInEngine(bundle.graph, driver))
    monkeypatch.setattr(tensorrt_encoder, "library", lambda: trt)
    monkeypatch.setattr(tensorrt_encoder, "Cuda", lambda: Cuda(driver))
    folder = tmp_path / "composed"
    folder.symlink_to(bundle.path)
    here = Bundle(folder, bundle.manifest)
    named: dict[str, Any] = {"gpu": "Stand-in 8.9", "library": "tensorrt 11.0", "model": model_key(bundle.manifest)}
    place = engine_path(engines_of(folder), **named, precision="fp16", bands=profiles(bundle.manifest.longest))
    place.parent.mkdir()
    place.write_bytes(b"engine")
    assert TensorRTEncoder.open(here).encode(batch(1, 5)).shape == (1, 5, bundle.manifest.width)
    monkeypatch.setattr(tensorrt_library, "_BORDERS", (8, 512))
    with pytest.raises(EncoderError, match=r"no engine of this model for Stand-in 8\.9"):
        TensorRTEncoder.open(here)


def test_a_library_that_records_by_itself_is_told_to_and_nothing_is_recorded_for_it(
    bundle: Bundle, cpu: OnnxEncoder
) -> None:
    """As tensorrt_rtx: each context is made with a runtime configuration."""
    driver = StandInDriver()
    engine = StandInRecordingEngine(bundle.graph, driver)
    encoder = opened(bundle, stand_in_library(engine, records_itself=True), driver)
    for seed in range(7):
        for shape in ((2, 9), (1, 200)):
            asked = batch(*shape, seed)
            assert np.abs(encoder.encode(asked) - cpu.encode(asked)).max() < 1e-5
    assert engine.strategies == ["whole graph"] * 2  # a context for each profile, however often its shapes come
    assert [context.profile for context in engine.contexts] == [1, 5]
    assert driver.replayed == 0


def test_where_an_engine_cannot_run_onnx_runtime_reads_and_the_log_says_why(
    bundle: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As on this machine: an engine folder, and neither GPU nor driver."""
    folder = tmp_path / "composed"
    folder.symlink_to(bundle.path)
    (tmp_path / "engines").mkdir()
    with caplog.at_level(logging.WARNING):
        encoder = open_encoder(Bundle(folder, bundle.manifest))
    assert isinstance(encoder, OnnxEncoder)
    assert "TensorRT is not used, ONNX Runtime reads: " in caplog.text
