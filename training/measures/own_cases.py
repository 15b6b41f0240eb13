"""Our own cases in Chinese and English (training/case_texts), measured beside one another.

Each case is one story told in both languages, so the difference is reading, not medicine. Knows the file and its fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from nlp_core.assessment import Language
from nlp_core.chart import Chart
from nlp_core.demographics import demographics_of
from nlp_core.intervals import wilson
from nlp_core.note import Note
from nlp_core.setting import setting_of

FOLDER = Path(__file__).parents[1] / "case_texts"
TEST, DEVELOPMENT = FOLDER / "test.jsonl", FOLDER / "development.jsonl"
ENCOUNTERS_TEST, ENCOUNTERS_DEVELOPMENT = FOLDER / "encounters_test.jsonl", FOLDER / "encounters.jsonl"
_READ_ON = datetime(2026, 1, 15, tzinfo=UTC)
STYLES = ("note", "vignette", "message")


class Gold(BaseModel):
    """A diagnosis that is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    icd10: str


class Case(BaseModel):
    """One story in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    style: str
    gold: tuple[Gold, ...]
    zh: str
    en: str

    def text(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class CaseRank:
    """Rank of the first right diagnosis, None where it is not in the list."""

    style: str
    rank: int | None


def read_cases(path: Path = TEST) -> list[Case]:
    """Raises OSError, or ValidationError for a line that is no case."""
    return [Case.model_validate(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def coded_chart(text: str) -> Chart:
    """A text as an EHR hands it over: age, sex and setting, which it states in words, are coded besides.

    What is then done to the text changes none of them.
    """
    stated = demographics_of(text)
    note = Note(reference="DocumentReference/case", text=text)
    return Chart(
        age_years=stated.age_years, sex=stated.sex, setting=setting_of(f"\n{text}"), as_of=_READ_ON, notes=(note,)
    )


def reworded(chart: Chart, text: str) -> Chart:
    """The same patient's chart with another text."""
    return chart.model_copy(update={"notes": (chart.notes[0].model_copy(update={"text": text}),)})


def rank_cases(
    cases: Sequence[Case], language: Language, rank_of: Callable[[str, set[str]], int | None]
) -> list[CaseRank]:
    """rank_of: text and the right codes -> rank."""
    return [
        CaseRank(case.style, rank_of(case.text(language), {gold.icd10 for gold in case.gold}))
        for case in tqdm(cases, desc=f"own cases, {language}", unit="text")
    ]


def lines(found: dict[Language, list[CaseRank]], encounters: dict[Language, list[CaseRank]]) -> Iterator[str]:
    """The sections of docs/evaluation.md. encounters: of whole encounter notes."""
    yield "## Our own cases, Chinese beside English"
    yield ""
    yield "The same stories in both languages (training/case_texts/test.jsonl), never looked at for mending. In percent, top-1 / 3 / 5:"
    yield ""
    yield "| language | cases | all, top-3 (95 % interval) | all | " + " | ".join(STYLES) + " |"
    yield "|---|---:|---|---|" + "---|" * len(STYLES)
    for language, ranks in found.items():
        by_style = (_tops([rank for rank in ranks if rank.style == style]) for style in STYLES)
        yield f"| {language} | {len(ranks)} | {_interval(ranks)} | {_tops(ranks)} | {' | '.join(by_style)} |"
    yield ""
    yield "## Our own encounter notes"
    yield ""
    yield "Whole visits as clinics write them, with chronic problems, reviews of systems and normal findings, in both languages"
    yield "(training/case_texts/encounters_test.jsonl), never looked at for mending. In percent:"
    yield ""
    yield "| language | notes | top-1 / 3 / 5 | top-3 (95 % interval) |"
    yield "|---|---:|---|---|"
    for language, ranks in encounters.items():
        yield f"| {language} | {len(ranks)} | {_tops(ranks)} | {_interval(ranks)} |"
    yield ""


def _interval(ranks: Sequence[CaseRank]) -> str:
    low, high = wilson(_within(ranks, 3), len(ranks))
    return f"{100 * _within(ranks, 3):.1f} ({100 * low:.0f}–{100 * high:.0f})"


def _tops(ranks: Sequence[CaseRank]) -> str:
    return " / ".join(f"{100 * _within(ranks, most):.0f}" for most in (1, 3, 5)) if ranks else "–"


def _within(ranks: Sequence[CaseRank], most: int) -> float:
    return sum(entry.rank is not None and entry.rank <= most for entry in ranks) / len(ranks)
