"""Does the summary tell what the record tells? `dxspan-train measure-summary`.

On invented charts, whose every finding is known by place: which share of the present findings, and of the sentences that
hold one the diagnosis explains, the chosen sentences cover; and how many of the chosen hold nothing that is present. With
`--texts`, on whole notes: is the right diagnosis still among the first three when the chosen sentences are all that is read.
Beside the simple ways of choosing, at the same budget. Writes docs/summary.md. Texts of the evaluation are counted, never
shown.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from tqdm import tqdm

from nlp_core.assertion import Assertion
from nlp_core.assess import Reader
from nlp_core.chart import Chart
from nlp_core.intervals import wilson
from nlp_core.note import Note
from nlp_core.summary import MOST_CHARACTERS, MOST_ITEMS
from training.command import Command, deliver, said
from training.measures.choose_sentences import (
    Budget,
    Choose,
    Placed,
    at_random,
    by_summary,
    central,
    leading,
    textrank,
)
from training.measures.evaluate import asked_rows, category
from training.measures.intervals import bootstrap_mean
from training.measures.own_cases import coded_chart, reworded
from training.measures.remembering_reader import remembering_reader
from training.synthetic_charts.charts import ChartWriter, WrittenChart
from training.synthetic_charts.gold import WrittenNote

BUDGETS = (Budget(4, 300), Budget(MOST_ITEMS, MOST_CHARACTERS))
SET = "notes_whole"
_MOST_OF = 0.5
"""Share of a sentence that must be quoted for it to count as told."""


@dataclass(frozen=True, slots=True)
class Covered:
    """One chart, one way of choosing; shares 0 to 1."""

    findings: float
    telling: float
    idle: float
    """Of the chosen sentences those that hold nothing present."""
    denied: float
    """Those among them that hold only what is denied, of relatives, of the past or for later."""


def choices(reader: Reader) -> dict[str, Choose]:
    """The ways that are measured, by name."""
    return {
        "summary": by_summary(reader.knowledge),
        "leading sentences": leading,
        "random": at_random(1),
        "TF-IDF centrality": central,
        "TextRank (networkx)": textrank,
    }


def chart_of(written: WrittenChart) -> Chart:
    """As an EHR hands it over; one note for each written one, in its order."""
    notes = tuple(
        Note(reference=f"DocumentReference/{place}", text=note.text, kind=note.kind, date=date)
        for place, (note, date) in enumerate(zip(written.notes, written.dates, strict=True))
    )
    return Chart(age_years=written.story.age_years, as_of=written.dates[0], notes=notes)


def covered(written: WrittenChart, chosen: Sequence[Placed]) -> Covered | None:
    """None for a chart that tells of nothing present."""
    present: set[str] = set()
    telling: set[str] = set()
    told: set[str] = set()
    told_sentences: set[str] = set()
    for place, note in enumerate(written.notes):
        spans = [one.span for one in chosen if one.note.reference == f"DocumentReference/{place}"]
        for gold in note.spans:
            if gold.assertion is Assertion.PRESENT and not gold.entry.startswith("d:"):
                present.add(gold.entry)
                if any(span.start <= gold.start and gold.end <= span.end for span in spans):
                    told.add(gold.entry)
        for sentence in note.sentence_spans:
            if sentence.telling:
                text = note.text[sentence.start : sentence.end]
                telling.add(text)
                shared = sum(max(0, min(s.end, sentence.end) - max(s.start, sentence.start)) for s in spans)
                if shared >= _MOST_OF * (sentence.end - sentence.start):
                    told_sentences.add(text)
    if not present or not telling:
        return None
    idle, denied = _idle(written.notes, chosen)
    return Covered(len(told) / len(present), len(told_sentences) / len(telling), idle, denied)


def _idle(notes: Sequence[WrittenNote], chosen: Sequence[Placed]) -> tuple[float, float]:
    idle = denied = 0
    for one in chosen:
        gold = notes[int(one.note.reference.rpartition("/")[2])].spans
        inside = [entry.assertion for entry in gold if one.span.start <= entry.start and entry.end <= one.span.end]
        if Assertion.PRESENT not in inside:
            idle += 1
            denied += bool(inside)
    return (idle / len(chosen), denied / len(chosen)) if chosen else (0.0, 0.0)


def measure(reader: Reader, count: int, *, seed: int) -> dict[Budget, dict[str, list[Covered]]]:
    """Invented charts, every way at every budget."""
    ways = choices(reader)
    found: dict[Budget, dict[str, list[Covered]]] = {budget: {name: [] for name in ways} for budget in BUDGETS}
    charts = ChartWriter(reader.knowledge, seed=seed).charts(count)
    for written in tqdm(charts, total=count, desc="invented charts", unit="chart"):
        read = reader.read(chart_of(written))
        for budget in BUDGETS:
            for name, choose in ways.items():
                one = covered(written, choose(read, budget))
                if one:
                    found[budget][name].append(one)
    return found


def own_rows(reader: Reader, count: int, *, seed: int) -> list[tuple[str, set[str]]]:
    """(text, accepted categories) of the same invented charts, each as one text."""
    charts = ChartWriter(reader.knowledge, seed=seed).charts(count)
    return [("\n".join(note.text for note in one.notes), {category(one.story.diagnosis.icd10cm)}) for one in charts]


def within_three(
    reader: Reader, rows: Sequence[tuple[str, set[str]]], budget: Budget, title: str = SET
) -> dict[str, list[bool]]:
    """By way: is a right diagnosis among the first three of what is read? `whole note` reads all."""
    ways = choices(reader)
    found: dict[str, list[bool]] = {"whole note": [], **{name: [] for name in ways}}
    for text, gold in tqdm(rows, desc=title, unit="text"):
        chart = coded_chart(text)
        read = reader.read(chart)
        texts = {"whole note": text}
        texts |= {
            name: "\n".join(one.text for one in sorted(choose(read, budget), key=lambda one: one.span.start))
            for name, choose in ways.items()
        }
        for name, altered in texts.items():
            ranked = reader.rank(reworded(chart, altered)) if altered else []
            leading_three = list(dict.fromkeys(category(entry.diagnosis.icd10cm) for entry, _ in ranked))[:3]
            found[name].append(not gold.isdisjoint(leading_three))
    return found


_COLUMNS: tuple[tuple[str, Callable[[Covered], float]], ...] = (
    ("present findings told", lambda one: one.findings),
    ("explained sentences told", lambda one: one.telling),
    ("chosen without anything present", lambda one: one.idle),
    ("of these with denials and the like", lambda one: one.denied),
)


def page(
    reader: Reader,
    found: dict[Budget, dict[str, list[Covered]]],
    own: dict[str, list[bool]],
    ranks: dict[str, list[bool]] | None,
    *,
    options: str = "",
) -> str:
    """own: does the diagnosis stay, on invented charts; ranks: the same on the evaluation's whole notes."""
    parts = [*_opening(reader, options), *_coverage(found), *_own_ranks(own), *(_ranks(ranks) if ranks else ())]
    return "\n".join(parts)


