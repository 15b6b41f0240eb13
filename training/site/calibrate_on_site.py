"""A site's coded notes beside the simulated patients that calibration is fitted on.

Input : prepared folders (development split), a reader without calibration
Output: Readings to fit on and Readings held apart, patients of one never in the other
A curve fitted on simulated patients alone promises what they keep; with the site's own notes it promises what its codes
keep. Knows how many are enough, and how much they weigh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from nlp_core.assess import Reader
from training.calibrate import Readings
from training.measures.evaluate import category
from training.prepare.prepared_note import Split
from training.site.prepared_folders import BadLine, Site
from training.site.site_notes import SiteNote, chart_of, read_site_notes

SPLIT: Split = "development"
FEWEST = 50
"""Patients on each side below which a curve would learn single patients by heart."""
SHARE = 0.5
"""Of the rows that the curves are fitted on, so many come from the site, as far as MOST_TIMES allows."""
MOST_TIMES = 5
"""No note counts more often."""


@dataclass(frozen=True, slots=True)
class SiteReadings:
    """The site's two halves."""

    fit: Readings
    apart: Readings
    fitted_on: str
    """In words, for the table and the model card."""


@dataclass(frozen=True, slots=True)
class Halves:
    """The coded notes to fit on, those held apart, and the lines that could not be read."""

    fit: list[SiteNote]
    apart: list[SiteNote]
    bad: list[BadLine]

    def __str__(self) -> str:
        fit, apart = (f"{len(half)} coded notes of {_patients(half)} patients" for half in (self.fit, self.apart))
        return f"{fit} to fit on, {apart} held apart"


def site_halves(sites: Sequence[Site], *, most: int) -> Halves:
    """Raises ValueError for a folder without coded notes, or with too few patients."""
    found = read_site_notes(sites, SPLIT, most=most)
    halves = Halves([], [], found.bad)
    for one in found.notes:
        (halves.apart if _half_of(one) else halves.fit).append(one)
    fit, apart = _patients(halves.fit), _patients(halves.apart)
    if min(fit, apart) < FEWEST:
        raise ValueError(
            f"{fit} patients with coded notes to fit on and {apart} to measure on in the {SPLIT} split;"
            f" fewer than {FEWEST} on either side are too few: calibrate on simulated patients alone"
        )
    return halves


def read_halves(reader: Reader, halves: Halves) -> SiteReadings:
    """reader: without calibration."""
    fit, apart = (_readings(reader, half) for half in (halves.fit, halves.apart))
    said = f"{len(halves.fit)} coded notes of {_patients(halves.fit)} patients of the site's {SPLIT} split"
    return SiteReadings(fit, apart, said)


def _patients(notes: Sequence[SiteNote]) -> int:
    return len({(one.site, one.note.patient) for one in notes})


def beside(simulated: Readings, site: Readings) -> Readings:
    """Both together, the site's rows as often as makes up SHARE of them, each at most MOST_TIMES."""
    wanted = SHARE / (1 - SHARE) * len(simulated.raw) / len(site.raw)
    times = int(min(MOST_TIMES, max(1, round(wanted))))
    return Readings(
        np.concatenate([simulated.raw, *[site.raw] * times]), np.concatenate([simulated.right, *[site.right] * times])
    )


def _half_of(one: SiteNote) -> int:
    """0: to fit on, 1: held apart; the patient decides."""
    return hashlib.sha256(f"calibrate {one.site}/{one.note.patient}".encode()).digest()[0] % 2


def _readings(reader: Reader, notes: Sequence[SiteNote]) -> Readings:
    shape = (len(notes), len(reader.knowledge.diagnoses))
    raw, right = np.zeros(shape), np.zeros(shape, dtype=bool)
    for row, one in enumerate(tqdm(notes, desc="site's notes", unit="note", disable=None)):
        known = set(one.note.known)
        ranked = (
            pair for pair in reader.rank(chart_of(one.note, reader.knowledge)) if pair[0].diagnosis.id not in known
        )
        for column, (entry, probability) in enumerate(ranked):
            raw[row, column] = probability
            right[row, column] = category(entry.diagnosis.icd10cm) in one.right
    return Readings(raw, right)
