"""Does the answer depend on who the patient is, where medicine does not care? `dxspan-train measure-swaps`.

Tells each of our own cases of somebody else (counterfactuals) and counts how often the leading diagnosis changes. Whether
medicine cares is asked of the knowledge:

- the sex matters where a diagnosis of one sex is among the leading five before or after, or right; where the note tells of
  what only one sex has; where a finding observed belongs to diagnoses of one sex alone; and where a measured value means
  something else in the other sex (haemoglobin).
- two years matter outside adult age, and where a leading or right diagnosis is possible at the one age only.
- a name never matters.

Writes docs/fairness.md. Flips are listed of the development cases alone: nobody looks at the test cases' errors.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.assessment import Language
from nlp_core.chart import Chart, Sex
from nlp_core.demographics import tells_of_one_sex
from nlp_core.diagnoses import Ranked
from nlp_core.intervals import wilson
from nlp_core.knowledge import Diagnosis, Knowledge
from training.command import Command, deliver, said
from training.measures.counterfactuals import ORIGINS, WORDS_TOO, aged, name_of, named, other_sex
from training.measures.evaluate import category
from training.measures.own_cases import DEVELOPMENT, TEST, Case, coded_chart, read_cases, reworded
from training.measures.remembering_reader import remembering_reader

LANGUAGES: tuple[Language, ...] = ("en", "zh")
AIM = 0.01
LEADING = 5
YEARS = (-2, 2)
_ADULT = (20, 88)
"""Ages at which two years more or less leave an adult an adult."""
NAMES = 2
"""Names of many origins told of each text."""
KINDS = {
    "sex": "the other sex, coded and in words",
    "age": "two years younger, two years older",
    "name": "a name of one of many origins, against none",
    "name that is a word": "a name that is also a word of illness or of the body, against none",
}


@dataclass(frozen=True)
class Read:
    """One chart as read: its ranking and what was observed."""

    ranked: tuple[Ranked, ...]
    observed: dict[str, bool]

    @cached_property
    def leading(self) -> tuple[Diagnosis, ...]:
        return tuple(entry.diagnosis for entry in self.ranked[:LEADING])


@dataclass(frozen=True, slots=True)
class Outcome:
    """One swap of one text."""

    kind: str
    language: Language
    case: str
    swap: str
    before: str
    after: str
    changed: tuple[str, ...]
    """Findings observed in one reading only, or otherwise: `+finding`, `-finding`."""

    @property
    def flipped(self) -> bool:
        return self.before != self.after


def measure(reader: Reader, cases: Sequence[Case], *, seed: int) -> list[Outcome]:
    """Every swap of every case in both languages that medicine does not care about."""
    judge = Judge(reader.knowledge)
    found: list[Outcome] = []
    texts = [(case, language) for language in LANGUAGES for case in cases]
    for row, (case, language) in enumerate(tqdm(texts, desc="swaps", unit="text")):
        chart = coded_chart(case.text(language))
        before = read(reader, chart)
        if before.ranked:
            random = np.random.default_rng((seed, row))
            for kind, swap, swapped in swaps(chart, case.style, language, random):
                after = read(reader, swapped)
                if not judge.cares(kind, case, chart, swapped, before, after):
                    found.append(_outcome(kind, language, case.id, swap, before, after))
    return found


def read(reader: Reader, chart: Chart) -> Read:
    as_read = reader.read(chart)
    ranked = tuple(entry for entry, _ in reader.rank_read(as_read))
    return Read(ranked, {finding: answer.present for finding, answer in as_read.found.observed.items()})


def swaps(
    chart: Chart, style: str, language: Language, random: np.random.Generator
) -> Iterator[tuple[str, str, Chart]]:
    """(kind, what was done, the swapped chart); sex and age stay coded as the swap has them."""
    text = chart.notes[0].text
    if chart.sex != "unknown":
        sex: Sex = "male" if chart.sex == "female" else "female"
        yield "sex", sex, reworded(chart, other_sex(text, language)).model_copy(update={"sex": sex})
    age = chart.age_years
    if age is not None and _ADULT[0] <= age <= _ADULT[1]:
        for years in YEARS:
            older = reworded(chart, aged(text, int(age), years))
            yield "age", f"{age:g} to {age + years:g}", older.model_copy(update={"age_years": age + years})
    for kind, names, count in (("name", ORIGINS, NAMES), ("name that is a word", WORDS_TOO, 1)):
        for place in random.choice(len(names[language]), size=count, replace=False):
            name = name_of(names[language][place], chart.sex, language)
            yield kind, name.full, reworded(chart, named(text, name, style, language))


class Judge:
    """Says by the knowledge whether medicine cares about a swap."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._by_category: dict[str, list[Diagnosis]] = {}
        sexes: dict[str, set[str]] = {}
        for diagnosis in knowledge.diagnoses.values():
            self._by_category.setdefault(category(diagnosis.icd10cm), []).append(diagnosis)
            for finding in diagnosis.shares:
                sexes.setdefault(finding, set()).add(diagnosis.sex)
        self._of_one_sex = {finding for finding, of in sexes.items() if len(of) == 1 and "any" not in of}
        self._measured_by_sex = {f.id for f in knowledge.findings.values() if any(rule.sex for rule in f.measured)}

    def cares(self, kind: str, case: Case, chart: Chart, swapped: Chart, before: Read, after: Read) -> bool:
        concerned = [*before.leading, *after.leading, *self._right(case)]
        if kind == "sex":
            return (
                any(diagnosis.sex != "any" for diagnosis in concerned)
                or tells_of_one_sex(chart.notes[0].text)
                or self._of_one_sex & {finding for finding, present in before.observed.items() if present} != set()
                or any(before.observed.get(f) != after.observed.get(f) for f in self._measured_by_sex)
            )
        if kind == "age":
            return any(_possible(diagnosis, chart) != _possible(diagnosis, swapped) for diagnosis in concerned)
        return False

    def _right(self, case: Case) -> list[Diagnosis]:
        return [diagnosis for gold in case.gold for diagnosis in self._by_category.get(category(gold.icd10), [])]


