"""Does asking the chart find the sentence, and does it say so where there is none? `dxspan-train measure-questions`.

Our own questions about the sample charts (training/question_texts), half of them for choosing limits, half for measuring.
An answer is right where the sentence holds the gold words; a question without answer where nothing is shown. Beside it
retrieval by TF-IDF and by BM25, which always answer. General questions are in general_questions. Writes docs/questions.md.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from math import log
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

from nlp_core.answers import Answer
from nlp_core.assess import Reader
from nlp_core.assessment import Language
from nlp_core.chart import Chart
from nlp_core.chart_reading import ReadChart
from nlp_core.intervals import wilson
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import MentionReader
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.newest_first import newest_first
from nlp_core.note import Note
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.question_words import question_terms, terms
from nlp_core.questions import Questions
from training.command import Command, deliver, said
from training.measures.choose_sentences import Placed
from training.measures.general_questions import GeneralQuestion, general_lines, general_questions
from training.measures.remembering_reader import RememberingSentences

FILE = Path(__file__).parents[1] / "question_texts" / "questions.jsonl"
CHARTS = Path(__file__).parents[2] / "cds_hooks" / "demo_charts"
"""The sample charts, read as files."""
_READ_ON = datetime(2026, 11, 23, tzinfo=UTC)
Part = Literal["development", "test"]


class Question(BaseModel):
    """One question about one sample chart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    part: Part
    chart: str
    language: Language
    question: str
    answer: str | None
    """Words that the right sentence holds; None = not in the chart."""


