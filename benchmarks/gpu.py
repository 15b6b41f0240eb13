"""`python -m benchmarks.gpu [--write FILE] [--seconds S]`: the encoder on a GPU, tokens per second over batch and length, every way in one run.

Ways: torch eager, torch.compile, recorded CUDA graphs, ONNX Runtime on CUDA (the shipped graph, and its fp16 copy), TensorRT. The
share is of the fp16 matrix peak measured in the same run. A second table adds the tokenizer and the host. A way that cannot run here
stands there with its reason; without a GPU nothing is measured, and the command says so.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from tqdm import tqdm

from benchmarks.gpu_parity import lines, parity
from benchmarks.knowledge_load import sample_text
from nlp_core.base_package import base_files
from nlp_core.batches import Batch, same_length_batches
from nlp_core.bundle_manifest import BASE_WEIGHTS
from nlp_core.encoder import Encoder
from nlp_core.graph_encoder import IDS, MASK
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.model_faults import EncoderError
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.tensorrt_encoder import TensorRTEncoder
from nlp_core.windows import windows_over
from training.command import deliver
from training.model.half_graph import half_precision
from training.model.trace_graph import load_encoder
from training.model.vocabulary_rows import with_rows

SHAPES = tuple((rows, length) for length in (128, 32, 512) for rows in (64, 1, 512, 8))
"""Rows and tokens of a row; what tells most comes first."""
_TOKEN_FLOP, _TOKEN_FLOP_PER_LENGTH = 21.23e6, 9216.0

Work = Callable[[], object]


@dataclass
class Way:
    """One way of running the encoder: shape -> work, or why it cannot run."""

    name: str
    prepare: Callable[[int, int], Work]
    rates: dict[tuple[int, int], float] = field(default_factory=dict)
    """Tokens per second."""
    missing: str = ""


def peak(device: str, size: int = 8192) -> float:
    """FLOP per second of a square product in the precision that is measured (fp16 on a GPU, fp32 on a CPU)."""
    kind = torch.float16 if device == "cuda" else torch.float32
    one, two = (torch.randn((size, size), device=device).to(kind) for _ in range(2))  # ones or zeros would run faster
    return 2 * size**3 * per_second(lambda: one @ two, device)


def per_second(work: Work, device: str, seconds: float = 0.5) -> float:
    """Runs per second: the median of five timings after a warm-up."""
    for _ in range(3):
        work()
    rates = []
    for _ in range(5):
        _settled(device)
        began, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - began < seconds / 5:
            work()
            count += 1
            if device == "cuda" and count % 16 == 0:  # else the queue grows without end
                _settled(device)
        _settled(device)
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates)


def ways(bundle: Bundle, device: str) -> list[Way]:
    """Every way there is; those that need a library or an engine say later what they miss."""
    vocabulary = bundle.manifest.vocabulary
    model = load_encoder(base_files(bundle.manifest.base)[BASE_WEIGHTS].parent)
    with_rows(model.model, vocabulary)
    model = model.to(device)
    if device == "cuda":
        model = model.half()

    def eager(rows: int, length: int) -> Work:
        return _torch_work(model, _ids(rows, length, vocabulary, device))

    @cache
    def once() -> Any:
        return torch.compile(
            model, dynamic=True
        )  # one program for all shapes, as a service with new lengths all day needs

    def compiled(rows: int, length: int) -> Work:
        return _torch_work(once(), _ids(rows, length, vocabulary, device))

    def recorded(rows: int, length: int) -> Work:
        ids = _ids(rows, length, vocabulary, device)
        return _recorded(_torch_work(model, ids, _all_seen(ids, model)))

    found = [Way("torch eager", eager), Way("torch.compile", compiled), Way("torch, recorded (CUDA graph)", recorded)]
    found += [Way(name, _served(opened, vocabulary)) for name, opened in _on_a_gpu(bundle)]
    return [*found, Way("ONNX Runtime, CUDA, fp16, answers left on the GPU", _left_there(bundle, vocabulary))]


def _on_a_gpu(bundle: Bundle) -> tuple[tuple[str, Callable[[], Encoder]], ...]:
    return (
        ("ONNX Runtime, CUDA", lambda: OnnxEncoder.open(bundle, device="gpu")),
        ("ONNX Runtime, CUDA, fp16", lambda: _half_encoder(bundle)),
        ("TensorRT", lambda: TensorRTEncoder.open(bundle)),
    )


@contextmanager
def _half_graph(bundle: Bundle) -> Iterator[Path]:
    """The graph that TensorRT engines are built from, as a file for as long as it takes to open it."""
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "encoder.fp16.onnx"
        onnx.save(half_precision(onnx.load(str(bundle.graph)), "fp16"), str(graph))
        yield graph


def _half_encoder(bundle: Bundle) -> Encoder:
    """That graph in ONNX Runtime, as it serves."""
    manifest = bundle.manifest
    with _half_graph(bundle) as graph:
        return OnnxEncoder(
            graph, bundle.tokenizer(), width=manifest.width, longest=manifest.longest, vocabulary=manifest.vocabulary,
            heads=bool(manifest.heads), device="gpu",
        )  # fmt: skip


def _left_there(bundle: Bundle, vocabulary: int, device: str = "cuda") -> Callable[[int, int], Work]:
    """As torch's ways: texts lie on the device before the clock runs, and nothing comes back."""

    @cache
    def session() -> onnxruntime.InferenceSession:
        with _half_graph(bundle) as graph:
            return onnxruntime.InferenceSession(str(graph), providers=[f"{device.upper()}ExecutionProvider"])

    def prepare(rows: int, length: int) -> Work:
        ids = np.random.default_rng(0).integers(999, vocabulary, (rows, length))
        binding = session().io_binding()
        for name, values in ((IDS, ids), (MASK, np.ones_like(ids))):
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(values, device, 0))
        for output in session().get_outputs():
            binding.bind_output(output.name, device)
        return lambda: session().run_with_iobinding(binding)

    return prepare