def _opening(reader: Reader, options: str) -> Iterator[str]:
    yield "# The record summary, measured"
    yield ""
    yield f"Written by `dxspan-train measure-summary{options}` with model {reader.model_version}."
    yield ""
    yield (
        "The summary is extractive: every sentence is a slice of its note. It is measured beside simple ways of choosing "
        "sentences from the same charts under the same budget. All means with 95 % intervals (bootstrap over charts)."
    )
    yield ""
    yield (
        "No public set of clinical notes with reference summaries is at hand: the evaluation's notes have diagnoses and no summaries. "
        "So nothing is compared with a summary that a person wrote. Two things stand in: what the writer of an invented chart knows to be "
        "in it, and whether the right diagnosis is still found when only the chosen sentences are read."
    )
    yield ""


def _coverage(found: dict[Budget, dict[str, list[Covered]]]) -> Iterator[str]:
    yield "## Invented charts"
    yield ""
    yield (
        "Charts written from the knowledge, by the same names that the reader knows: the figures say how the choosing "
        "compares, not how real notes fare. Gold is what the writer wrote: a finding is told when its words lie in a chosen "
        "sentence; an explained sentence (one with a finding that the diagnosis explains) when half of it does."
    )
    yield ""
    for budget, ways in found.items():
        count = len(next(iter(ways.values())))
        yield f"At most {budget.items} sentences, {budget.characters} characters (a Chinese one counts 2.5); {count} charts; in percent:"
        yield ""
        yield "| | " + " | ".join(name for name, _ in _COLUMNS) + " |"
        yield "|---|" + "---:|" * len(_COLUMNS)
        for name, measured in ways.items():
            yield f"| {name} | " + " | ".join(_percent([of(one) for one in measured]) for _, of in _COLUMNS) + " |"
        yield ""


def _percent(values: Sequence[float]) -> str:
    low, high = bootstrap_mean(values)
    return f"{100 * fmean(values):.1f} ({100 * low:.1f}–{100 * high:.1f})"


def _own_ranks(ranks: dict[str, list[bool]]) -> Iterator[str]:
    yield "## Invented charts: does the diagnosis stay?"
    yield ""
    yield (
        f"The same charts, each as one text: is its diagnosis among the reader's first three when it reads at most {BUDGETS[0].items} "
        f"sentences of {BUDGETS[0].characters} characters together in place of the chart (age, sex and setting stay coded)? "
        "95 % intervals (Wilson)."
    )
    yield ""
    yield from _rank_table(ranks)


def _ranks(ranks: dict[str, list[bool]]) -> Iterator[str]:
    yield "## Whole notes: does the diagnosis stay?"
    yield ""
    yield (
        f"Evaluation set `{SET}`, counts alone: the same at most {BUDGETS[-1].items} sentences of {BUDGETS[-1].characters} characters. "
        "95 % intervals (Wilson); where they overlap, the set is too small to tell the ways apart."
    )
    yield ""
    yield from _rank_table(ranks)


def _rank_table(ranks: dict[str, list[bool]]) -> Iterator[str]:
    yield "| read | notes | top-3, percent |"
    yield "|---|---:|---:|"
    for name, kept in ranks.items():
        low, high = wilson(fmean(kept), len(kept))
        yield f"| {name} | {len(kept)} | {100 * fmean(kept):.1f} ({100 * low:.1f}–{100 * high:.1f}) |"
    yield ""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle to measure (default: the one set-up made)")
    parser.add_argument("--count", type=int, default=300, help="invented charts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--texts", type=Path, help="folder of the evaluation sets; without it whole notes are left out")
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    if options.count < 1:
        raise ValueError("--count must be at least 1")
    reader = remembering_reader(options.bundle)
    found = measure(reader, options.count, seed=options.seed)
    rows = own_rows(reader, options.count, seed=options.seed)
    own = within_three(reader, rows, BUDGETS[0], "invented charts")
    ranks = within_three(reader, list(asked_rows(options.texts, SET)), BUDGETS[-1]) if options.texts else None
    told = said(options, "bundle", "count", "seed", "texts", "write")
    deliver(page(reader, found, own, ranks, options=told), options.write)
    return 0


COMMAND = Command(
    "measure-summary", "does the summary tell what the record tells, beside simple ways of choosing?", _arguments, _run
)
