"""Our own questions are sound, and the shipped model answers the development ones well beyond simple retrieval."""

from __future__ import annotations

from collections import Counter

from nlp_core.answers import NOWHERE
from nlp_core.knowledge_files import read_knowledge
from training.measures.general_questions import Retrieval, general_questions
from training.measures.measure_questions import Answerer, Question, page, read_questions, right, sample_charts

QUESTIONS = read_questions()
GENERAL = general_questions()
KNOWLEDGE = read_knowledge()


def test_there_are_enough_of_every_sort_and_no_chart_is_in_both_parts() -> None:
    sorts = Counter((one.part, one.language, one.answer is None) for one in QUESTIONS)
    assert len(QUESTIONS) >= 200
    assert min(sorts.values()) >= 15
    assert len({one.id for one in QUESTIONS}) == len(QUESTIONS)
    parts = [{one.chart for one in QUESTIONS if one.part == part} for part in ("development", "test")]
    assert not parts[0] & parts[1]


def test_every_answer_stands_in_its_chart() -> None:
    charts = sample_charts()
    for one in QUESTIONS:
        assert one.answer is None or any(one.answer in note.text for note in charts[one.chart].notes), one.id


def test_the_shipped_model_finds_more_than_retrieval_does() -> None:
    answerer = Answerer.load()
    some = [one for one in QUESTIONS if one.part == "development"][::3]

    def share(way: object) -> float:
        return sum(right(one, way(one)) for one in some) / len(some)  # type: ignore[operator]

    assert share(answerer.ours) > max(share(answerer.tf_idf), share(answerer.bm25))
    assert "| dxspan | zh |" in page(answerer, some, GENERAL[:8])


def test_nothing_found_is_right_only_where_nothing_is_there() -> None:
    known = {"id": "q", "part": "test", "chart": "c", "language": "en", "question": "?"}
    assert right(Question(answer=None, **known), NOWHERE)
    assert not right(Question(answer="x", **known), NOWHERE)


def test_general_questions_are_enough_in_both_languages_and_each_asks_of_an_entry() -> None:
    sorts = Counter((one.language, one.asks) for one in GENERAL)
    assert len(GENERAL) >= 200
    assert min(sorts.values()) >= 50
    assert len({one.question for one in GENERAL}) == len({one.id for one in GENERAL}) == len(GENERAL)
    assert {one.diagnosis for one in GENERAL} <= KNOWLEDGE.diagnoses.keys()


def test_retrieval_finds_a_text_of_the_entry_where_its_name_is_asked_for() -> None:
    retrieval = Retrieval(KNOWLEDGE)
    gout = [one for one in GENERAL if one.diagnosis == "gout"]
    for way in (retrieval.tf_idf, retrieval.bm25):
        assert any(way(one).startswith("gout.") for one in gout)
