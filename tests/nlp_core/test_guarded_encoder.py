"""G10, G11: a GPU without memory or gone costs time, never a reading. Faults are injected where the encoder is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import DeviceReset, Fail, InvalidArgument, RuntimeException
from tokenizers import Tokenizer

from nlp_core.batches import Batch
from nlp_core.device_faults import DeviceHealth, device_fault
from nlp_core.encoder import Encoder, HeadAnswers, Vectors
from nlp_core.guarded_encoder import GuardedEncoder
from nlp_core.model_bundle import Bundle
from nlp_core.model_faults import EncoderError, NotFinite
from nlp_core.onnx_encoder import OnnxEncoder, open_encoder

NO_MEMORY = [
    Fail(
        "[ONNXRuntimeError] : 1 : FAIL : bfc_arena.cc:376 onnxruntime::BFCArena::AllocateRawInternal Failed to allocate"
    ),
    RuntimeException("CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; expr=cudaMalloc((void**)&p, size);"),
    RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"),
    MemoryError(),
]
GONE = [
    Fail("CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; expr=cudaStreamSynchronize(stream)"),
    RuntimeException("CUDA failure 999: unknown error"),
    RuntimeException("CUDNN_STATUS_INTERNAL_ERROR"),
    RuntimeError("NVML: GPU has fallen off the bus"),
    DeviceReset("the device was reset"),
]
NO_FAULT_OF_THE_DEVICE = [
    InvalidArgument("Got invalid dimensions for input: input_ids"),
    EncoderError("the encoder gave numbers that are not finite"),
    ValueError("token ids outside 0..9"),
]


@dataclass
class Gpu:
    """The real encoder, which raises what `fault` says for a batch of so many rows."""

    encoder: OnnxEncoder
    fault: Callable[[int], Exception | None]
    rows: list[int] = field(default_factory=list)

    @property
    def width(self) -> int:
        return self.encoder.width

    @property
    def longest(self) -> int:
        return self.encoder.longest

    @property
    def has_heads(self) -> bool:
        return self.encoder.has_heads

    def encode(self, batch: Batch) -> Vectors:
        self._or_raise(batch)
        return self.encoder.encode(batch)

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        self._or_raise(batch)
        return self.encoder.read(batch)

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise AssertionError(f"{texts} go through encode")

    def _or_raise(self, batch: Batch) -> None:
        self.rows.append(len(batch.ids))
        error = self.fault(len(batch.ids))
        if error:
            raise error


@dataclass
class Guarded:
    gpu: Gpu
    health: DeviceHealth
    encoder: GuardedEncoder
    spares: list[Encoder]


def guarded(cpu: OnnxEncoder, tokenizer: Tokenizer, fault: Callable[[int], Exception | None]) -> Guarded:
    gpu, health, spares = Gpu(cpu, fault), DeviceHealth(), list[Encoder]()

    def load_spare() -> Encoder:
        spares.append(cpu)
        return cpu

    return Guarded(gpu, health, GuardedEncoder(gpu, load_spare, tokenizer, health), spares)


ROWS = Batch(np.array([[101, 3108, n, 102] for n in range(1000, 1007)]), np.ones((7, 4), np.int64), tuple(range(7)))


def fits(rows: int, error: Exception) -> Callable[[int], Exception | None]:
    return lambda asked: error if asked > rows else None


@pytest.mark.parametrize("error", NO_MEMORY, ids=range(len(NO_MEMORY)))
def test_g10_a_batch_that_does_not_fit_is_halved_until_it_does(
    encoder: OnnxEncoder, tokenizer: Tokenizer, error: Exception
) -> None:
    given = guarded(encoder, tokenizer, fits(2, error))
    vectors, answers = given.encoder.read(ROWS)
    wanted, wanted_answers = encoder.read(ROWS)
    np.testing.assert_allclose(vectors, wanted, atol=1e-5)
    np.testing.assert_allclose(answers.assertion, wanted_answers.assertion, atol=1e-4)
    assert answers.salience.shape == wanted_answers.salience.shape
    assert given.gpu.rows == [7, 3, 1, 2, 4, 2, 2]
    assert given.health.faults == {"memory": 3}
    assert not given.spares
    assert not given.health.lost


def test_g10_a_row_that_does_not_fit_alone_is_read_on_the_cpu_and_the_gpu_is_asked_again(
    encoder: OnnxEncoder, tokenizer: Tokenizer
) -> None:
    given = guarded(encoder, tokenizer, fits(0, NO_MEMORY[0]))
    np.testing.assert_allclose(given.encoder.encode(ROWS), encoder.encode(ROWS), atol=1e-5)
    assert len(given.spares) == 1, "loaded once"
    asked = len(given.gpu.rows)
    assert asked < 2 * len(ROWS.ids), "each part once: no loop"
    given.gpu.fault = lambda _: None
    given.encoder.encode(ROWS)
    assert given.gpu.rows[asked:] == [7]


@pytest.mark.parametrize("error", GONE, ids=range(len(GONE)))
def test_g11_a_lost_gpu_is_never_asked_again_and_the_cpu_reads(
    encoder: OnnxEncoder, tokenizer: Tokenizer, error: Exception
) -> None:
    given = guarded(encoder, tokenizer, fits(0, error))
    for _ in range(3):
        np.testing.assert_array_equal(given.encoder.encode(ROWS), encoder.encode(ROWS))
    np.testing.assert_array_equal(given.encoder.embed(["fever"]), encoder.embed(["fever"]))
    assert given.gpu.rows == [7]
    assert given.health.lost


@pytest.mark.parametrize("error", NO_FAULT_OF_THE_DEVICE, ids=range(len(NO_FAULT_OF_THE_DEVICE)))
def test_what_is_no_fault_of_the_device_is_raised(encoder: OnnxEncoder, tokenizer: Tokenizer, error: Exception) -> None:
    given = guarded(encoder, tokenizer, fits(0, error))
    with pytest.raises(type(error)):
        given.encoder.encode(ROWS)
    assert not given.spares
    assert device_fault(error) is None


def test_g11_a_machine_whose_gpu_cannot_be_used_reads_on_the_cpu(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(open_encoder(bundle), OnnxEncoder)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    opened = open_encoder(bundle)
    assert isinstance(opened, OnnxEncoder)
    assert opened.embed(["fever"]).shape == (1, 384)


@pytest.mark.parametrize("asked", ["encode", "read"])
def test_d13_a_batch_the_gpu_answers_with_no_numbers_is_read_on_the_cpu_and_counted(
    encoder: OnnxEncoder, tokenizer: Tokenizer, asked: str
) -> None:
    given = guarded(encoder, tokenizer, fits(0, NotFinite("the finding head gave numbers that are not finite")))
    if asked == "encode":
        np.testing.assert_array_equal(given.encoder.encode(ROWS), encoder.encode(ROWS))
    else:
        np.testing.assert_array_equal(given.encoder.read(ROWS)[1].finding, encoder.read(ROWS)[1].finding)
    assert given.health.faults == {"numbers": 1}
    assert not given.health.lost
    given.gpu.fault = lambda _: None
    given.encoder.encode(ROWS)
    assert given.gpu.rows == [7, 7], "it is asked again"
