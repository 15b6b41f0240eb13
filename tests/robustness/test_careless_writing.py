"""Row C15 of the table of failures: typos, abbreviations, capitals, no punctuation, mixed languages, traditional script.

On every second of our own development cases in both languages, with the shipped bundle: the share of right diagnoses within
three falls by at most three points.
"""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

from nlp_core.assess import Reader
from nlp_core.text_view import TRADITIONAL
from training.measures import reading_tables
from training.measures.measure_robustness import Reading, fall, own_stories, read_story
from training.measures.own_cases import DEVELOPMENT
from training.measures.perturb import PERTURBATIONS, Perturbation

MOST_POINTS = 3.0
STORIES = [story for number, story in enumerate(own_stories(DEVELOPMENT)) if number % 4 < 2]
CARELESS = [perturbation for perturbation in PERTURBATIONS if perturbation.row == "C15"]


@cache
def reader() -> Reader:
    return Reader.load(threads=1)


@cache
def as_written() -> list[Reading]:
    return [read_story(reader(), story, story.text) for story in STORIES]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("perturbation", CARELESS, ids=lambda perturbation: perturbation.name)
def test_c15_careless_writing_costs_at_most_three_points(perturbation: Perturbation) -> None:
    texts = [perturbation.rewrite(s.text, s.language, Random(number)) for number, s in enumerate(STORIES)]
    rewritten = [read_story(reader(), story, text) for story, text in zip(STORIES, texts, strict=True)]
    assert fall(list(zip(as_written(), rewritten, strict=True))).points <= MOST_POINTS


def test_the_shipped_tables_are_the_libraries_own() -> None:
    assert TRADITIONAL.read_text("utf-8") == reading_tables.traditional_characters()
