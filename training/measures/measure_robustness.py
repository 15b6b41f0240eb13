"""`dxspan-train measure-robustness`: how much worse the reading gets when the same story is written carelessly or hostilely.

Reads our own cases as written and under each perturbation (training.measures.perturb), in both languages, and writes how far the
share of right diagnoses within three falls. With a folder of evaluation texts it does so for them too, in totals alone.
"""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.assessment import Language
from nlp_core.chart import Chart
from nlp_core.note import Note
from training.command import Command, deliver
from training.measures.evaluate import SETS, asked_rows, category, rank_of
from training.measures.own_cases import TEST, read_cases
from training.measures.perturb import PERTURBATIONS, Perturbation

MOST = 3
"""Ranks within which a right diagnosis is a hit."""
_SEED = 15
_NOW = datetime(2026, 11, 25, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Story:
    """A text whose diagnosis is known, by ICD-10-CM category."""

    text: str
    language: Language
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reading made of one text."""

    hit: bool
    first: str | None
    """The diagnosis that leads a card; None where there would be silence."""
    probabilities: dict[str, float]
    """Of every diagnosis, by id."""


@dataclass(frozen=True, slots=True)
class Fall:
    """How a group of stories fared: hits in percent as written and rewritten, and the loss in points."""

    stories: int
    before: float
    after: float
    half_interval: float
    """Of the loss: 95 %, the same stories compared pair by pair."""
    another_first: float
    """Percent of the stories in which another diagnosis than before leads a card: neither the same nor silence."""
    largest_change: float
    """Of any probability of any diagnosis in any story."""

    @property
    def points(self) -> float:
        return self.before - self.after


def own_stories(path: Path) -> Iterator[Story]:
    for case in read_cases(path):
        right = frozenset(category(gold.icd10) for gold in case.gold)
        yield Story(case.en, "en", right)
        yield Story(case.zh, "zh", right)


def set_stories(folder: Path, name: str) -> Iterator[Story]:
    """The English rows of an evaluation set that ask something."""
    for text, right in asked_rows(folder, name):
        yield Story(text, "en", frozenset(right))


def read_story(reader: Reader, story: Story, text: str, copies: int = 1) -> Reading:
    """`text` in as many notes of one chart, read as serving does; ranks and probabilities without the threshold of silence."""
    notes = tuple(Note(reference=f"DocumentReference/{number}", text=text) for number in range(copies))
    chart = Chart(as_of=_NOW, notes=notes)
    read = reader.read(chart)
    ranked, assessment = reader.rank_read(read), reader.assess_read(chart, read)
    codes = [("", entry.diagnosis.icd10cm, probability) for entry, probability in ranked[:50]]
    rank = rank_of(codes, set(story.right))
    first = None if assessment.silence else assessment.candidates[0].diagnosis
    return Reading(rank is not None and rank <= MOST, first, {entry.diagnosis.id: p for entry, p in ranked})


def falls(reader: Reader, stories: Sequence[Story], perturbations: Sequence[Perturbation]) -> dict[str, Fall]:
    """Perturbation by name -> how the stories fared."""
    found: dict[str, list[tuple[Reading, Reading]]] = {perturbation.name: [] for perturbation in perturbations}
    for number, story in enumerate(tqdm(stories, unit="text")):
        plain = read_story(reader, story, story.text)
        for perturbation in perturbations:
            text = perturbation.rewrite(story.text, story.language, Random(number))  # noqa: S311 - no secret
            found[perturbation.name].append((plain, read_story(reader, story, text, perturbation.copies)))
    return {name: fall(pairs) for name, pairs in found.items()}


def fall(pairs: Sequence[tuple[Reading, Reading]]) -> Fall:
    """pairs: each story as written and rewritten."""
    count = len(pairs)
    losses = [int(plain.hit) - int(other.hit) for plain, other in pairs]
    mean = sum(losses) / count
    variance = sum((loss - mean) ** 2 for loss in losses) / max(1, count - 1)
    return Fall(
        stories=count,
        before=100 * sum(plain.hit for plain, _ in pairs) / count,
        after=100 * sum(other.hit for _, other in pairs) / count,
        half_interval=100 * 1.96 * math.sqrt(variance / count),
        another_first=100 * sum(other.first not in (plain.first, None) for plain, other in pairs) / count,
        largest_change=max(_largest_change(plain, other) for plain, other in pairs),
    )


def _largest_change(plain: Reading, other: Reading) -> float:
    either = plain.probabilities.keys() | other.probabilities.keys()
    return max((abs(plain.probabilities.get(d, 0.0) - other.probabilities.get(d, 0.0)) for d in either), default=0.0)


def page(reader: Reader, texts: Path | None, most: int | None = None) -> str:
    """The whole measurement as Markdown. most: stories of a group that are drawn; None = all."""
    stories = list(own_stories(TEST))
    groups = {f"test, {language}": [one for one in stories if one.language == language] for language in ("en", "zh")}
    if texts is not None:
        groups |= {name: list(set_stories(texts, name)) for name in SETS}
    drawn = {name: _drawn(stories, most) for name, stories in groups.items()}
    found = {name: falls(reader, stories, PERTURBATIONS) for name, stories in drawn.items()}
    return "\n".join(_lines(reader, found, most))


def _drawn(stories: list[Story], most: int | None) -> list[Story]:
    return stories if most is None else Random(_SEED).sample(stories, min(most, len(stories)))  # noqa: S311 - no secret


def _lines(reader: Reader, groups: dict[str, dict[str, Fall]], most: int | None) -> Iterator[str]:
    yield "# Robustness"
    yield ""
    drawn = f" --most {most}" if most else ""
    yield f"Written by `dxspan-train measure-robustness{drawn}`: our own test cases (training/case_texts) as written and as"
    yield "hurried, careless or hostile writers would have written them (training/measures/perturb.py, seeded). Share of cases with a right"
    yield f"diagnosis within {MOST}, and the loss in points with its 95 % interval, pair by pair. Model {reader.model_version}, knowledge"
    yield f"{reader.knowledge.version}. Another first: cards that another diagnosis leads than before; silence is none. Traditional script is OpenCC's (Apache-2.0), sounds of characters are pypinyin's (MIT)."
    for name, found in groups.items():
        yield ""
        yield f"## {name} ({next(iter(found.values())).stories} texts)"
        yield ""
        yield "| row | written as | as it was, % | rewritten, % | loss in points | another first, % | largest change of a probability |"
        yield "|---|---|---:|---:|---:|---:|---:|"
        for perturbation in PERTURBATIONS:
            fell = found[perturbation.name]
            yield (
                f"| {perturbation.row} | {perturbation.name.replace('<', '&lt;')} | {fell.before:.1f} | {fell.after:.1f} |"
                f" {fell.points:.1f} ± {fell.half_interval:.1f} | {fell.another_first:.1f} | {fell.largest_change:.3f} |"
            )
    yield ""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--texts", type=Path, help="folder of evaluation texts to measure as well, in totals alone")
    parser.add_argument("--most", type=int, help="stories of a group to draw (default: all; an hour and a half)")
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    deliver(page(Reader.load(), options.texts, options.most), options.write)
    return 0


COMMAND = Command("measure-robustness", "how far careless or hostile writing makes the reading worse", _arguments, _run)
