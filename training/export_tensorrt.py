"""`dxspan-train build-engine`: the composed bundle's encoder as a TensorRT engine, in the cache beside the bundle.

Knows the order: weights into the graph, 16-bit copy, parse, profiles, build, write. With tensorrt_rtx no GPU is needed;
tensorrt builds on the GPU it will run on. Does not know how an engine is run (nlp_core.tensorrt_encoder).
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from tqdm import tqdm

from nlp_core.cuda_driver import Cuda
from nlp_core.durable_files import write_whole
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.model_faults import EncoderError
from nlp_core.tensorrt_library import (
    CAPABILITIES,
    HALF_PRECISIONS,
    PORTABLE,
    HalfPrecision,
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
from training.command import Command


def build_engine(
    bundle: Bundle,
    *,
    precision: HalfPrecision = "fp16",
    folder: Path | None = None,
    capabilities: Sequence[str] = CAPABILITIES,
) -> Path:
    """Builds the engine of `bundle` and returns where it lies. folder: None = the cache beside the bundle. capabilities:
    kinds of GPU a portable engine is for; serving looks for one that is for CAPABILITIES.

    Raises EncoderError where no library is installed, where it needs a GPU that is not there, or where it refuses the
    graph, with the library's own words.
    """
    import onnx

    from training.model.half_graph import half_precision

    trt = library()
    gpu = PORTABLE if is_portable(trt) else Cuda().name
    graph = half_precision(onnx.load(str(bundle.graph)), precision)
    engine = serialized(trt, graph.SerializeToString(), bundle.manifest.longest, capabilities)
    place = engine_path(
        folder or engines_of(bundle.path),
        gpu=gpu,
        library=library_name(trt),
        model=model_key(bundle.manifest),
        precision=precision,
        bands=profiles(bundle.manifest.longest),
        capabilities=capabilities,
    )
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, engine)
    return place


def serialized(trt: ModuleType, graph: bytes, longest: int, capabilities: Sequence[str] = CAPABILITIES) -> bytes:
    """The engine of an ONNX graph with its weights inside; a few seconds. Raises EncoderError."""
    log = library_log(trt)
    builder = started(trt, "Builder")
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(graph):
        problems = "; ".join(parser.get_error(place).desc() for place in range(parser.num_errors))
        raise EncoderError(f"TensorRT cannot read the graph: {problems}")
    with tqdm(desc="TensorRT builds", unit=" steps", mininterval=1) as bar:
        inputs = [network.get_input(place).name for place in range(network.num_inputs)]
        config = _config(trt, builder, inputs, longest, capabilities)
        config.progress_monitor = _progress(trt, bar)
        engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise EncoderError(f"TensorRT cannot build the engine: {log.last}")
    return bytes(engine)


def _strongly_typed(trt: ModuleType) -> int:
    """tensorrt 11 knows no other networks, and may have dropped the flag."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _config(trt: ModuleType, builder: Any, inputs: Sequence[str], longest: int, capabilities: Sequence[str]) -> Any:
    config = builder.create_builder_config()
    for profile in profiles(longest):
        shapes = builder.create_optimization_profile()
        usual = (max(1, profile.rows // 4), profile.longest)
        for name in inputs:
            shapes.set_shape(name, (1, profile.shortest), usual, (profile.rows, profile.longest))
        config.add_optimization_profile(shapes)
    if is_portable(trt):
        known = [trt.ComputeCapability.__members__[name] for name in capabilities]
        config.num_compute_capabilities = len(known)
        for place, capability in enumerate(known):
            config.set_compute_capability(capability, place)
    return config


def _progress(trt: ModuleType, bar: Any) -> Any:
    """The library's own steps, counted on a bar; it runs the steps of several phases at once, so none has an end."""

    class Steps(trt.IProgressMonitor):  # type: ignore[name-defined,misc]  # the base comes from whichever library is there
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, _parent: str | None, _num_steps: int) -> None:
            bar.set_postfix_str(phase_name[:40], refresh=False)

        def step_complete(self, _phase_name: str, _step: int) -> bool:
            bar.update()
            return True

        def phase_finish(self, _phase_name: str) -> None:
            pass

    return Steps()


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle (default: the one set-up made)")
    parser.add_argument("--precision", choices=HALF_PRECISIONS, default="fp16")
    parser.add_argument("--out", type=Path, help="folder for the engine (default: the cache that serving looks into)")


def _run(arguments: Namespace) -> int:
    bundle = Bundle.open(arguments.bundle or composed_bundle_path())
    began = time.perf_counter()
    try:
        place = build_engine(bundle, precision=arguments.precision, folder=arguments.out)
    except EncoderError as error:
        raise ValueError(str(error)) from error
    print(f"{place}  {place.stat().st_size:,} bytes, built in {time.perf_counter() - began:.1f} s with {_of(bundle)}")
    return 0


def _of(bundle: Bundle) -> str:
    return f"{library_name(library())} from model {bundle.model_version}"


COMMAND = Command(
    "build-engine", "Build the encoder's TensorRT engine (tensorrt_rtx: without a GPU).", _add_arguments, _run
)
