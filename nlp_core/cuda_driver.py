"""The little of CUDA that running an engine needs, through the driver's own library: no toolkit, no torch.

Input : host arrays
Output: their copies on the first GPU and back, one stream, recorded graphs of work
Knows libcuda's C functions. Does not know TensorRT. Every failing call raises CudaError with the driver's own words, which
device_faults tells apart.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp_core.model_faults import EncoderError

LIBRARY = "libcuda.so.1"
_THREAD_LOCAL_CAPTURE = 1
_MAJOR, _MINOR = 75, 76


class CudaError(EncoderError):
    """A call of the driver failed; the message begins with "CUDA error"."""


class Cuda:
    """The first GPU of this process, its primary context current in every thread that calls."""

    def __init__(self, driver: Any = None) -> None:
        """driver: libcuda, opened here where None. Raises CudaError where driver or GPU is missing."""
        self._driver = driver or _open_driver()
        self._call("cuInit", 0)
        count = ctypes.c_int()
        self._call("cuDeviceGetCount", ctypes.byref(count))
        if count.value == 0:
            raise CudaError("CUDA error: no CUDA-capable device")
        self._device, self._context = ctypes.c_int(), ctypes.c_void_p()
        self._call("cuDeviceGet", ctypes.byref(self._device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), self._device)
        self.use_here()
        stream = ctypes.c_void_p()
        self._call("cuStreamCreate", ctypes.byref(stream), 0)
        self.stream = stream.value or 0
        """Handle of the one stream that all work is queued on."""

    @property
    def name(self) -> str:
        """Model of the GPU with its compute capability, e.g. "NVIDIA L4 8.9"."""
        text = ctypes.create_string_buffer(256)
        self._call("cuDeviceGetName", text, len(text), self._device)
        major, minor = (self._attribute(number) for number in (_MAJOR, _MINOR))
        return f"{text.value.decode(errors='replace')} {major}.{minor}"

    def use_here(self) -> None:
        """Makes the GPU's context the calling thread's; each thread needs it before its first call."""
        self._call("cuCtxSetCurrent", self._context)

    def allocate(self, size: int) -> int:
        """Address of `size` bytes on the GPU; they live as long as the process."""
        address = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value

    def upload(self, array: NDArray[Any], address: int) -> None:
        """Queues the copy of a C-contiguous array to the GPU."""
        self._call(
            "cuMemcpyHtoDAsync_v2",
            ctypes.c_uint64(address),
            ctypes.c_void_p(array.ctypes.data),
            ctypes.c_size_t(array.nbytes),
            ctypes.c_void_p(self.stream),
        )

    def download(self, address: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Queues the copy of float32 [shape] from the GPU; its numbers stand there after `wait`."""
        array = np.empty(shape, np.float32)
        self._call(
            "cuMemcpyDtoHAsync_v2",
            ctypes.c_void_p(array.ctypes.data),
            ctypes.c_uint64(address),
            ctypes.c_size_t(array.nbytes),
            ctypes.c_void_p(self.stream),
        )
        return array

    def wait(self) -> None:
        """Until everything queued is done; a fault of earlier work is raised here."""
        self._call("cuStreamSynchronize", ctypes.c_void_p(self.stream))

    def begin_recording(self) -> None:
        """What is queued from here on is recorded, not run."""
        self._call("cuStreamBeginCapture_v2", ctypes.c_void_p(self.stream), _THREAD_LOCAL_CAPTURE)

    def end_recording(self) -> int:
        """Handle of the recorded work, for `replay`."""
        graph, ready = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuStreamEndCapture", ctypes.c_void_p(self.stream), ctypes.byref(graph))
        self._call("cuGraphInstantiateWithFlags", ctypes.byref(ready), graph, ctypes.c_uint64(0))
        return ready.value or 0

    def replay(self, recorded: int) -> None:
        """Queues recorded work."""
        self._call("cuGraphLaunch", ctypes.c_void_p(recorded), ctypes.c_void_p(self.stream))

    def _attribute(self, number: int) -> int:
        value = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(value), number, self._device)
        return value.value

    def _call(self, function: str, *arguments: Any) -> None:
        status = int(getattr(self._driver, function)(*arguments))
        if status:
            raise CudaError(f"CUDA error {status} in {function}: {self._words(status)}")

    def _words(self, status: int) -> str:
        text = ctypes.c_char_p()
        self._driver.cuGetErrorString(status, ctypes.byref(text))
        return (text.value or b"unknown").decode(errors="replace")


def _open_driver() -> Any:
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise CudaError("CUDA error: this machine has no NVIDIA driver") from error
