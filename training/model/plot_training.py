"""`dxspan-train plot-training`: the curves of a run as one picture, drawn from what TensorBoard was told.

Left the losses (smoothed), right the figures on held-apart phrases and charts. Equal runs give equal pictures.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.command import Command
from training.measures.plots import COLOURS, svg

_WINDOW = 40
"""Steps over which a loss is averaged."""

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(steps, values)."""


def read_curves(run: Path) -> dict[str, Curve]:
    """Every scalar of a run by name. Raises FileNotFoundError where the folder has no curves."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not list((run / "curves").glob("events.*")):
        raise FileNotFoundError(f"{run / 'curves'} holds no curves; let `dxspan-train fit --out {run}` run first")
    events: Any = EventAccumulator(str(run / "curves"), size_guidance={"scalars": 0})
    events.Reload()
    curves: dict[str, Curve] = {}
    for name in events.Tags()["scalars"]:
        scalars = events.Scalars(name)
        curves[name] = (np.array([s.step for s in scalars], float), np.array([s.value for s in scalars]))
    return curves


def smoothed(curve: Curve, window: int = _WINDOW) -> Curve:
    """Running means; a curve shorter than the window is left as it is."""
    steps, values = curve
    if len(values) < window:
        return curve
    return steps[window - 1 :], np.convolve(values, np.ones(window) / window, mode="valid")


def draw(curves: dict[str, Curve], target: Path) -> None:
    """Writes an SVG."""
    with svg(target, 2) as (left, right):
        _lines(left, {n.removeprefix("loss/"): smoothed(c) for n, c in curves.items() if n.startswith("loss/")}, "loss")
        held = {n.removeprefix("held_apart/"): c for n, c in curves.items() if n.startswith("held_apart/")}
        _lines(right, held, "share right on held-apart phrases and charts", marker="o")
        right.set_ylim(0, 1)


def _lines(axes: Any, curves: dict[str, Curve], label: str, marker: str = "") -> None:
    for place, (name, (steps, values)) in enumerate(sorted(curves.items())):
        again, colour = divmod(place, len(COLOURS))
        style = {"color": COLOURS[colour], "linestyle": "--" if again else "-"}
        axes.plot(steps, values, marker=marker, label=name.replace("_", " "), **style)
    axes.set_xlabel("steps")
    axes.set_ylabel(label)
    axes.legend(fontsize="small")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--run", dest="folder", type=Path, default=Path("var/model"), help="folder of a run of `fit`")
    parser.add_argument("--write", type=Path, default=Path("docs/training.svg"), help="default: %(default)s")


def _run(options: Namespace) -> int:
    draw(read_curves(options.folder), options.write)
    print(options.write)
    return 0


COMMAND = Command("plot-training", "draw the curves of a training run", _arguments, _run)
