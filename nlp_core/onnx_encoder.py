"""The encoder in ONNX Runtime over the composed bundle's graph: on the CPU, or on a GPU where this one can.

Knows sessions and threads, and that ONNX Runtime must not call home. Does not know where the graph comes from (model_bundle) nor how texts are batched (batches).
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
from tokenizers import Tokenizer

from nlp_core.batches import Batch
from nlp_core.device_faults import DeviceHealth
from nlp_core.encoder import Encoder, Vectors
from nlp_core.graph_encoder import IDS, MASK, GraphEncoder
from nlp_core.guarded_encoder import GuardedEncoder
from nlp_core.model_bundle import Bundle
from nlp_core.model_faults import EncoderError
from nlp_core.own_cores import own_cores
from nlp_core.tensorrt_library import engines_of

# Since 1.32 the library keeps a device id under $HOME and sends usage events to its maker. It looks at this variable when
# it is imported; `disable_telemetry_events` comes too late.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

Device = Literal["cpu", "gpu"]
_CPU, _GPU = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY = 3
_log = logging.getLogger(__name__)


class OnnxEncoder(GraphEncoder):
    """An Encoder (see encoder.py); safe to use from several threads."""

    def __init__(
        self,
        graph: Path,
        tokenizer: Tokenizer,
        *,
        width: int,
        longest: int,
        vocabulary: int,
        heads: bool = False,
        threads: int = 1,
        device: Device = "cpu",
    ) -> None:
        """heads: the graph has them. threads: cores one run may use; 0 = all this process may run on.

        Raises EncoderError where ONNX Runtime cannot load the graph, or not onto the device.
        """
        if threads < 0:
            raise ValueError(f"threads must be 0 or more, not {threads}")
        super().__init__(tokenizer, width=width, longest=longest, vocabulary=vocabulary, heads=heads)
        try:
            self._session = onnxruntime.InferenceSession(
                str(graph), _options(threads or own_cores()), providers=[_CPU] if device == "cpu" else [_GPU, _CPU]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no narrower class
            raise EncoderError(f"ONNX Runtime cannot load {graph.name}: {error}") from error
        if device == "gpu" and _GPU not in self._session.get_providers():
            raise EncoderError("ONNX Runtime found no GPU that it can use")

    @staticmethod
    def open(bundle: Bundle, *, threads: int = 1, device: Device = "cpu") -> OnnxEncoder:
        """The encoder of a composed, verified bundle."""
        manifest = bundle.manifest
        return OnnxEncoder(
            bundle.graph,
            bundle.tokenizer(),
            width=manifest.width,
            longest=manifest.longest,
            vocabulary=manifest.vocabulary,
            heads=bool(manifest.heads),
            threads=threads,
            device=device,
        )

    def _run(self, batch: Batch, outputs: tuple[str, ...]) -> list[Vectors]:
        inputs = {IDS: batch.ids, MASK: batch.mask}
        return [np.asarray(output) for output in self._session.run(list(outputs), inputs)]


def open_encoder(bundle: Bundle, *, threads: int = 1, health: DeviceHealth | None = None) -> Encoder:
    """The best encoder this machine has for a bundle: its GPU's with the CPU's as spare, else the CPU's.

    On a GPU, TensorRT where an engine was built, else ONNX Runtime. health: told of the GPU's faults; a GPU that a library
    is built for and cannot use is not a loss, but none.
    """
    if engine := _engine_of(bundle):
        return GuardedEncoder(
            engine, lambda: OnnxEncoder.open(bundle, threads=threads), bundle.tokenizer(), health or DeviceHealth()
        )
    if _GPU in onnxruntime.get_available_providers():
        with suppress(EncoderError):
            gpu = OnnxEncoder.open(bundle, threads=threads, device="gpu")
            return GuardedEncoder(
                gpu, lambda: OnnxEncoder.open(bundle, threads=threads), bundle.tokenizer(), health or DeviceHealth()
            )
    return OnnxEncoder.open(bundle, threads=threads)


def _engine_of(bundle: Bundle) -> Encoder | None:
    """The engine in the cache beside the bundle; None where nobody built one, or, with a warning, where it cannot run."""
    if not engines_of(bundle.path).is_dir():
        return None
    from nlp_core.tensorrt_encoder import TensorRTEncoder

    try:
        return TensorRTEncoder.open(bundle)
    except EncoderError as error:
        _log.warning("TensorRT is not used, ONNX Runtime reads: %s", error)
        return None


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Spinning reads 15-30 % faster on idle cores, at half the speed on shared ones, and burns a core between runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