def read_questions(path: Path = FILE) -> list[Question]:
    """Raises OSError, or ValidationError for a line that is none."""
    return [Question.model_validate(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


class Answerer:
    """Our answers and those of the simple ways, for the sample charts."""

    def __init__(
        self, charts: dict[str, ReadChart], questions: Questions, knowledge: Knowledge, model_version: str
    ) -> None:
        self.charts, self.questions, self.knowledge, self.model_version = charts, questions, knowledge, model_version

    @staticmethod
    def load(path: Path | None = None) -> Answerer:
        bundle = Bundle.open(path or composed_bundle_path())
        encoder = OnnxEncoder.open(bundle, threads=1)
        sentences = RememberingSentences(encoder, bundle.tokenizer())
        reader = Reader.load(bundle.path, second=bundle.second_reader_with(encoder, sentences))
        mentions = MentionReader(reader.knowledge, bundle.lexicons(), bundle.spelling())
        charts = {name: reader.read(chart) for name, chart in sample_charts().items()}
        return Answerer(
            charts, Questions(reader.knowledge, mentions, sentences), reader.knowledge, bundle.model_version
        )

    def ours(self, question: Question) -> Answer:
        return self.questions.answer(question.question, self.charts[question.chart])

    def tf_idf(self, question: Question) -> Answer:
        """The sentence most like the question by TF-IDF over pairs and triples of letters."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        sentences = _sentences(self.charts[question.chart])
        weights = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)).fit(one.text for one in sentences)
        likeness = weights.transform([one.text for one in sentences]) @ weights.transform([question.question]).T
        return _answer(sentences[int(np.argmax(likeness.toarray()[:, 0]))])

    def bm25(self, question: Question) -> Answer:
        """Okapi BM25 (k1 1.2, b 0.75) over the words that we compare by, the empty ones left out."""
        sentences = _sentences(self.charts[question.chart])
        held = [terms(one.text) for one in sentences]
        mean = sum(map(len, held)) / len(held)

        def score(own: frozenset[str]) -> float:
            length = 1.2 * (0.25 + 0.75 * len(own) / mean)
            shared = question_terms(question.question) & own
            counts = [sum(term in other for other in held) for term in shared]
            return sum(log(1 + (len(held) - n + 0.5) / (n + 0.5)) * 2.2 / (1 + length) for n in counts)

        return _answer(sentences[int(np.argmax([score(own) for own in held]))])


def right(question: Question, answer: Answer) -> bool:
    """Does the sentence hold the gold words; or is rightly nothing shown?"""
    if question.answer is None:
        return answer.found_in == "nowhere"
    return answer.found_in == "chart" and _plain(question.answer) in _plain(answer.quote)


def page(
    answerer: Answerer, questions: Sequence[Question], general: Sequence[GeneralQuestion], *, options: str = ""
) -> str:
    any_chart = next(iter(answerer.charts.values()))
    told = general_lines(answerer.questions, answerer.knowledge, any_chart, general)
    return "\n".join([*_lines(answerer, questions, options), *told])


def _lines(answerer: Answerer, questions: Sequence[Question], options: str) -> Iterator[str]:
    yield "# Asking the chart, measured"
    yield ""
    yield f"Written by `dxspan-train measure-questions{options}` with model {answerer.model_version}."
    yield ""
    yield (
        f"{len(questions)} questions of our own about the sample charts, in English and Chinese whatever the chart's language "
        "(training/question_texts/questions.jsonl). Those of four charts served for choosing limits (development), those of the other four "
        "for measuring alone (test). Charts of a page and few authors: the figures say nothing of long records. "
        "Retrieval (TF-IDF, BM25) always answers. 95 % intervals (Wilson)."
    )
    for part in ("test", "development"):
        own = [one for one in questions if one.part == part]
        yield ""
        yield f"## The chart: {part}"
        yield ""
        yield "| | language | sentence found | said “not in the chart” where it is not (recall) | of those said, right (precision) |"
        yield "|---|---|---:|---:|---:|"
        ways: tuple[tuple[str, Callable[[Question], Answer]], ...] = (
            ("dxspan", answerer.ours),
            ("TF-IDF", answerer.tf_idf),
            ("BM25", answerer.bm25),
        )
        for name, way in ways:
            for language in ("en", "zh"):
                yield _row(name, language, [(one, way(one)) for one in own if one.language == language])
    yield ""


def _row(name: str, language: str, answered: Sequence[tuple[Question, Answer]]) -> str:
    there = [right(question, answer) for question, answer in answered if question.answer is not None]
    missing = [right(question, answer) for question, answer in answered if question.answer is None]
    nowhere = [question.answer is None for question, answer in answered if answer.found_in == "nowhere"]
    return f"| {name} | {language} | {_share(there)} | {_share(missing)} | {_share(nowhere)} |"


def _share(values: Sequence[bool]) -> str:
    if not values:
        return "–"
    share = sum(values) / len(values)
    low, high = wilson(share, len(values))
    return f"{100 * share:.0f} % of {len(values)} ({100 * low:.0f}–{100 * high:.0f})"


def sample_charts() -> dict[str, Chart]:
    """By the name of their file, as they were on one day."""
    return {
        path.stem: _chart(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(CHARTS.glob("*.yaml"))
    }


def _chart(sample: dict[str, Any]) -> Chart:
    notes = [
        Note(
            reference=f"DocumentReference/{note['id']}",
            text=note["text"],
            kind=note["type"],
            date=datetime.fromisoformat(note["date"]),
        )
        for note in sample["notes"]
    ]
    return Chart(as_of=_READ_ON, notes=tuple(newest_first(notes, _READ_ON)))


def _sentences(read: ReadChart) -> list[Placed]:
    return [Placed(note.note, said.span) for note in read.notes for said in note.sentences]


def _answer(placed: Placed) -> Answer:
    return Answer(found_in="chart", quote=placed.text, reference=placed.note.reference, span=placed.span)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle to measure (default: the one set-up made)")
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    answerer = Answerer.load(options.bundle)
    told = said(options, "bundle", "write")
    deliver(page(answerer, read_questions(), general_questions(), options=told), options.write)
    return 0


COMMAND = Command(
    "measure-questions", "does asking the chart find the sentence, beside TF-IDF and BM25?", _arguments, _run
)
