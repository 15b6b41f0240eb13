"""Plots for the pages of docs: the same figures give the same SVG, byte by byte, and text stays text.

Knows the form alone; what is plotted is the measuring modules' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where a plot is drawn: matplotlib takes a second, and the other commands do without it
    from matplotlib.axes import Axes

COLOURS = ("#2563a8", "#b45309", "#4b7f52", "#7c4d8b", "#a83b4c", "#5b6770")
"""In the order of use; dark enough on white."""
_PANEL = (4.6, 3.6)
"""Inches."""


@contextmanager
def svg(target: Path, panels: int) -> Iterator[list[Axes]]:
    """Axes of `panels` plots beside one another; written to `target` when the block ends."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "dxspan", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(_PANEL[0] * panels, _PANEL[1]), layout="constrained")
        axes = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
        for one in axes:
            one.spines[["top", "right"]].set_visible(False)
            one.grid(alpha=0.25)
        yield axes
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    tidy = [line.rstrip() for line in target.read_text("utf-8").splitlines()]
    target.write_text("\n".join(tidy) + "\n", encoding="utf-8")  # matplotlib leaves blanks at line ends
