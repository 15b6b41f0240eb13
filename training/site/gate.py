"""How much worse a model of a hospital's own may be than the shipped one and still leave the house: training/gate.yaml.

Input : prepared folders, and readings of both on the same notes     Output: a verdict with every figure it rests on, gate.json
Knows limits and words. Whoever sets other limits says so in a file of their own, which the verdict names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.prepare.prepared_note import Split
from training.site.measured_model import MeasuredModel
from training.site.prepared_folders import BadLine, fingerprint, sites_of
from training.site.read_site import SiteReading, read_site
from training.site.site_figures import Difference, differences
from training.site.site_notes import read_site_notes

GATE = Path(__file__).parents[1] / "gate.yaml"
VERDICT = "gate.json"
"""Lies beside the bundle that was let through, or where the refused one would have been."""


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


class Verdict(BaseModel):
    """gate.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    date: str
    gate: str
    """Name of the file of limits."""
    limits: Gate
    split: Split
    notes: int
    patients: int
    unreadable_lines: int
    model: str = ""
    """Version of the bundle that was judged; empty where there were too few patients to make it for."""
    shipped: str = ""
    figures: dict[str, Difference] = {}
    """`ours` is the model judged, `other` the shipped one."""
    judged: tuple[Judged, ...]


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


def _points(of: Difference) -> str:
    return f"{100 * of.value:+.1f} points, {100 * of.low:+.1f} to {100 * of.high:+.1f}"


class SiteGate:
    """One file of limits and the coded notes of prepared folders, read once."""

    def __init__(self, path: Path, prepared: Sequence[str], *, split: Split, most: int) -> None:
        """Raises FileNotFoundError, or ValueError for a gate that is none and folders without coded notes."""
        self._name, self._limits, self._split = path.name, read_gate(path), split
        sites = sites_of(prepared)
        self._notes = read_site_notes(sites, split, most=most)
        self._made_of = fingerprint(sites, split)

    @property
    def bad(self) -> Sequence[BadLine]:
        """Lines of the folders that could not be read."""
        return self._notes.bad

    def counted(self) -> Verdict:
        """Are there enough patients with coded notes? Told before a model is made and read."""
        return self._verdict([_enough(self._limits, self._notes.patients)])

    def judged(self, bundle: Path, shipped: Path) -> Verdict:
        """Both composed bundles read the notes. Raises BundleError."""
        model, other = MeasuredModel(bundle), MeasuredModel(shipped)
        ours = read_site(model, self._notes.notes, None, self._made_of, what="this model")
        theirs = read_site(other, self._notes.notes, None, self._made_of, what="the shipped model")
        verdict = self._verdict(judge(self._limits, ours, theirs))
        found = {"model": model.version, "shipped": other.version, "figures": differences(ours, theirs)}
        return verdict.model_copy(update=found)

    def _verdict(self, judged: Sequence[Judged]) -> Verdict:
        return Verdict(
            passed=all(one.passed for one in judged),
            date=datetime.now(UTC).date().isoformat(),
            gate=self._name,
            limits=self._limits,
            split=self._split,
            notes=len(self._notes.notes),
            patients=self._notes.patients,
            unreadable_lines=len(self._notes.bad),
            judged=tuple(judged),
        )
