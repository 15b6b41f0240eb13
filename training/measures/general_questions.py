"""General questions ("What is gout?"): is the right entry of the knowledge found, and the right one of its texts?

Our own questions (training/question_texts/general.jsonl), in lay words and in both languages, written after the rules that answer
them. Beside it retrieval by TF-IDF and by BM25 over the same texts, each with its entry's names before it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from nlp_core.assessment import Language
from nlp_core.chart_reading import ReadChart
from nlp_core.intervals import wilson
from nlp_core.knowledge import Knowledge
from nlp_core.question_words import question_terms, terms
from nlp_core.questions import Questions

FILE = Path(__file__).parents[1] / "question_texts" / "general.jsonl"
Answering = Callable[["GeneralQuestion"], str]
"""The reference of the text that answers, `gout.treatment`; empty = none."""


class GeneralQuestion(BaseModel):
    """One question about one disease; `what` is answered by its text for patients."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    diagnosis: str
    language: Language
    asks: Literal["what", "treatment"]
    question: str

    @property
    def reference(self) -> str:
        return f"{self.diagnosis}.{'treatment' if self.asks == 'treatment' else 'patients'}"


def general_questions(path: Path = FILE) -> list[GeneralQuestion]:
    """Raises OSError, or ValidationError for a line that is none."""
    return [GeneralQuestion.model_validate(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


@dataclass(frozen=True, slots=True)
class _Passage:
    reference: str
    text: str


class Retrieval:
    """The simple ways, over every text of the knowledge in the question's language."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._passages = {language: list(_passages(knowledge, language)) for language in ("en", "zh")}
        self._weights = cache(self._tf_idf_weights)
        self._held = cache(self._terms)

    def tf_idf(self, asked: GeneralQuestion) -> str:
        """The text most like the question by TF-IDF over pairs and triples of letters."""
        vectorizer, weights = self._weights(asked.language)
        likeness = weights @ vectorizer.transform([asked.question]).T
        return self._passages[asked.language][int(np.argmax(likeness.toarray()[:, 0]))].reference

    def bm25(self, asked: GeneralQuestion) -> str:
        """Okapi BM25 (k1 1.2, b 0.75) over the words that we compare by, the empty ones left out."""
        held, counts, mean = self._held(asked.language)
        wanted = question_terms(asked.question)

        def score(own: frozenset[str]) -> float:
            length = 1.2 * (0.25 + 0.75 * len(own) / mean)
            found = (log(1 + (len(held) - counts[term] + 0.5) / (counts[term] + 0.5)) for term in wanted & own)
            return sum(rarity * 2.2 / (1 + length) for rarity in found)

        return self._passages[asked.language][int(np.argmax([score(own) for own in held]))].reference

    def _tf_idf_weights(self, language: Language) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3))
        return vectorizer, vectorizer.fit_transform([one.text for one in self._passages[language]])

    def _terms(self, language: Language) -> tuple[list[frozenset[str]], Counter[str], float]:
        held = [terms(one.text) for one in self._passages[language]]
        return held, Counter(term for own in held for term in own), sum(map(len, held)) / len(held)


def _passages(knowledge: Knowledge, language: str) -> Iterator[_Passage]:
    for diagnosis in knowledge.diagnoses.values():
        names = ", ".join(diagnosis.names.en if language == "en" else diagnosis.names.zh)
        for field, words in (("patients", diagnosis.patients), ("treatment", diagnosis.treatment)):
            told = words.en if language == "en" else words.zh
            heading = {"en": "treatment", "zh": "治疗"}[language] if field == "treatment" else ""
            yield _Passage(f"{diagnosis.id}.{field}", f"{names} {heading}: {told}")


def ours(questions: Questions, read: ReadChart) -> Answering:
    """What the product answers; `read`: any chart, which a general question leaves alone."""

    def answer(asked: GeneralQuestion) -> str:
        given = questions.answer(asked.question, read)
        return given.reference if given.found_in == "knowledge" else ""

    return answer


def general_lines(
    questions: Questions, knowledge: Knowledge, read: ReadChart, asked: Sequence[GeneralQuestion]
) -> Iterator[str]:
    """The part of docs/questions.md."""
    retrieval = Retrieval(knowledge)
    yield "## General questions"
    yield ""
    yield (
        f"{len(asked)} questions of our own about {len({one.diagnosis for one in asked})} diseases, in lay words, written after the rules "
        f"that answer them (training/question_texts/general.jsonl), against the {2 * len(knowledge.diagnoses)} texts of the knowledge. "
        "Right entry: the answer is of the disease asked about. Right text: it is also the one asked for, what it is or how it is "
        "treated. Retrieval searches the same texts with the entries' names before them, and always answers. 95 % intervals (Wilson)."
    )
    yield ""
    yield "| | language | right entry | right text | said that it has no answer |"
    yield "|---|---|---:|---:|---:|"
    for name, way in (
        ("dxspan", ours(questions, read)),
        ("TF-IDF", retrieval.tf_idf),
        ("BM25", retrieval.bm25),
    ):
        for language in ("en", "zh"):
            yield _row(name, language, [(one, way(one)) for one in asked if one.language == language])
    yield ""


def _row(name: str, language: str, answered: Sequence[tuple[GeneralQuestion, str]]) -> str:
    entry = [given.partition(".")[0] == asked.diagnosis for asked, given in answered]
    text = [given == asked.reference for asked, given in answered]
    return f"| {name} | {language} | {_share(entry)} | {_share(text)} | {sum(not given for _, given in answered)} |"


def _share(values: Sequence[bool]) -> str:
    share = sum(values) / len(values)
    low, high = wilson(share, len(values))
    return f"{100 * share:.0f} % of {len(values)} ({100 * low:.0f}–{100 * high:.0f})"
