"""The operators' page in one language: every word and number that it shows, before any markup.

Input: the state of the process. Output: a View, which the template puts into HTML; all its texts are escaped there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cds_hooks.intervals import in_percent
from cds_hooks.memory.counted_readings import (
    RECENT_DAYS,
    RECENT_READINGS,
    REFERENCE_DAYS,
    REFERENCE_READINGS,
    Populations,
)
from cds_hooks.operators import plots
from cds_hooks.operators.checks import Check, Level, checks_of, drift_level, seconds, worst
from cds_hooks.operators.page_words import CHECKS, LEVELS, OVERALL, said
from cds_hooks.operators.process_state import State
from cds_hooks.reason_words import REASONS
from cds_hooks.switches import Switch
from nlp_core.assessment import Language

LEAST_SHOWN = 20
"""A diagnosis shown less often says nothing of its acceptance."""
MOST_DIAGNOSES = 30
MOST_ROWS = 60
STATES = ("answered", "silent", "degraded")
SIGNS: dict[Level, str] = {"good": "✓", "attention": "!", "bad": "✕", "unknown": "?"}
RUNBOOK = "docs/operations.md#"


@dataclass(frozen=True, slots=True)
class Line:
    """One check as it is shown."""

    name: str
    level: Level
    sign: str
    level_word: str
    value: str
    do: str
    """Empty where nothing is known to be wrong."""
    runbook: str
    scope: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture with its words."""

    title: str
    words: str
    bars: Sequence[plots.Bar]
    lines: Sequence[tuple[str, str]]
    """(kind, points)."""
    limit: float | None
    """Height of the line that should not be crossed."""
    legend: Sequence[tuple[str, str]]
    """(kind, word)."""


@dataclass(frozen=True, slots=True)
class View:
    """The page."""

    language: Language
    words: dict[str, str]
    overall: Level
    sign: str
    overall_words: str
    at: str
    begun: str
    lines: Sequence[Line]
    plots: Sequence[Plot]
    outcomes: Sequence[tuple[str, str, int, str]]
    """(state, reason, count, share)."""
    stood_in: int
    fallbacks: int
    acceptance: Sequence[tuple[str, int, str, str, str]]
    """(diagnosis, shown, accepted, overridden, muted)."""
    acceptance_note: str
    drift: Sequence[tuple[str, str, Level, str]]
    """(what, index, level, its word)."""
    drift_notes: Sequence[str]
    versions: Sequence[tuple[str, str]]
    switches: Sequence[tuple[str, str, str, str, str]]
    """(mode, tenant, diagnosis, model, since); the reason stays in the file."""


def view_of(state: State, language: Language, *, version: str) -> View:
    """version: dxspan's own."""
    words = said(language)
    checks = checks_of(state)
    level = worst(checks)
    return View(
        language=language,
        words=words,
        overall=level,
        sign=SIGNS[level],
        overall_words=OVERALL[level].said_in(language),
        at=_time(state.at),
        begun=_time(state.begun),
        lines=[_line(one, words, language) for one in checks],
        plots=_plots(state, words),
        outcomes=_outcomes(state, words, language),
        stood_in=round(state.hour.events["last_cards"]),
        fallbacks=round(state.hour.events["fallbacks"]),
        acceptance=_acceptance(state, words),
        acceptance_note=words["acceptance_note"].format(
            days=state.acceptance_days, least=LEAST_SHOWN, few=sum(one.shown < LEAST_SHOWN for one in state.acceptance)
        ),
        drift=_drift(state, words, language),
        drift_notes=_drift_notes(state, words),
        versions=_versions(state, words, version),
        switches=[_switch(one, words) for one in state.switches[:MOST_ROWS]],
    )  # fmt: skip


def _line(check: Check, words: dict[str, str], language: Language) -> Line:
    name, do = CHECKS[check.key]
    wrong = check.level in ("bad", "attention")
    return Line(
        name=name.said_in(language),
        level=check.level,
        sign=SIGNS[check.level],
        level_word=LEVELS[check.level].said_in(language),
        value=check.value.said_in(language),
        do=do.said_in(language) if wrong else "",
        runbook=RUNBOOK + check.runbook if wrong and check.runbook else "",
        scope=words["all_processes" if check.shared else "this_process"],
    )


