"""The figures that the source attributes are filled with: measured ones, as files said, and those in force in this process.

Measured figures are copied from the repository's files into measured.json (`python -m cds_hooks.transparency`), because a
wheel holds no docs; a test compares them. What is in force is read from the code and the settings that run, and from the
counts of feedback, so it cannot grow stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from cds_hooks.build_cards import LEAST_WEIGHT, MOST_SHOWN
from cds_hooks.card import Card
from cds_hooks.intervals import in_percent
from cds_hooks.settings import Settings
from cds_hooks.watch import SUGGESTIONS
from nlp_core.assessment import Silence
from nlp_core.chart import Chart

MEASURED = Path(__file__).parent / "measured.json"
LEAST_SHOWN = 20
"""Showings below which no acceptance is stated: a handful says nothing, and might tell of single users."""

Value = str | int | float | None
Kind = Literal["measured", "code", "settings", "feedback"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One value with where it comes from."""

    value: Value
    source: str
    kind: Kind


def all_figures(settings: Settings) -> dict[str, Figure]:
    """Every figure by name."""
    return {**_measured(), **_in_code(), **_in_settings(settings), **_of_feedback()}


@cache
def _measured() -> Mapping[str, Figure]:
    kept = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {
        name: Figure(one["value"], f"{one['file']}: {one['place']}", "measured")
        for name, one in kept["figures"].items()
    }


@cache
def _in_code() -> Mapping[str, Figure]:
    silences = ", ".join(get_args(Silence)).replace("_", " ")
    indicators = " or ".join(get_args(Card.model_fields["indicator"].annotation))
    fields = ", ".join(Chart.model_fields).replace("_", " ")
    return {
        "most_shown": Figure(MOST_SHOWN, "cds_hooks/build_cards.py: MOST_SHOWN", "code"),
        "least_weight": Figure(LEAST_WEIGHT, "cds_hooks/build_cards.py: LEAST_WEIGHT", "code"),
        "indicators": Figure(indicators, "cds_hooks/card.py: Card.indicator", "code"),
        "silences": Figure(silences, "nlp_core/assessment.py: Silence", "code"),
        "chart_fields": Figure(fields, "nlp_core/chart.py: Chart", "code"),
    }


def _in_settings(settings: Settings) -> dict[str, Figure]:
    chosen: dict[str, str | int] = {
        "developer": settings.developer,
        "developer_contact": settings.developer_contact,
        "funding": settings.funding,
        "acceptance_days": settings.acceptance_days,
        "mute_below": f"{100 * settings.mute_below:g} %",
        "mute_after_shows": settings.mute_after_shows,
        "own_bundle": "a bundle of this site" if settings.bundle_path else "the bundle that ships",
    }
    variables = {"own_bundle": "bundle_path"}
    return {
        name: Figure(value or None, f"DXSPAN_{variables.get(name, name).upper()}", "settings")
        for name, value in chosen.items()
    }


def _of_feedback() -> dict[str, Figure]:
    """Of all tenants and diagnoses together, as they were last counted."""
    counts = dict.fromkeys(("shown", "accepted"), 0.0)
    for metric in SUGGESTIONS.collect():
        for sample in metric.samples:
            outcome = sample.labels["outcome"]
            if outcome in counts:
                counts[outcome] += sample.value
    shown, accepted = int(counts["shown"]), int(counts["accepted"])
    enough = shown >= LEAST_SHOWN
    share = in_percent(accepted, shown) if enough else None
    source = "the feedback database"
    return {
        "shown": Figure(shown if enough else None, source, "feedback"),
        "accepted_share": Figure(share, source, "feedback"),
    }
