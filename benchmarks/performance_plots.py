"""The plots of docs/performance.md: aims as bars with a line where they are met, latencies by percentile, a long chart.

Knows what is plotted of sections; the form is that of the other pages' plots (training.measures.plots).
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.section import Aim, Section, figure, percentile
from training.measures.plots import COLOURS, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERCENTS = (1, 5, 10, 25, 50, 75, 90, 95, 98, 99)
MET, MISSED = COLOURS[2], COLOURS[4]
LEAST, MOST = 0.02, 20.0
"""Times the aim: what lies beyond is drawn at the edge."""
STRETCH = 10
"""Notes that are drawn as one point."""


def draw(sections: Sequence[Section], page: Path) -> list[tuple[str, str]]:
    """Writes the plots beside `page`; (file name, what it shows) of each."""
    aims = [aim for section in sections for aim in section.aims]
    latencies = [(section.title, section.latencies) for section in sections if section.latencies]
    costs = {name: values for section in sections for name, values in section.costs.items()}
    drawn = []
    if aims:
        drawn.append((_target(page, "aims"), "Figures beside their aims: left of the line is met"))
        with svg(page.with_name(drawn[-1][0]), 2) as (labels, bars):
            _draw_aims(labels, bars, aims)
    if latencies:
        drawn.append((_target(page, "latency"), "Milliseconds by percentile of the calls"))
        with svg(page.with_name(drawn[-1][0]), len(latencies)) as axes:
            for one, (title, times) in zip(axes, latencies, strict=True):
                _draw_latencies(one, title, times)
    if costs:
        drawn.append((_target(page, "long_chart"), "CPU milliseconds of a note, newest first"))
        with svg(page.with_name(drawn[-1][0]), 1) as (one,):
            _draw_costs(one, costs)
    return drawn


def _target(page: Path, what: str) -> str:
    return f"{page.stem}_{what}.svg"


def _draw_aims(labels: Axes, bars: Axes, aims: Sequence[Aim]) -> None:
    places = list(range(len(aims)))
    lengths = [min(max(aim.of_limit, LEAST), MOST) for aim in aims]
    bars.barh(places, lengths, left=0, color=[MET if aim.met else MISSED for aim in aims], height=0.6)
    bars.set_axisbelow(True)
    bars.set_xscale("log")
    bars.set_xlim(LEAST, MOST)
    bars.axvline(1, color="black", linewidth=1.2)
    bars.set_xlabel("times the aim (log scale); up to the line is met")
    bars.set_yticks(places, [f"{figure(aim.found)} of {aim.limit:g} {aim.unit}".strip() for aim in aims])
    labels.set_axis_off()
    for axes in (labels, bars):
        axes.set_ylim(len(aims) - 0.5, -0.5)
    for place, aim in enumerate(aims):
        labels.text(1, place, aim.what, ha="right", va="center", transform=labels.get_yaxis_transform())


def _draw_latencies(axes: Axes, title: str, latencies: Mapping[str, Sequence[float]]) -> None:
    places = list(range(len(PERCENTS)))
    for (name, times), colour in zip(latencies.items(), COLOURS, strict=False):
        axes.plot(places, [percentile(times, percent) for percent in PERCENTS], label=name, color=colour, marker=".")
    axes.set_yscale("log")
    axes.set_xticks(places, [f"p{percent}" for percent in PERCENTS])
    axes.set_ylabel("milliseconds (log scale)")
    axes.set_title(title)
    axes.legend(frameon=False)


def _draw_costs(axes: Axes, costs: Mapping[str, Sequence[float]]) -> None:
    for (name, values), colour in zip(costs.items(), COLOURS, strict=False):
        notes = values[:-1]  # the last is the reasoning at the end
        starts = range(0, len(notes), STRETCH)
        means = [statistics.mean(notes[start : start + STRETCH]) for start in starts]
        axes.plot([start + STRETCH / 2 for start in starts], means, label=name, color=colour)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("note, newest first")
    axes.set_ylabel("CPU milliseconds")
    axes.legend(frameon=False)
