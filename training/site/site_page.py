"""report.html: a SiteReport as one page without script, picture file or address, readable on paper too.

Knows the template and how a figure is written; measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.site.site_figures import Difference, Share
from training.site.site_report import SiteReport
from training.site.svg_plots import interval_plot, reliability_plot

TEMPLATES = Path(__file__).parent / "templates"
AIM_GAP, AIM_ERROR, AIM_LOSS, AIM_FLIPS = 0.05, 0.05, 3.0, 0.01
"""What is aimed for: at most so much of top-3 between groups, calibration error, loss in points, flips."""
DIFFERENCES = {
    "top1": "right and first",
    "top3": "right within three",
    "top5": "right within five",
    "silent": "no card",
    "leading_calibration_error": "calibration error, leading",
    "calibration_error": "calibration error, first five",
}


def environment() -> Environment:
    """Templates of this room, escaped; a name that is missing is an error."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)  # fmt: skip
    made.filters.update(percent=percent, share=share, signed=signed)
    return made


def page(report: SiteReport) -> str:
    """The whole page."""
    top3 = [
        (f"{group.dimension}: {group.name}", group.figures.top3, f"{percent(group.figures.top3.value)} of {group.figures.notes}")
        for group in report.groups if group.figures
    ]  # fmt: skip
    return environment().get_template("site_report.html").render(
        report=report,
        named=DIFFERENCES,
        verdicts=list(verdicts(report)),
        reliability=reliability_plot(report.reliability),
        by_group=interval_plot(top3, "Right within three by group, in percent, with 95 % intervals", (0.0, 1.0)) if top3 else None,
        aims={"gap": AIM_GAP, "error": AIM_ERROR, "loss": AIM_LOSS, "flips": AIM_FLIPS},
    )  # fmt: skip


def verdicts(report: SiteReport) -> Iterator[tuple[bool, str]]:
    """(as aimed for, what was found), the short of it."""
    ours = report.ours.figures
    if report.shipped:
        top3 = report.differences["top3"]
        word = "better than" if top3.low > 0 else "worse than" if top3.high < 0 else "not told apart from"
        yield top3.high >= 0, f"Right within three: {share(ours.top3)}; {word} the shipped model ({signed(top3)})."
    error = ours.leading_calibration_error
    yield (
        error <= AIM_ERROR,
        f"Calibration error of the leading diagnosis: {error:.3f}; at most {AIM_ERROR} is aimed for.",
    )
    for dimension, gap in report.gaps.items():
        apart = f"Top-3 of the best and the worst group by {dimension}: {100 * gap:.1f} points apart"
        yield gap <= AIM_GAP, f"{apart}; at most {100 * AIM_GAP:.0f} are aimed for."
    if report.written:
        worst = max(report.written, key=lambda one: one.loss)
        yield (
            worst.loss <= AIM_LOSS,
            f"Worst loss by careless or hostile writing: {worst.loss:.1f} points ({worst.name}).",
        )
    for told in report.told:
        if told.flipped:
            yield told.flipped.value <= AIM_FLIPS, f"Leading diagnosis changed by {told.name}: {share(told.flipped)}."


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def share(of: Share) -> str:
    """`61.0 % (55.2–66.5)`."""
    return f"{percent(of.value)} ({100 * of.low:.1f}–{100 * of.high:.1f})"


def signed(of: Difference) -> str:
    """`+2.1 points (-0.4 to +4.5)`."""
    return f"{100 * of.value:+.1f} points ({100 * of.low:+.1f} to {100 * of.high:+.1f})"
