"""How well the rules of assertion judge marked words: counts, precision and recall over public sets that carry spans.

Reads rows with `text`, `span` and a gold field (docs/evaluation.md), asks nlp_core.assertion as reading does, and knows
nothing of findings: the marked words are given.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp_core.assertion import Assertion, rulings_of, strongest
from nlp_core.sections import sentences
from nlp_core.text_view import view
from nlp_core.triggers import AssertionRules
from nlp_core.words import blank_pipeline

JUDGED = (
    ("negation (negation.jsonl)", "negation", "gold", "Negated", Assertion.ABSENT),
    ("negation (assertion.jsonl)", "assertion", "gold", "Negated", Assertion.ABSENT),
    ("historical", "assertion", "temporality", "Historical", Assertion.PAST),
)
"""Title, set, gold field, the value that is asked for, the assertion that should meet it."""
AIMS = {"negation (negation.jsonl)": 0.965, "historical": 0.80, "experiencer, mean of the two": 0.90}
"""Title -> the F1 that a release should reach."""
PUBLISHED = {
    "negation (negation.jsonl)": "negspaCy F1 .949, medspaCy .932",
    "historical": "medspaCy F1 .63",
}


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a yes-no judgement."""

    true_positive: int
    false_positive: int
    false_negative: int

    @property
    def f1(self) -> float:
        return 2 * self.true_positive / max(1, 2 * self.true_positive + self.false_positive + self.false_negative)

    @property
    def precision(self) -> float:
        return self.true_positive / max(1, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        return self.true_positive / max(1, self.true_positive + self.false_negative)

    def cells(self) -> str:
        """Precision, recall and F1 as cells of a Markdown table."""
        return f"{self.precision:.3f} | {self.recall:.3f} | {self.f1:.3f}"


class SpanReader:
    """Asks the shipped rules what a text asserts of some of its characters."""

    def __init__(self, *, forms: bool = True) -> None:
        """forms: see AssertionRules."""
        self._nlp = blank_pipeline()
        self._rules = AssertionRules(self._nlp, forms=forms)

    def asserted(self, text: str, span: tuple[int, int]) -> Assertion:
        """span: characters `[start, end)` of `text`; PRESENT where no sentence holds them."""
        return strongest(self.rulings(text, span))

    def rulings(self, text: str, span: tuple[int, int]) -> frozenset[Assertion]:
        """All that rules the characters; empty where nothing does or no sentence holds them."""
        seen_as = view(text)
        offsets = seen_as.offsets or range(len(text))
        start, end = bisect.bisect_left(offsets, span[0]), bisect.bisect_left(offsets, span[1])
        for sentence in sentences(seen_as.text, self._nlp):
            if sentence.start <= start < sentence.end:
                inside = [t.i for t in sentence.span if t.idx < end and t.idx + len(t) > start]
                if inside:
                    triggers = self._rules.triggers(sentence.span.doc)
                    return rulings_of(inside[0], inside[-1] + 1, sentence.span, sentence.section, triggers)
        return frozenset()


def score_of(pairs: Iterable[tuple[bool, bool]]) -> Score:
    """pairs: (is it so, was it said) for each judged thing."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pair in pairs:
        counts[pair] += 1
    return Score(counts[True, True], counts[False, True], counts[True, False])


def judge(folder: Path, name: str, field: str, value: str, said: Assertion) -> Score:
    """How well `said` finds the rows whose `field` is `value`.

    A field apart from `gold` is judged apart from what else is said, as it was labelled: what is denied can be historical too.
    """
    reader = SpanReader()
    return score_of(
        (_gold(row, field) == value, _says(reader, row, said, apart=field != "gold"))
        for row in _marked_rows(folder / f"{name}.jsonl")
    )


def _says(reader: SpanReader, row: Mapping[str, Any], said: Assertion, *, apart: bool) -> bool:
    rulings = reader.rulings(row["text"], tuple(row["span"]))
    return said in rulings if apart else strongest(rulings) is said


def judge_experiencer(folder: Path) -> dict[str, Score]:
    """A score for the patient and one for anyone else: relatives and other people are one assertion of ours."""
    reader = SpanReader()
    pairs = [
        (_gold(row, "experiencer") != "Patient", reader.asserted(row["text"], tuple(row["span"])) is Assertion.FAMILY)
        for row in _marked_rows(folder / "assertion.jsonl")
    ]
    return {"patient": score_of((not gold, not said) for gold, said in pairs), "someone else": score_of(pairs)}


def lines(folder: Path) -> Iterator[str]:
    """The public sets' part of docs/evaluation.md."""
    yield "## What is asserted of a finding"
    yield ""
    yield "| judgement | precision | recall | F1 | aim | published |"
    yield "|---|---|---|---|---|---|"
    for title, name, field, value, said in JUDGED:
        score = judge(folder, name, field, value, said)
        yield f"| {title} | {score.cells()} | {_beside(title, score.f1)} | {PUBLISHED.get(title, '–')} |"
    experiencers = judge_experiencer(folder)
    for whose, score in experiencers.items():
        yield f"| experiencer: {whose} ({score.true_positive + score.false_negative} rows) | {score.cells()} | – | – |"
    title, mean = "experiencer, mean of the two", mean_f1(list(experiencers.values()))
    yield f"| {title} | – | – | {mean:.3f} | {_beside(title, mean)} | – |"
    yield ""
    yield "Historical is judged apart from what else is said of the words, as it was labelled: what is denied can be historical."
    yield "The trigger lists were corrected while looking at errors in these two sets, so their figures flatter; a set kept"
    yield "apart would show less. Where an experiencer has a handful of rows its line says nothing; our own texts follow."
    yield ""


def _beside(title: str, f1: float) -> str:
    aim = AIMS.get(title)
    return "–" if aim is None else f"{aim:.3g} {'reached' if round(f1, 3) >= aim else 'missed'}"


def mean_f1(scores: Sequence[Score]) -> float:
    """The plain mean over values; 0 of none."""
    return sum(score.f1 for score in scores) / max(1, len(scores))


def _gold(row: dict[str, Any], field: str) -> str:
    value = row[field]
    return value if isinstance(value, str) else str(value[0])


def _marked_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as rows:
        yield from (row for row in map(json.loads, rows) if row.get("span"))