def _possible(diagnosis: Diagnosis, chart: Chart) -> bool:
    youngest, oldest = diagnosis.age.possible
    return chart.age_years is None or youngest <= chart.age_years <= oldest + 1


def _outcome(kind: str, language: Language, case: str, swap: str, before: Read, after: Read) -> Outcome:
    one, other = set(before.observed.items()), set(after.observed.items())
    lost = [f"-{'' if present else 'no '}{finding}" for finding, present in sorted(one - other)]
    gained = [f"+{'' if present else 'no '}{finding}" for finding, present in sorted(other - one)]
    first, then = before.leading[0].id, after.leading[0].id if after.leading else "none"
    return Outcome(kind, language, case, swap, first, then, (*lost, *gained))


def page(reader: Reader, found: Sequence[Outcome], listed: set[str], options: str) -> str:
    """The whole measurement as Markdown. listed: ids of the cases whose flips may be looked at."""
    lines = [
        "# Told of somebody else",
        "",
        f"Written by `dxspan-train measure-swaps{options}`. Model {reader.model_version}, knowledge {reader.knowledge.version}.",
        "",
        "Our own cases (training/case_texts, both files, both languages) told of a patient of the other sex, of another age, by another",
        "name, where medicine does not care (training/measures/measure_swaps.py says how the knowledge decides that). A flip is another leading",
        f"diagnosis; at most {100 * AIM:.0f} % are aimed for. Names are put where nlp_core/person_names.py looks for them (a title, a heading,",
        "a signature); elsewhere a name is still read as a word. In brackets: 95 % intervals (Wilson).",
        "",
        "| swap | language | swaps | texts | leading diagnosis changed | findings read otherwise |",
        "|---|---|---:|---:|---:|---:|",
        *_table(found),
        "",
        "## What flipped, of the development cases",
        "",
        "| case | language | swap | leading before | leading after | read otherwise |",
        "|---|---|---|---|---|---|",
    ]
    flips = [one for one in found if one.flipped and one.case in listed]
    lines += [
        f"| {one.case} | {one.language} | {one.swap} | {one.before} | {one.after} | {', '.join(one.changed) or 'nothing'} |"
        for one in flips
    ]
    return "\n".join([*lines, ""])


def _table(found: Sequence[Outcome]) -> Iterator[str]:
    for kind, title in KINDS.items():
        for languages in (*((language,) for language in LANGUAGES), LANGUAGES):
            own = [one for one in found if one.kind == kind and one.language in languages]
            if own:
                flips = sum(one.flipped for one in own) / len(own)
                low, high = wilson(flips, len(own))
                texts = len({(one.case, one.language) for one in own})
                otherwise = sum(bool(one.changed) for one in own) / len(own)
                yield (
                    f"| {title} | {' and '.join(languages)} | {len(own)} | {texts}"
                    f" | {100 * flips:.2f} % ({100 * low:.1f}–{100 * high:.1f}) | {100 * otherwise:.1f} % |"
                )


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle to measure (default: the one set-up made)")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    reader = remembering_reader(options.bundle)
    development = read_cases(DEVELOPMENT)
    found = measure(reader, [*development, *read_cases(TEST)], seed=options.seed)
    written_with = said(options, "bundle", "seed", "write")
    deliver(page(reader, found, {case.id for case in development}, written_with), options.write)
    return 0


COMMAND = Command("measure-swaps", "does the leading diagnosis change with sex, age or name?", _arguments, _run)
