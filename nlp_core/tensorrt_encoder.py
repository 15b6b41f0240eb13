"""The encoder as a TensorRT engine on a GPU (built by `dxspan-train build-engine`).

Knows engines, contexts, profiles and recorded graphs. Does not know how an engine is built, nor what is done when the
device fails (guarded_encoder). The GPU is asked for before the engine is loaded: without one, a runtime may end the process.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from math import prod
from types import ModuleType
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from nlp_core.batches import Batch
from nlp_core.cuda_driver import Cuda
from nlp_core.encoder import Vectors
from nlp_core.graph_encoder import IDS, MASK, GraphEncoder
from nlp_core.model_bundle import Bundle
from nlp_core.model_faults import EncoderError
from nlp_core.tensorrt_library import (
    HALF_PRECISIONS,
    PORTABLE,
    Profile,
    engine_path,
    engines_of,
    is_portable,
    library,
    library_log,
    library_name,
    model_key,
    profiles,
    started,
)

_MOST_RECORDED = 32
"""Shapes that get a recorded graph; each holds a context's memory."""
_SEEN_BEFORE_RECORDING = 3


@dataclass(slots=True)
class _Ready:
    """A context set to one profile, and the work of one shape recorded from it (0 = none)."""

    context: Any
    recorded: int = 0


class TensorRTEncoder(GraphEncoder):
    """An Encoder (see encoder.py); safe to use from several threads, which take turns on one stream."""

    def __init__(
        self,
        engine: bytes,
        tokenizer: Tokenizer,
        *,
        width: int,
        longest: int,
        vocabulary: int,
        heads: bool,
        trt: ModuleType,
        cuda: Cuda,
    ) -> None:
        """heads: the engine has them. Raises EncoderError where the runtime refuses the engine."""
        super().__init__(tokenizer, width=width, longest=longest, vocabulary=vocabulary, heads=heads)
        self._trt, self._cuda = trt, cuda
        self._lock = threading.Lock()
        self._profiles = profiles(longest)
        self._runtime = started(trt, "Runtime")  # kept: engines must not outlive their runtime
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise EncoderError(f"TensorRT refuses the engine: {library_log(trt).last}")
        self._addresses = {name: cuda.allocate(self._room(name)) for name in self._tensors()}
        self._by_profile: dict[int, _Ready] = {}
        self._by_shape: dict[tuple[int, int], _Ready] = {}
        self._seen: Counter[tuple[int, int]] = Counter()

    @staticmethod
    def open(bundle: Bundle) -> TensorRTEncoder:
        """The engine built for this bundle, library and GPU. Raises EncoderError, saying what is missing."""
        trt = library()
        cuda = Cuda()
        gpu = PORTABLE if is_portable(trt) else cuda.name
        manifest = bundle.manifest
        named = {"gpu": gpu, "library": library_name(trt), "model": model_key(manifest)}
        bands, folder = profiles(manifest.longest), engines_of(bundle.path)
        places = [engine_path(folder, **named, precision=precision, bands=bands) for precision in HALF_PRECISIONS]
        place = next((one for one in places if one.is_file()), None)
        if place is None:
            raise EncoderError(f"no engine of this model for {gpu} and {named['library']}: dxspan-train build-engine")
        return TensorRTEncoder(
            place.read_bytes(),
            bundle.tokenizer(),
            width=manifest.width,
            longest=manifest.longest,
            vocabulary=manifest.vocabulary,
            heads=bool(manifest.heads),
            trt=trt,
            cuda=cuda,
        )

    def _run(self, batch: Batch, outputs: tuple[str, ...]) -> list[Vectors]:
        number, profile = self._band(batch.ids.shape[1])
        parts = []
        for first in range(0, len(batch.ids), profile.rows):
            rows = slice(first, first + profile.rows)
            ids, mask = (np.ascontiguousarray(array[rows], np.int64) for array in (batch.ids, batch.mask))
            parts.append(self._run_part({IDS: ids, MASK: mask}, number, outputs))
        return [np.concatenate(found) for found in zip(*parts, strict=True)]

    def _band(self, length: int) -> tuple[int, Profile]:
        return next((n, one) for n, one in enumerate(self._profiles) if one.holds(1, length))

    def _run_part(self, inputs: dict[str, Any], profile: int, outputs: tuple[str, ...]) -> list[Vectors]:
        rows, length = inputs[IDS].shape
        with self._lock:
            self._cuda.use_here()
            for name, array in inputs.items():  # first: recording runs once on what lies there
                self._cuda.upload(array, self._addresses[name])
            ready = self._ready(profile, (rows, length))
            if ready.recorded:
                self._cuda.replay(ready.recorded)
            else:
                self._queue(ready.context, (rows, length))
            found = [
                self._cuda.download(self._addresses[name], tuple(ready.context.get_tensor_shape(name)))
                for name in outputs
            ]
            self._cuda.wait()
        return found

    def _queue(self, context: Any, shape: tuple[int, int]) -> None:
        for name in (IDS, MASK):
            context.set_input_shape(name, shape)
        if not context.execute_async_v3(self._cuda.stream):
            raise EncoderError(f"TensorRT could not run a batch of {shape}: {library_log(self._trt).last}")

    def _ready(self, profile: int, shape: tuple[int, int]) -> _Ready:
        """A shape that keeps coming has its work recorded (where the library does not do that by itself)."""
        if shape in self._by_shape:
            return self._by_shape[shape]
        self._seen[shape] += 1
        room = len(self._by_shape) < _MOST_RECORDED
        if not self._records_itself and room and self._seen[shape] > _SEEN_BEFORE_RECORDING:
            self._by_shape[shape] = self._recorded(profile, shape)
            return self._by_shape[shape]
        if profile not in self._by_profile:
            self._by_profile[profile] = _Ready(self._context(profile))
        return self._by_profile[profile]

    def _recorded(self, profile: int, shape: tuple[int, int]) -> _Ready:
        """In a context of its own: a recording holds as long as its context meets no other shape."""
        context = self._context(profile)
        self._queue(context, shape)  # the first run after a new shape may do what cannot be recorded
        self._cuda.wait()
        self._cuda.begin_recording()
        self._queue(context, shape)
        return _Ready(context, self._cuda.end_recording())

    @property
    def _records_itself(self) -> bool:
        return hasattr(self._trt, "CudaGraphStrategy") and hasattr(self._engine, "create_runtime_config")

    def _context(self, profile: int) -> Any:
        if self._records_itself:
            config = self._engine.create_runtime_config()
            config.cuda_graph_strategy = self._trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            context = self._engine.create_execution_context(config)
        else:
            context = self._engine.create_execution_context()
        if context is None:
            raise EncoderError(f"TensorRT gives no context (out of memory?): {library_log(self._trt).last}")
        context.set_optimization_profile_async(profile, self._cuda.stream)
        self._cuda.wait()
        for name, address in self._addresses.items():
            context.set_tensor_address(name, address)
        return context

    def _tensors(self) -> list[str]:
        return [self._engine.get_tensor_name(place) for place in range(self._engine.num_io_tensors)]

    def _room(self, name: str) -> int:
        """Bytes of the largest array of that name: inputs int64, outputs float32."""
        shape = tuple(self._engine.get_tensor_shape(name))
        rows = max(one.rows for one in self._profiles)
        tokens = max(one.rows * one.longest for one in self._profiles)
        changing = tokens if shape.count(-1) > 1 else rows
        fixed: int = prod(side for side in shape if side > 0)
        return changing * fixed * (8 if name in (IDS, MASK) else 4)
