"""Do the quoted words carry the diagnosis? `dxspan-train measure-evidence`.

For the leading candidate of each of our own cases its quoted spans are taken out of the note (comprehensiveness: its score
must fall) and kept alone (sufficiency: its score must hold), each beside random spans of equal length from the same note.
Age, sex and setting stay coded in the chart, as in serving; what the words say of onset goes with the words.
Writes docs/evidence.md and its plot. Knows any composed bundle, so every exported form of the model is measured alike.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import fmean

import numpy as np
from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.assessment import Candidate, Language
from nlp_core.chart import Chart
from nlp_core.intervals import wilson
from nlp_core.note import Span
from training.command import Command, deliver, said
from training.measures.intervals import bootstrap_mean
from training.measures.note_spans import merged, only, random_spans, without
from training.measures.own_cases import DEVELOPMENT, TEST, Case, coded_chart, read_cases, reworded
from training.measures.plots import COLOURS, svg
from training.measures.remembering_reader import remembering_reader

LANGUAGES: tuple[Language, ...] = ("en", "zh")
FILES = (DEVELOPMENT, TEST)
DRAWS = 3
_SUREST = 1 - 1e-9
_SHARES = np.linspace(0, 1, 51)
"""Points of each curve of the plot."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one diagnosis stands in one reading of a chart."""

    score: float
    """Natural-log odds as ranked, up to a constant common to all diagnoses of the patient."""
    log_odds: float
    """Natural-log odds of its share among all diagnoses, uncalibrated."""
    probability: float
    """Calibrated where the bundle is."""
    rank: int


@dataclass(frozen=True, slots=True)
class Texts:
    """The two altered readings of one note: its spans taken out, and kept alone."""

    removed: Standing
    kept: Standing


@dataclass(frozen=True, slots=True)
class Measured:
    """One text: the leading diagnosis as read, by its quoted spans, and by each draw of random ones."""

    language: Language
    quoted_share: float
    """Characters quoted / characters of the note."""
    whole: Standing
    spans: Texts
    random: tuple[Texts, ...]
    shown_after: bool
    """Still a candidate, with other words, once the quoted ones are gone."""


Value = Callable[[Standing], float]


def measure(reader: Reader, cases: Sequence[Case], *, draws: int, seed: int) -> list[Measured]:
    """Every case in both languages; texts without a candidate to show are left out."""
    found = []
    texts = [(case.text(language), language) for language in LANGUAGES for case in cases]
    for row, (text, language) in enumerate(tqdm(texts, desc="evidence", unit="text")):
        measured = measure_text(reader, text, language, draws=draws, random=np.random.default_rng((seed, row)))
        if measured is not None:
            found.append(measured)
    return found


def measure_text(
    reader: Reader, text: str, language: Language, *, draws: int, random: np.random.Generator
) -> Measured | None:
    """One text; None where nothing is quoted."""
    chart = coded_chart(text)
    leading = next(iter(reader.assess(chart).candidates), None)
    spans = quoted_spans(leading) if leading else []
    if leading is None or not spans:
        return None
    lengths = [span.end - span.start for span in spans]
    left = reader.assess(reworded(chart, without(text, spans))).candidates
    return Measured(
        language,
        sum(lengths) / len(text),
        standing(reader, chart, leading.diagnosis),
        _altered(reader, chart, leading.diagnosis, spans),
        tuple(_altered(reader, chart, leading.diagnosis, random_spans(text, lengths, random)) for _ in range(draws)),
        leading.diagnosis in {candidate.diagnosis for candidate in left},
    )


def quoted_spans(candidate: Candidate) -> list[Span]:
    """The words quoted for a candidate, overlapping ones as one."""
    return merged(evidence.span for evidence in candidate.evidence_for if evidence.span)


def standing(reader: Reader, chart: Chart, diagnosis: str) -> Standing:
    """Last of all, and as unlikely as is counted, where the altered words speak of another age or sex that excludes it."""
    ranked = reader.rank(chart)
    for place, (entry, probability) in enumerate(ranked, start=1):
        if entry.diagnosis.id == diagnosis:
            share = min(_SUREST, max(1 - _SUREST, entry.probability))
            return Standing(entry.score, log(share / (1 - share)), probability, place)
    lowest = min((entry.score for entry, _ in ranked), default=0.0)
    return Standing(lowest, log((1 - _SUREST) / _SUREST), 0.0, len(ranked) + 1)


def _altered(reader: Reader, chart: Chart, diagnosis: str, spans: Sequence[Span]) -> Texts:
    text = chart.notes[0].text
    removed, kept = (
        standing(reader, reworded(chart, altered), diagnosis) for altered in (without(text, spans), only(text, spans))
    )
    return Texts(removed, kept)


def drops(
    found: Sequence[Measured], value: Value, which: Callable[[Texts], Standing]
) -> tuple[list[float], list[float]]:
    """By text: the drop of `value` by the quoted spans, and the mean drop by the random ones."""
    by_spans = [value(one.whole) - value(which(one.spans)) for one in found]
    by_chance = [fmean(value(one.whole) - value(which(draw)) for draw in one.random) for one in found]
    return by_spans, by_chance


def removed(texts: Texts) -> Standing:
    return texts.removed


def kept(texts: Texts) -> Standing:
    return texts.kept


VALUES: tuple[tuple[str, Value], ...] = (
    ("score", lambda standing: standing.score),
    ("log odds among all", lambda standing: standing.log_odds),
    ("probability", lambda standing: standing.probability),
)


