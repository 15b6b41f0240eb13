"""A GPU's driver and a TensorRT runtime for machines that have neither: host memory, and ONNX Runtime behind the engine.

Everything between (addresses, shapes, profiles, turns, recorded work, faults) is the product's own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime


class StandInDriver:
    """libcuda's functions over host memory; `status` maps a function to what its next calls return."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.devices = 1
        self.replayed = 0
        self._memory: list[Any] = []
        self._recorded: list[list[Callable[[], None]]] = []
        self.recording: list[Callable[[], None]] | None = None

    def __getattr__(self, function: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            if self.status.get(function):
                return self.status[function]
            getattr(self, f"_{function}", lambda *_: None)(*arguments)
            return 0

        if not function.startswith("cu"):
            raise AttributeError(function)
        return call

    def _cuDeviceGetCount(self, count: Any) -> None:
        count._obj.value = self.devices

    def _cuDeviceGetName(self, text: Any, *_: Any) -> None:
        text.value = b"Stand-in"

    def _cuDeviceGetAttribute(self, value: Any, number: int, _device: Any) -> None:
        value._obj.value = {75: 8, 76: 9}[number]

    def _cuGetErrorString(self, status: int, text: Any) -> None:
        text._obj.value = {2: b"out of memory", 700: b"an illegal memory access was encountered"}[status]

    def _cuMemAlloc_v2(self, address: Any, size: Any) -> None:
        self._memory.append(ctypes.create_string_buffer(size.value))
        address._obj.value = ctypes.addressof(self._memory[-1])

    def _cuMemcpyHtoDAsync_v2(self, to: Any, source: Any, size: Any, _stream: Any) -> None:
        ctypes.memmove(to.value, source.value, size.value)

    def _cuMemcpyDtoHAsync_v2(self, to: Any, source: Any, size: Any, _stream: Any) -> None:
        ctypes.memmove(to.value, source.value, size.value)

    def _cuStreamBeginCapture_v2(self, *_: Any) -> None:
        self.recording = []

    def _cuStreamEndCapture(self, _stream: Any, graph: Any) -> None:
        assert self.recording is not None
        self._recorded.append(self.recording)
        self.recording = None
        graph._obj.value = len(self._recorded)

    def _cuGraphInstantiateWithFlags(self, ready: Any, graph: Any, _flags: Any) -> None:
        ready._obj.value = graph.value

    def _cuGraphLaunch(self, graph: Any, _stream: Any) -> None:
        self.replayed += 1
        for work in self._recorded[graph.value - 1]:
            work()


class StandInEngine:
    def __init__(self, graph: Path, driver: StandInDriver) -> None:
        self.session = onnxruntime.InferenceSession(str(graph))
        self.driver = driver
        self.contexts: list[StandInContext] = []
        values = [*self.session.get_inputs(), *self.session.get_outputs()]
        self._shapes = {one.name: tuple(side if isinstance(side, int) else -1 for side in one.shape) for one in values}
        self.names = list(self._shapes)

    @property
    def num_io_tensors(self) -> int:
        return len(self.names)

    def get_tensor_name(self, place: int) -> str:
        return self.names[place]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._shapes[name]

    def create_execution_context(self) -> StandInContext:
        self.contexts.append(StandInContext(self))
        return self.contexts[-1]


class StandInRecordingEngine(StandInEngine):
    """As of tensorrt_rtx, whose contexts record repeated shapes when told to; `strategies`: what each was told."""

    def __init__(self, graph: Path, driver: StandInDriver) -> None:
        super().__init__(graph, driver)
        self.strategies: list[str] = []

    def create_runtime_config(self) -> SimpleNamespace:
        return SimpleNamespace(cuda_graph_strategy="disabled")

    def create_execution_context(self, config: SimpleNamespace | None = None) -> StandInContext:
        self.strategies.append(config.cuda_graph_strategy if config else "none")
        return super().create_execution_context()


class StandInContext:
    def __init__(self, engine: StandInEngine) -> None:
        self.engine, self.profile = engine, -1
        self.addresses: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}

    def set_optimization_profile_async(self, profile: int, _stream: int) -> None:
        self.profile = profile

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> None:
        self.shapes[name] = shape

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        sides = self.engine.get_tensor_shape(name)
        return tuple(side if side > 0 else self.shapes["input_ids"][place] for place, side in enumerate(sides))

    def execute_async_v3(self, _stream: int) -> bool:
        if self.engine.driver.recording is not None:
            self.engine.driver.recording.append(self._run)
        else:
            self._run()
        return True

    def _run(self) -> None:
        inputs = {
            name: np.ctypeslib.as_array(ctypes.cast(self.addresses[name], ctypes.POINTER(ctypes.c_int64)), shape)
            for name, shape in self.shapes.items()
        }
        names = [name for name in self.engine.names if name not in inputs]
        for name, array in zip(names, self.engine.session.run(names, inputs), strict=True):
            ctypes.memmove(self.addresses[name], np.ascontiguousarray(array).ctypes.data, array.nbytes)


def stand_in_library(engine: StandInEngine | None, *, records_itself: bool = False) -> ModuleType:
    """A module like `tensorrt` whose runtime gives `engine` for any bytes; None: it refuses them.

    records_itself: like `tensorrt_rtx`, which has a way to say so.
    """
    module: Any = ModuleType("tensorrt")
    module.__version__ = "11.0"
    module.ILogger = type("ILogger", (), {"Severity": type("Severity", (), {"ERROR": 1, "INTERNAL_ERROR": 0})})
    module.Runtime = lambda _log: type("Runtime", (), {"deserialize_cuda_engine": lambda _self, _bytes: engine})()
    if records_itself:
        module.CudaGraphStrategy = SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole graph")
    return module  # type: ignore[no-any-return]