def measure(
    bundle: Bundle,
    device: str,
    shapes: Sequence[tuple[int, int]] = SHAPES,
    among: Sequence[Way] | None = None,
    *,
    seconds: float = math.inf,
) -> list[Way]:
    """All ways over all shapes, the ways in turn within a shape; none is begun after `seconds`, and what was measured stays."""
    found = list(among if among is not None else ways(bundle, device))
    until = time.monotonic() + seconds
    for rows, length in tqdm(shapes, desc="shapes", unit="shape"):
        for way in found:
            if way.missing or time.monotonic() > until:
                continue
            try:
                way.rates[rows, length] = rows * length * per_second(way.prepare(rows, length), device)
            except Exception as error:  # torch's, ONNX Runtime's and TensorRT's share no class; each is shown
                way.missing = f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
    return found


def with_host(bundle: Bundle, encoder: Encoder) -> tuple[float, float]:
    """Tokens per second of a text from characters to vectors on the host, and of its tokenizer and batches alone."""
    tokenizer, text = bundle.tokenizer(), sample_text() * 20

    def cut() -> list[Batch]:
        return same_length_batches([window.ids for window in windows_over(text, tokenizer)])

    def read() -> None:
        for batch in cut():
            encoder.encode(batch)

    tokens = sum(batch.ids.size for batch in cut())
    return tokens * per_second(read, "cpu"), tokens * per_second(cut, "cpu")


