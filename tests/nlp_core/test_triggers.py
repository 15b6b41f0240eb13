"""Ruling words are found where they mean something, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp_core.text_view import view
from nlp_core.triggers import AssertionRules, written_ways
from nlp_core.words import blank_pipeline

RULES = """
absent:
  before:
    - {words: ["no"]}
  after:
    - {words: [": no"], reach: 4, closing: true}
conditional:
  before:
    - {words: [should], reach: 4, opening: true}
family:
  before:
    - {words: [mother]}
end: [[but]]
inert: [["no doubt"]]
unless:
  - {kind: family, within: 2, next: [says, "is worried"], previous: [by]}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory):
    path: Path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES, "utf-8")
    nlp = blank_pipeline()
    rules = AssertionRules(nlp, path, forms=False)
    return lambda text: [(t.kind, t.place) for t in rules.triggers(nlp.make_doc(view(text).text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no fever", [("absent", "before")]),
        ("no doubt", []),
        ("fever: no.", [("absent", "after")]),
        ("skin: no rash", [("absent", "before")]),
        ("should it hurt", [("conditional", "before")]),
        ("he should rest", []),
        ("mother had gout", [("family", "before")]),
        ("mother says he coughs", []),
        ("his mother is worried", []),
        ("mother ill. She says so", [("family", "before")]),
        ("brought by his mother", []),
        ("but", [("end", "")]),
        ("stroke in 2011", [("past", "before"), ("past", "after")]),
        ("2011年中风", [("past", "before"), ("past", "after")]),
        ("2011 mg", []),
        ("since 2011", []),
    ],
)
def test_a_word_rules_where_its_place_lets_it(found, text: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(found(text)) == sorted(expected)


def test_alternatives_and_apostrophes_are_written_out() -> None:
    assert list(written_ways("if he|she has|had")) == ["if he has", "if he had", "if she has", "if she had"]
    assert set(written_ways("can't")) == {"can't", "can’t"}
