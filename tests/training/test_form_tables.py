"""Tables of invented charts: what is filled in is read so, far better than by words alone."""

from __future__ import annotations

from nlp_core.assessment import Language
from training.measures.form_tables import filled_cells, lines
from training.measures.judge_assertions import SpanReader


def share_right(language: Language, *, forms: bool) -> float:
    reader = SpanReader(forms=forms)
    cells = list(filled_cells(language, 120))
    return sum(reader.asserted(cell.table, (cell.start, cell.end)) is cell.assertion for cell in cells) / len(cells)


def test_cells_mark_the_names_of_findings() -> None:
    cells = list(filled_cells("en", 20))
    assert len(cells) > 60
    assert {cell.table[cell.start : cell.end].lower() for cell in cells} >= {"fever", "cough", "chest pain"}


def test_what_is_filled_in_is_read_so() -> None:
    for language, least in (("en", 0.9), ("zh", 0.85)):
        assert share_right(language, forms=True) > least
        assert share_right(language, forms=False) < 0.65


def test_the_page_has_a_line_for_each_answer_and_for_all() -> None:
    page = list(lines(30))
    assert sum(line.startswith("| en |") for line in page) == sum(line.startswith("| zh |") for line in page) == 6
