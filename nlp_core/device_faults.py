"""What may go wrong with the device an encoder runs on, and a count of what did.

Input : an exception that running the encoder raised
Output: `memory` (the batch did not fit), `lost` (device or driver is gone), `numbers` (what it gave are none), or None: no
        fault of the device
Knows the words of ONNX Runtime, CUDA and TensorRT. Its exceptions share no class, so their text has to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from nlp_core.model_faults import NotFinite

DeviceFault = Literal["memory", "lost", "numbers"]

_MEMORY = re.compile(
    r"out ?of ?memory|failed to allocate|cannot allocate|bad allocation|std::bad_alloc|BFCArena|ALLOC_FAILED",
    re.IGNORECASE,
)
_LOST = re.compile(
    r"CUDA (?:failure|error|driver)|CUDA_ERROR|cudaError|CUDNN (?:failure|error)|CUDNN_STATUS|CUBLAS (?:failure|error)|"
    r"CUBLAS_STATUS|NVML|Xid|illegal memory access|device-side assert|unspecified launch failure|no CUDA-capable device|"
    r"driver version is insufficient|fallen off the bus|uncorrectable ECC|device (?:was )?(?:lost|removed|reset)|TensorRT",
    re.IGNORECASE,
)


@dataclass(slots=True)
class DeviceHealth:
    """What an encoder's device has been through since the process started."""

    faults: Counter[DeviceFault] = field(default_factory=Counter)

    @property
    def lost(self) -> bool:
        """True once the device was lost: a process does not get it back, its successor may."""
        return self.faults["lost"] > 0


def device_fault(error: BaseException) -> DeviceFault | None:
    """Which fault of the device `error` is."""
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, NotFinite):
        return "numbers"
    if type(error).__name__ == "DeviceReset":  # of ONNX Runtime
        return "lost"
    text = str(error)
    if _MEMORY.search(text):
        return "memory"
    return "lost" if _LOST.search(text) else None
