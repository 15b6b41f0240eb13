"""Which of a patient's coded diagnoses belong to a note: what it may be asked for, and what was known before.

    the Condition's encounter is the note's           ─► joined by encounter, unless recorded on an earlier day
    one of both names no encounter                    ─► joined by date: recorded at or after the note, within some days
    recorded before the note and not over by then     ─► known: the note may have been written knowing it
    another encounter's, or over before the note      ─► neither

Knows dates as exact as they are written: where a chart gives years alone, nothing is joined by date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from training.prepare.chart_dates import ChartDate, days_between, order
from training.prepare.chart_index import CodedCondition
from training.prepare.coded_labels import Label

How = Literal["encounter", "date"]
Left = Literal["recorded-before", "over", "other-encounter", "too-late", "undated"]


@dataclass(frozen=True, slots=True)
class Joined:
    """What the chart's codes say of one note."""

    labels: dict[str, tuple[Label, How]]
    """By diagnosis."""
    said: frozenset[str]
    """The words of the entries behind them, in lower case."""
    known: tuple[str, ...]
    entries: frozenset[str]
    """References of the Conditions that were joined."""


def join(
    encounter: str, written: ChartDate | None, conditions: Sequence[CodedCondition], *, within_days: int
) -> Joined:
    """encounter: the note's, "" where it names none. written: the note's date."""
    decided = [(condition, _how(encounter, written, condition, within_days)) for condition in conditions]
    known = {
        label.diagnosis: None for condition, how in decided if how == "recorded-before" for label in condition.labels
    }
    labels: dict[str, tuple[Label, How]] = {}
    said: set[str] = set()
    entries: set[str] = set()
    for condition, how in decided:
        new = [label for label in condition.labels if label.diagnosis not in known]
        if new and (how == "encounter" or how == "date"):
            said.update(condition.said)
            entries.add(condition.reference)
            for label in new:
                _take(labels, label, how)
    return Joined(labels, frozenset(said), tuple(known), frozenset(entries))


def _how(encounter: str, written: ChartDate | None, condition: CodedCondition, within_days: int) -> How | Left:
    recorded = condition.recorded
    same = bool(encounter) and condition.encounter == encounter
    if recorded is None or written is None:
        return "encounter" if same else "undated"
    if order(recorded, written, by_day=same) == "before":
        over = condition.ended is not None and order(condition.ended, written, by_day=True) == "before"
        return "over" if over else "recorded-before"
    if same:
        return "encounter"
    if encounter and condition.encounter:
        return "other-encounter"
    days = days_between(written, recorded)
    if days is None:
        return "undated"
    return "date" if days <= within_days else "too-late"


def _take(labels: dict[str, tuple[Label, How]], label: Label, how: How) -> None:
    """The surest wins: the diagnosis itself before a kind of it, the encounter before the date."""
    known = labels.get(label.diagnosis)
    if known is None or _rank(label, how) < _rank(*known):
        labels[label.diagnosis] = (label, how)


def _rank(label: Label, how: How) -> tuple[bool, bool]:
    return label.listed != "same", how != "encounter"
