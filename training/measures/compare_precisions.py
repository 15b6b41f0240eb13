"""`dxspan-train compare-precisions`: the encoder in torch, fp32 and two kinds of int8, as one Markdown table."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nlp_core.base_package import base_files
from nlp_core.batches import Batch
from nlp_core.bundle_manifest import BASE_WEIGHTS, TOKENIZER
from nlp_core.compose_bundle import compose
from nlp_core.encoder import Vectors
from nlp_core.knowledge_files import read_knowledge
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from training.command import Command
from training.export_model import PRECISIONS, base_of, export
from training.measures.precision_measures import LIKENESS, Encode, compare, outcome, speed, texts_of
from training.model.named_encoder import add_model_argument, encoder_folder

_LENGTHS = (8, 32, 128, 256, 512)


@contextmanager
def variants(model: Path | None) -> Iterator[dict[str, Bundle]]:
    """fp32, the row-wise int8 and ONNX Runtime's own dynamic int8 (per output channel), each in a bundle."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundles: dict[str, Bundle] = {}
        for precision in PRECISIONS:
            export(folder / "shipped" / precision, model=model, precision=precision)
            compose(folder / precision, shipped=folder / "shipped" / precision, base=model)
            bundles[precision] = Bundle.open(folder / precision)
        own = folder / "int8, ONNX Runtime's own"
        own.mkdir()
        quantize_dynamic(
            bundles["fp32"].graph,
            own / bundles["fp32"].graph.name,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )
        (own / TOKENIZER).write_bytes(bundles["fp32"].file(TOKENIZER).read_bytes())
        bundles[own.name] = Bundle(own, bundles["fp32"].manifest)
        yield bundles


def torch_encode(model: Path) -> Encode:
    import torch

    from training.model.trace_graph import load_encoder

    encoder = load_encoder(model)

    def encode(batch: Batch) -> Vectors:
        with torch.no_grad():
            vectors: Any = encoder(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
        return np.asarray(vectors.numpy(), np.float32)

    return encode


def report(model: Path | None, names: int) -> Iterator[str]:
    """The table line by line."""
    import torch

    heads = ["token cosine, mean", "worst", "sentence cosine, mean", "worst"]
    heads += [f"decisions {what} at {least}" for least in LIKENESS for what in ("changed", "right")]
    heads += [f"tokens/s, {threads} thread{'s' * (threads > 1)}, L={n}" for threads in (1, 2) for n in _LENGTHS]
    yield "| encoder | " + " | ".join(heads) + " |"
    yield "|---" * (len(heads) + 1) + "|"
    with variants(model) as bundles:
        texts = texts_of(read_knowledge(), bundles["fp32"], names=names)
        folder = base_files(base_of(model), model)[BASE_WEIGHTS].parent
        encode = torch_encode(folder)
        wanted = outcome(encode, texts, bundles["fp32"])
        rates = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            rates += _rates(encode, bundles["fp32"])
        yield _row("torch, eager", [*compare(wanted, wanted, texts), *rates])
        for name, bundle in bundles.items():
            encoders = [OnnxEncoder.open(bundle, threads=threads) for threads in (1, 2)]
            cells = compare(wanted, outcome(encoders[1].encode, texts, bundle), texts)
            yield _row(name, [*cells, *(rate for one in encoders for rate in _rates(one.encode, bundle))])


def _rates(encode: Encode, bundle: Bundle) -> list[str]:
    manifest = bundle.manifest
    return [f"{speed(encode, n, manifest.vocabulary):,.0f}" for n in _LENGTHS if n <= manifest.longest]


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _add_arguments(parser: ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("--names", type=int, default=6000, help="names to decide on (default: %(default)s)")


def _run(arguments: Namespace) -> int:
    for line in report(encoder_folder(arguments.model), arguments.names):
        print(line, flush=True)
    return 0


COMMAND = Command("compare-precisions", "Measure the encoder's precisions against torch.", _add_arguments, _run)