def _plots(state: State, words: dict[str, str]) -> list[Plot]:
    minutes = state.minutes
    if not minutes:
        return []
    counts = [{one: minute.of(one) for one in STATES} for minute in minutes]
    top = plots.nice_top(max(sum(one.values()) for one in counts))
    answers = Plot(
        words["answers_by_minute"], _scale(words, f"{top:g}", str(sum(counts[-1].values()))), plots.stacked(counts, top),
        (), None, [(one, words[one]) for one in STATES],
    )  # fmt: skip
    p50, p95 = ([minute.quantile(q) for minute in minutes] for q in (0.5, 0.95))
    limit = state.deadline_seconds
    top = plots.nice_top(max([limit * 1.1, *(min(one, 10.0) for one in p95 if one is not None)]))
    latest = seconds(p95[-1]) if p95[-1] is not None else "–"
    latency = Plot(
        words["latency_by_minute"], _scale(words, f"{top:g} s", f"p95 {latest}"), (),
        [*(("p50", points) for points in plots.line(p50, top)), *(("p95", points) for points in plots.line(p95, top))],
        plots.height_of(limit, top), [("p50", "p50"), ("p95", "p95"), ("limit", words["deadline"])],
    )  # fmt: skip
    return [answers, latency, *([_queue_plot(state, words)] if state.queue else [])]


def _queue_plot(state: State, words: dict[str, str]) -> Plot:
    waiting = [minute.waiting for minute in state.minutes]
    top = plots.nice_top(max((one for one in waiting if one is not None), default=0))
    latest = "–" if waiting[-1] is None else str(waiting[-1])
    lines = [("waiting", points) for points in plots.line(waiting, top)]
    return Plot(words["queue_by_minute"], _scale(words, f"{top:g}", latest), (), lines, None, ())


def _scale(words: dict[str, str], top: str, latest: str) -> str:
    return f"{words['most'].format(most=top)}, {words['now'].format(value=latest)}"


def _outcomes(state: State, words: dict[str, str], language: Language) -> list[tuple[str, str, int, str]]:
    total = state.hour.total
    found = sorted(state.hour.answers.items(), key=lambda one: (STATES.index(one[0][0]), -one[1]))
    return [
        (words[kind], REASONS[reason].said_in(language) if reason in REASONS else reason, count, f"{100 * count / total:.1f} %")
        for (kind, reason), count in found[:MOST_ROWS]
    ]  # fmt: skip


def _acceptance(state: State, words: dict[str, str]) -> list[tuple[str, int, str, str, str]]:
    enough = [one for one in state.acceptance if one.shown >= LEAST_SHOWN]
    enough.sort(key=lambda one: (one.accepted / one.shown, -one.shown, one.diagnosis))
    return [
        (
            one.diagnosis, one.shown, in_percent(one.accepted, one.shown), in_percent(one.overridden, one.shown),
            words["muted"].format(count=state.muted[one.diagnosis]) if one.diagnosis in state.muted else "",
        )
        for one in enough[:MOST_DIAGNOSES]
    ]  # fmt: skip


def _drift(state: State, words: dict[str, str], language: Language) -> list[tuple[str, str, Level, str]]:
    found = sorted((state.drift.indices if state.drift else {}).items(), key=lambda one: -one[1])
    return [
        (words[f"drift_{what}"], f"{index:.2f}", drift_level(index), LEVELS[drift_level(index)].said_in(language))
        for what, index in found
    ]


def _drift_notes(state: State, words: dict[str, str]) -> list[str]:
    found = state.drift.populations if state.drift else Populations()
    notes = [
        words["drift_note"].format(recent=RECENT_DAYS, reference=REFERENCE_DAYS),
        words["drift_counts"].format(
            reference=found.reference.readings, recent=found.recent.readings,
            reference_of_model=found.reference_of_model.readings, recent_of_model=found.recent_of_model.readings,
        ),
    ]  # fmt: skip
    if not (state.drift and state.drift.indices):
        waiting = words["drift_waiting"]
        notes.append(waiting.format(reference=REFERENCE_DAYS, least=REFERENCE_READINGS, least_recent=RECENT_READINGS))
    return notes


def _versions(state: State, words: dict[str, str], version: str) -> list[tuple[str, str]]:
    quota = f"{state.calls_per_second:g}" if state.calls_per_second else words["no_quota"]
    return [
        (words["version"], version),
        (words["model"], state.model_version or words["not_known"]),
        (words["knowledge"], state.knowledge_version or words["not_known"]),
        (words["deadline_long"], f"{state.deadline_seconds:g} s"),
        (words["quota"], quota),
    ]


def _switch(one: Switch, words: dict[str, str]) -> tuple[str, str, str, str, str]:
    everything = words["all"]
    return (
        words[one.mode], one.tenant or everything, one.diagnosis or everything, one.model_version or everything,
        _time(one.since),
    )  # fmt: skip


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").strip()
