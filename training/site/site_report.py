"""What an evaluation of a site found, as report.json: figures alone, no note, no mark, no small group."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from training.site.site_figures import Difference, Figures, Group, Point
from training.site.site_variants import Told, Written

REPORT, PAGE = "report.json", "report.html"
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Data(BaseModel):
    """What was measured on."""

    model_config = _STRICT

    sites: tuple[str, ...]
    split: str
    seed: int
    without_codes: int
    """Notes passed over since nothing was coded of them."""
    beyond: int
    """Coded notes not drawn, as there were more than asked for."""
    bad_lines: int
    fewest: int
    """Patients below which a group is not told."""
    variants: int
    """Notes that were also read otherwise written and told of somebody else."""


class Side(BaseModel):
    """One model."""

    model_config = _STRICT

    model: str
    knowledge: str
    calibrated: bool
    """False: the bundle has no calibration for its knowledge, and probabilities are raw."""
    figures: Figures


class SiteReport(BaseModel):
    """The whole evaluation."""

    model_config = _STRICT

    version: int = 1
    date: str
    command: str
    data: Data
    ours: Side
    shipped: Side | None
    differences: dict[str, Difference]
    """Ours less the shipped model's; empty where it was not compared."""
    groups: tuple[Group, ...]
    gaps: dict[str, float]
    """Dimension -> points of top-3 between its best and its worst group."""
    silences: dict[str, int | None]
    """Reason -> notes; None: too few patients to be told."""
    reliability: tuple[Point, ...]
    written: tuple[Written, ...]
    told: tuple[Told, ...]
