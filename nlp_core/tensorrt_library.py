"""Which TensorRT is installed, and what every engine of ours is built for and named by.

One way through `tensorrt` 11 (needs a GPU to build) and `tensorrt_rtx` 1.7 (builds ahead of time, without one): an import
switch here, and what only one of them has is asked for with hasattr. Knows no model and touches no GPU.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from nlp_core.batches import MOST_TOKENS
from nlp_core.bundle_manifest import GRAPH, Manifest
from nlp_core.model_faults import EncoderError
from nlp_core.windows import LONGEST

HalfPrecision = Literal["fp16", "bf16"]
HALF_PRECISIONS: tuple[HalfPrecision, ...] = ("fp16", "bf16")
PORTABLE = "portable"
"""Stands for the GPU's name in engines that run on every GPU the library knows (tensorrt_rtx)."""
CAPABILITIES = ("SM80", "SM86", "SM89", "SM120", "SM121")
"""What portable engines run on: every GPU that tensorrt_rtx 1.7 knows but SM75 (Turing), which has no float32 products
for the heads and no bf16."""
HALF_GRAPH_VERSION = 1
"""Goes up with every change of what training/model/half_graph.py makes of a graph: engines built before are not met again."""
_MODULES = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
_BORDERS = (8, 16, 32, 64, 128, 256, LONGEST)


class TensorRTMissing(EncoderError):
    """No TensorRT library can be imported here."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One band of batch shapes that an engine is tuned for: rows 1 to `rows`, lengths `shortest` to `longest`."""

    shortest: int
    longest: int
    rows: int

    def holds(self, rows: int, length: int) -> bool:
        return rows <= self.rows and self.shortest <= length <= self.longest


def profiles(longest: int = LONGEST, most_tokens: int = MOST_TOKENS) -> tuple[Profile, ...]:
    """Bands that together hold every batch same_length_batches makes: at most `most_tokens` tokens, or one row."""
    borders = [*(border for border in _BORDERS if border < longest), longest]
    shortest = [1, *(border + 1 for border in borders)]
    return tuple(Profile(low, high, max(1, most_tokens // low)) for low, high in zip(shortest, borders, strict=False))


def library() -> ModuleType:
    """The TensorRT that is installed. Raises TensorRTMissing, saying how to install one."""
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise TensorRTMissing(
        "TensorRT is not installed: pip install --no-deps --require-hashes -r requirements/tensorrt.lock"
    )


def library_name(module: ModuleType) -> str:
    """E.g. "tensorrt_rtx 1.7.1.116"."""
    return f"{module.__name__.removesuffix('_bindings')} {module.__version__}"


@functools.cache
def library_log(module: ModuleType) -> Any:
    """The process's one logger (a second is ignored by the library): keeps the last error in `last`, prints nothing."""

    class Log(module.ILogger):  # type: ignore[name-defined,misc]  # the base comes from whichever library is there
        def __init__(self) -> None:
            module.ILogger.__init__(self)
            self.last = "no reason given"

        def log(self, severity: Any, message: str) -> None:
            if severity in (module.ILogger.Severity.ERROR, module.ILogger.Severity.INTERNAL_ERROR):
                self.last = message

    return Log()


def started(module: ModuleType, kind: Literal["Builder", "Runtime"]) -> Any:
    """The library's builder or runtime. Raises EncoderError where it gives none, as with a driver older than it needs."""
    log = library_log(module)
    try:
        return getattr(module, kind)(log)
    except TypeError as error:  # how its constructor says that CUDA does not start
        raise EncoderError(f"TensorRT cannot start its {kind.lower()}: {log.last}") from error


def is_portable(module: ModuleType) -> bool:
    """Whether its engines are built without a GPU, for all that it knows."""
    return hasattr(module, "ComputeCapability")


def engine_path(
    folder: Path,
    *,
    gpu: str,
    library: str,
    model: str,
    precision: HalfPrecision,
    bands: Sequence[Profile],
    capabilities: Sequence[str] = CAPABILITIES,
) -> Path:
    """Where the engine lies that was built with `library` for `gpu` from `model` (see model_key), tuned for `bands`.
    capabilities: kinds of GPU a portable engine was built for; of no account for one that was built on its GPU.

    An engine that anything here was otherwise for has another name, so a stale one is never met.
    """
    shapes = (f"{one.shortest}-{one.longest} x {one.rows}" for one in bands)
    kinds = sorted(capabilities) if gpu == PORTABLE else ()
    parts = (gpu, library, model, precision, f"half graph {HALF_GRAPH_VERSION}", "; ".join(shapes), " ".join(kinds))
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    readable = re.sub(r"[^a-z0-9.]+", "-", f"{library} {gpu} {precision}".lower())
    return folder / f"{readable}-{digest[:16]}.engine"


def model_key(manifest: Manifest) -> str:
    """What an engine of a composed bundle depends on: its graph and its weights, not its knowledge."""
    return f"{manifest.files[GRAPH].sha256} {manifest.weights.sha256}"


def engines_of(bundle: Path) -> Path:
    """The cache of engines beside a composed bundle, whose own folder holds only what its manifest names."""
    return bundle.parent / "engines"