def page(
    bundle: Bundle, found: Sequence[Way], top: float, device: str, shapes: Sequence[tuple[int, int]]
) -> Iterator[str]:
    name = torch.cuda.get_device_name() if device == "cuda" else "a CPU (this is no GPU measurement)"
    yield "# The encoder on a GPU"
    yield ""
    yield f"Written by `python -m benchmarks.gpu` on {name}; matrix peak measured in the same run {top / 1e12:.2f} TFLOP/s."
    yield ""
    yield "Thousand tokens per second, and share of the peak. Torch's ways leave their answers on the GPU; ONNX Runtime and TensorRT, as"
    yield "they serve, bring them back to the host, but where it says otherwise:"
    yield ""
    yield "| way | " + " | ".join(f"{rows} × {length}" for rows, length in shapes) + " |"
    yield "|---" * (len(shapes) + 1) + "|"
    for way in found:
        if not way.missing:
            yield f"| {way.name} | " + " | ".join(_cell(way.rates.get(shape), shape[1], top) for shape in shapes) + " |"
    yield ""
    if any(shape not in way.rates for way in found if not way.missing for shape in shapes):
        yield "A dash was not reached within `--seconds`."
    yield from (f"Not run: {way.name} ({way.missing})." for way in found if way.missing)
    yield ""
    cpu, *opened = _encoders(bundle)
    yield "Does it say the same (`benchmarks/gpu_parity.py`)?"
    yield ""
    yield from lines([parity(name, one, cpu[1], bundle.manifest.vocabulary) for name, one in opened])
    yield ""
    yield "From text, tokenizer and host included:"
    yield ""
    yield "| encoder | thousand tokens/s | tokenizer and batches alone |"
    yield "|---|---|---|"
    for name, one in (cpu, *opened):
        whole, alone = with_host(bundle, one)
        yield f"| {name} | {whole / 1e3:.1f} | {alone / 1e3:.1f} |"
    yield ""


def _cell(rate: float | None, length: int, top: float) -> str:
    if rate is None:
        return "–"
    return f"{rate / 1e3:,.1f} ({100 * rate * (_TOKEN_FLOP + _TOKEN_FLOP_PER_LENGTH * length) / top:.1f} %)"


def _encoders(bundle: Bundle) -> Iterator[tuple[str, Encoder]]:
    yield "ONNX Runtime, CPU", OnnxEncoder.open(bundle)
    for name, opened in _on_a_gpu(bundle):
        try:
            yield name, opened()
        except EncoderError:
            continue


def _served(opened: Callable[[], Encoder], vocabulary: int) -> Callable[[int, int], Work]:
    kept: list[Encoder] = []

    def prepare(rows: int, length: int) -> Work:
        if not kept:
            kept.append(opened())
        ids = np.random.default_rng(0).integers(999, vocabulary, (rows, length))
        batch = Batch(ids, np.ones_like(ids), tuple(range(rows)))
        return lambda: kept[0].encode(batch)

    return prepare


def _ids(rows: int, length: int, vocabulary: int, device: str) -> torch.Tensor:
    return torch.randint(
        999, vocabulary, (rows, length), device=device, generator=torch.Generator(device).manual_seed(0)
    )


def _all_seen(ids: torch.Tensor, model: torch.nn.Module) -> torch.Tensor:
    """The mask as attention adds it: the library makes it of ones and zeros with a number from the host, which no graph records."""
    return torch.zeros((len(ids), 1, 1, ids.shape[1]), dtype=next(model.parameters()).dtype, device=ids.device)


def _torch_work(model: Any, ids: torch.Tensor, mask: torch.Tensor | None = None) -> Work:
    mask = torch.ones_like(ids) if mask is None else mask

    def work() -> object:
        with torch.inference_mode():
            return model(ids, mask)

    return work


def _recorded(work: Work) -> Work:
    if not torch.cuda.is_available():
        raise RuntimeError("recording needs a GPU")
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with torch.cuda.stream(aside):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def _settled(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no measurement after this time")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU here (or a torch without CUDA): nothing was measured", file=sys.stderr)
        return 1
    bundle = Bundle.open(composed_bundle_path())
    found = measure(bundle, "cuda", seconds=options.seconds)
    deliver("\n".join(page(bundle, found, peak("cuda"), "cuda", SHAPES)), options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
