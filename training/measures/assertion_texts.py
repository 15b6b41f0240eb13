"""Our own sentences about what a note says of a finding (training/assertion_texts), and how well the rules read them.

Each line marks a finding in a sentence or short passage, English or Chinese, with the assertion that a clinician takes
from it. Knows the files and their fields; the rules are nlp_core.assertion's.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from training.command import Command, deliver
from training.measures.judge_assertions import Score, SpanReader, mean_f1, score_of

FOLDER = Path(__file__).parents[1] / "assertion_texts"
Part = Literal["development", "test", "further"]
PARTS: tuple[Part, ...] = ("development", "test", "further")
MEASURING: tuple[Part, ...] = ("test", "further")
"""Parts that no rule is mended to."""
LANGUAGES: tuple[Language, ...] = ("en", "zh")


class AssertionText(BaseModel):
    """A passage, the characters `[start, end)` of one finding in it, and what the passage says of that finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    language: Language
    text: str
    span: tuple[int, int]
    assertion: Assertion

    @model_validator(mode="after")
    def _marks_words(self) -> AssertionText:
        start, end = self.span
        if not 0 <= start < end <= len(self.text) or self.words != self.words.strip():
            raise ValueError(f"{self.id}: the span marks no words of its text")
        return self

    @property
    def words(self) -> str:
        """The finding as the passage writes it."""
        return self.text[slice(*self.span)]


@dataclass(frozen=True, slots=True)
class Judged:
    """A text and what the rules said of it."""

    text: AssertionText
    said: Assertion


def read_texts(part: Part, folder: Path = FOLDER) -> list[AssertionText]:
    """Raises OSError, or ValueError with the line that is no text."""
    path = folder / f"{part}.jsonl"
    texts = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            texts.append(AssertionText.model_validate_json(line))
        except ValidationError as error:
            raise ValueError(f"{path}, line {number}: {error.errors()[0]['msg']}") from error
    return texts


def judge_texts(texts: Sequence[AssertionText]) -> list[Judged]:
    """What the shipped rules say of each text's finding."""
    reader = SpanReader()
    return [Judged(text, reader.asserted(text.text, text.span)) for text in texts]


def score(judged: Sequence[Judged], assertion: Assertion) -> Score:
    """How well `assertion` is told from all others."""
    return score_of((one.text.assertion is assertion, one.said is assertion) for one in judged)


def lines(part: Part, judged: Sequence[Judged]) -> Iterator[str]:
    """A table by language and assertion, and in its last line of each language the share that is right."""
    yield f"### Our own texts, {part}"
    yield ""
    yield f"{len(judged)} findings in {len({one.text.text for one in judged})} sentences and short passages of our own"
    yield f"(training/assertion_texts/{part}.jsonl). Family: anyone but the patient."
    yield ""
    yield "| language | assertion | findings | precision | recall | F1 |"
    yield "|---|---|---:|---|---|---|"
    for language in LANGUAGES:
        yield from _rows(language, [one for one in judged if one.text.language == language])
    yield ""


def _rows(language: Language, judged: Sequence[Judged]) -> Iterator[str]:
    asked = {one.text.assertion for one in judged}
    scores = {assertion: score(judged, assertion) for assertion in Assertion if assertion in asked}
    for assertion, found in scores.items():
        yield f"| {language} | {assertion} | {found.true_positive + found.false_negative} | {found.cells()} |"
    right = sum(one.said is one.text.assertion for one in judged) / max(1, len(judged))
    mean = mean_f1(list(scores.values()))
    yield f"| {language} | all: {100 * right:.1f} % right, F1 the mean | {len(judged)} | – | – | {mean:.3f} |"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--part", choices=PARTS, help="measure one part alone; without it all")
    parser.add_argument(
        "--errors", action="store_true", help="list what was read wrongly, of the development part only"
    )
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    if options.errors and options.part != "development":
        raise ValueError("--errors needs --part development: the others are for measuring alone")
    page = ["# What is asserted of a finding", "", "Written by `dxspan-train measure-assertions`.", ""]
    for part in [options.part] if options.part else PARTS:
        judged = judge_texts(read_texts(part))
        page += lines(part, judged)
        page += [_error(one) for one in judged if options.errors and one.said is not one.text.assertion]
    deliver("\n".join(page), options.write)
    return 0


def _error(one: Judged) -> str:
    return f"- {one.text.id}: {one.text.text!r}, {one.text.words!r} is {one.text.assertion}, read as {one.said}"


COMMAND = Command("measure-assertions", "how well our own sentences are asserted", _arguments, _run)
