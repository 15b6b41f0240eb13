"""`python -m benchmarks [--write docs/performance.md]`: every part in one run, as one Markdown page with its plots.

Knows which parts there are. What a part measures and says is its own business; one that fails is named on the page with its
error, and the others are still measured.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks import (
    cached_calls,
    cold_charts,
    encoder_page,
    knowledge_load,
    long_chart,
    memory,
    more_workers,
    peers,
    performance_plots,
    prefetch_parsing,
    protocol_cost,
    queue_round_trip,
    start_up,
    text_pipeline,
)
from benchmarks.section import Measure, Options, Section, keep_to_cores, parser, shipped_model, table_of

PARTS: Mapping[str, Measure] = {
    "cached_calls": cached_calls.section,
    "cold_charts": cold_charts.section,
    "protocol_cost": protocol_cost.section,
    "prefetch_parsing": prefetch_parsing.section,
    "peers": peers.section,
    "queue_round_trip": queue_round_trip.section,
    "more_workers": more_workers.section,
    "long_chart": long_chart.section,
    "memory": memory.section,
    "start_up": start_up.section,
    "knowledge_load": knowledge_load.section,
}
"""By module, in the order of the page."""
_ELSEWHERE = (
    "Two aims of the encoder's on a CPU stand, with what was found, on pages of their own: twice the speed of fp32 with the same card on",
    f"{100 * encoder_page.AIM_CARDS:.1f} % of texts in [encoders.md](encoders.md), and at most {100 * text_pipeline.AIM:.0f} % of its time around it in [text_pipeline.md](text_pipeline.md).",
)


def run(parts: Mapping[str, Measure], options: Options) -> list[Section]:
    """One section for each part, measured one after another, with a progress bar."""
    sections = []
    bar = tqdm(parts.items(), unit="part")
    for name, measure in bar:
        bar.set_postfix_str(name)
        try:
            sections.append(measure(options))
        except Exception as error:  # whatever fails in one part: the figures of the others are not lost
            tqdm.write(
                traceback.format_exc(), file=sys.stderr
            )  # its text may name this machine's folders: not on the page
            sections.append(Section(name, [f"Not measured: {type(error).__name__}."]))
    return sections


def page(sections: Sequence[Section], plots: Sequence[tuple[str, str]], about: str) -> str:
    """The Markdown page: how it came about, figures beside their aims, plots, then each part."""
    aims = [aim for section in sections for aim in section.aims]
    met = sum(aim.met for aim in aims)
    lines = [
        "# Performance",
        "",
        "Written by `make benchmarks` (`python -m benchmarks --write docs/performance.md`), all in one run on one machine;",
        "each part also alone, `python -m benchmarks.PART`.",
        about,
        "",
        f"## Figures beside their aims: {met} of {len(aims)} met",
        "",
        *table_of(aims),
        *_ELSEWHERE,
        "",
        *(line for file, what in plots for line in (f"![{what}]({file})", "")),
        *(line for section in sections for line in section.markdown),
    ]
    return "\n".join(lines)


def main() -> int:
    """Prints or writes the page; 1 where a part could not be measured, 0 whether aims are met or not."""
    command = parser(__doc__)
    command.add_argument(
        "--write", type=Path, help="Markdown file; plots lie beside it. Without it the page is printed"
    )
    command.add_argument("--only", nargs="+", choices=PARTS, help="these parts alone")
    given = command.parse_args()
    keep_to_cores()
    model, begun = shipped_model(), time.monotonic()
    chosen = {name: measure for name, measure in PARTS.items() if not given.only or name in given.only}
    load = os.getloadavg()[0]
    sections = run(chosen, Options(given.peers_python, given.share))
    plots = performance_plots.draw(sections, given.write) if given.write else []
    written = page(sections, plots, about(model, time.monotonic() - begun, load, given.share))
    if given.write:
        given.write.write_text(written, encoding="utf-8")
    else:
        print(written)
    return int(any(section.title in PARTS for section in sections))


def about(model: str, seconds: float, load: float, share: float) -> str:
    """The head line: which model was measured, on what, for how many seconds, and beside how much else."""
    cores = len(os.sched_getaffinity(0))
    told = (
        f"Model {model}, {cores} cores, Python {platform.python_version()}, {seconds / 60:.0f} minutes; the machine's load was {load:.1f} when it began"
        " (0 = nobody else). Shared machines are\nnoisy: ratios count, not milliseconds."
    )
    return told if share == 1 else f"{told} **A try with {share:g} of the usual calls.**"


if __name__ == "__main__":
    sys.exit(main())
