"""How much worse a model of a hospital's own may be than the shipped one and still leave the house: training/gate.yaml.

Input : readings of both on the same notes     Output: a verdict with every figure it rests on
Knows limits and words. Whoever sets other limits says so in a file of their own, which the verdict names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.prepare.prepared_note import Split
from training.site.measured_model import MeasuredModel
from training.site.prepared_folders import fingerprint, sites_of
from training.site.read_site import SiteReading, read_site
from training.site.site_figures import Difference, differences
from training.site.site_notes import read_site_notes

GATE = Path(__file__).parents[1] / "gate.yaml"


class Gate(BaseModel):
    """The limits, shares between 0 and 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fewest_patients: int = Field(ge=1)
    most_top3_loss: float = Field(ge=0, le=1)
    most_leading_error_growth: float = Field(ge=0, le=1)
    most_leading_error: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """One limit: what was found, what is allowed."""

    passed: bool
    said: str


def read_gate(path: Path = GATE) -> Gate:
    """Raises FileNotFoundError, or ValueError naming the entry at fault."""
    try:
        return Gate.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is no gate: {error}") from error


def judge(gate: Gate, ours: Sequence[SiteReading], shipped: Sequence[SiteReading]) -> list[Judged]:
    """Every limit in turn; the same notes in the same order, else ValueError."""
    return list(_judged(gate, differences(ours, shipped), len({one.patient for one in ours})))


def _judged(gate: Gate, found: dict[str, Difference], patients: int) -> Iterator[Judged]:
    yield _enough(gate, patients)
    top3, error = found["top3"], found["leading_calibration_error"]
    yield Judged(
        -top3.value <= gate.most_top3_loss,
        f"right within three: {100 * top3.ours:.1f} % against {100 * top3.other:.1f} % shipped ({_points(top3)}), at most"
        f" {100 * gate.most_top3_loss:g} points worse",
    )
    yield Judged(
        error.value <= gate.most_leading_error_growth or error.ours <= gate.most_leading_error,
        f"calibration error of the leading diagnosis: {error.ours:.3f} against {error.other:.3f} shipped, at most"
        f" {gate.most_leading_error_growth:g} more, or no more than {gate.most_leading_error:g}",
    )


def _enough(gate: Gate, patients: int) -> Judged:
    return Judged(
        patients >= gate.fewest_patients, f"patients measured on: {patients}, at least {gate.fewest_patients}"
    )


def counted_on(gate: Gate, prepared: Sequence[str], *, split: Split, most: int) -> Judged:
    """Are there enough patients with coded notes? Told before a model is made and read. Raises ValueError."""
    return _enough(gate, read_site_notes(sites_of(prepared), split, most=most).patients)


def _points(of: Difference) -> str:
    return f"{100 * of.value:+.1f} points, {100 * of.low:+.1f} to {100 * of.high:+.1f}"


def judged_on(
    gate: Gate, bundle: Path, shipped: Path, prepared: Sequence[str], *, split: Split, most: int
) -> list[Judged]:
    """Both bundles read the coded notes of the prepared folders. Raises ValueError, BundleError."""
    sites = sites_of(prepared)
    notes = read_site_notes(sites, split, most=most).notes
    made_of = fingerprint(sites, split)
    ours = read_site(MeasuredModel(bundle), notes, None, made_of, what="this model")
    return judge(gate, ours, read_site(MeasuredModel(shipped), notes, None, made_of, what="the shipped model"))