def page(reader: Reader, found: Sequence[Measured], *, plot: str, options: str) -> str:
    """The whole measurement as Markdown."""
    lines = [*_head(reader, found, options), *_standing_lines(found)]
    lines += _drop_lines("Comprehensiveness: the quoted spans taken out", "more", found, removed)
    lines += _drop_lines("Sufficiency: only the quoted spans kept", "less", found, kept)
    return "\n".join([*lines, f"![Drop of the score by quoted and by random spans]({plot})", ""])


def _head(reader: Reader, found: Sequence[Measured], options: str) -> Iterator[str]:
    yield "# Evidence, measured"
    yield ""
    yield f"Written by `dxspan-train measure-evidence{options}`. Model {reader.model_version}, knowledge"
    yield f"{reader.knowledge.version}."
    yield ""
    yield "For the leading candidate of each of our own cases (training/case_texts, both files, both languages) the words quoted for it"
    yield "are taken out of the note, and kept alone, and the note is read again the way of serving. Beside it stand random spans of equal"
    yield f"length from the same note, whole words, {len(found[0].random)} draws a text. Age, sex and setting stay coded in the chart; what the words say of"
    yield "onset goes with the words. Drops are in natural-log odds (score: the sum the diagnosis is ranked by; log odds among all: its"
    yield "share among all diagnoses) and in probability as shown. In brackets: 95 % intervals (bootstrap over texts; Wilson for shares)."
    yield ""


def _standing_lines(found: Sequence[Measured]) -> Iterator[str]:
    yield "| | texts | of the note quoted | words taken out: still first | within three | still a candidate, by other words | at random: still first | only the words kept: still first | within three | at random: still first |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for language, own in _by_language(found):
        shares = [
            fmean(one.quoted_share for one in own),
            *_within([one.spans.removed for one in own]),
            fmean(one.shown_after for one in own),
            _within([draw.removed for one in own for draw in one.random])[0],
            *_within([one.spans.kept for one in own]),
            _within([draw.kept for one in own for draw in one.random])[0],
        ]
        yield f"| {language} | {len(own)} | {' | '.join(f'{100 * share:.0f} %' for share in shares)} |"
    yield ""


def _drop_lines(
    title: str, wanted: str, found: Sequence[Measured], which: Callable[[Texts], Standing]
) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"| | drop of | by the quoted spans | by random spans | difference | drop {wanted} than by random spans |"
    yield "|---|---|---:|---:|---:|---:|"
    for language, own in _by_language(found):
        for name, value in VALUES:
            spans, chance = drops(own, value, which)
            differences = [one - other for one, other in zip(spans, chance, strict=True)]
            better = fmean(difference > 0 if wanted == "more" else difference < 0 for difference in differences)
            low, high = wilson(better, len(own))
            yield (
                f"| {language} | {name} | {_mean(spans)} | {_mean(chance)} | {_mean(differences)}"
                f" | {100 * better:.1f} % ({100 * low:.0f}–{100 * high:.0f}) |"
            )
    yield ""


def _by_language(found: Sequence[Measured]) -> Iterator[tuple[Language, list[Measured]]]:
    for language in LANGUAGES:
        own = [one for one in found if one.language == language]
        if own:
            yield language, own


def _mean(values: Sequence[float]) -> str:
    low, high = bootstrap_mean(values)
    return f"{fmean(values):.2f} ({low:.2f} to {high:.2f})"


def _within(standings: Sequence[Standing]) -> tuple[float, float]:
    """(share first, share within three)"""
    return fmean(one.rank == 1 for one in standings), fmean(one.rank <= 3 for one in standings)


def draw(found: Sequence[Measured], target: Path) -> None:
    """By how much the score falls: for each drop the share of texts that lose at most that much."""
    titles = ("Spans taken out (comprehensiveness)", "Only the spans kept (sufficiency)")
    with svg(target, panels=2) as axes:
        for axis, title, which in zip(axes, titles, (removed, kept), strict=True):
            for colour, (language, own) in zip(COLOURS, _by_language(found), strict=False):
                by_spans, by_chance = drops(own, VALUES[0][1], which)
                axis.plot(np.quantile(by_spans, _SHARES), _SHARES, color=colour, label=f"quoted spans, {language}")
                axis.plot(
                    np.quantile(by_chance, _SHARES), _SHARES, ":", color=colour, label=f"random spans, {language}"
                )
            axis.set(
                title=title,
                xlabel="drop of the score, natural-log odds",
                ylabel="share of texts that lose at most this",
            )
            axis.legend(frameon=False, loc="lower right")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle to measure (default: the one set-up made)")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"random draws per text (default: {DRAWS})")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument(
        "--write", type=Path, help="Markdown file to write, the plot beside it; without it the page is printed"
    )


def _run(options: Namespace) -> int:
    if options.draws < 1:
        raise ValueError("--draws must be at least 1")
    reader = remembering_reader(options.bundle)
    cases = [case for path in FILES for case in read_cases(path)]
    found = measure(reader, cases, draws=options.draws, seed=options.seed)
    plot = options.write.with_suffix(".svg") if options.write else None
    if plot:
        draw(found, plot)
    written_with = said(options, "bundle", "draws", "seed", "write")
    deliver(page(reader, found, plot=plot.name if plot else "", options=written_with), options.write)
    return 0


COMMAND = Command(
    "measure-evidence", "do the quoted words carry the diagnosis? comprehensiveness and sufficiency", _arguments, _run
)
