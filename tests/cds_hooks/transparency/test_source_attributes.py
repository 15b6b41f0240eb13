"""The 31 source attributes: all there, none blank, most of them filled by machine, no number of unknown origin."""

from __future__ import annotations

import re

from cds_hooks.settings import Settings
from cds_hooks.transparency.figures import Figure, all_figures
from cds_hooks.transparency.source_attributes import ATTRIBUTES, NOT_AVAILABLE, filled
from cds_hooks.transparency.source_attributes_zh import CHINESE
from nlp_core.chart import Chart

KNOWN = all_figures(Settings(development=True))
ATTRIBUTES_OF_THE_RULE = 31


def test_all_are_there_and_none_is_blank() -> None:
    rows = filled(KNOWN)
    assert [row.number for row in rows] == list(range(1, ATTRIBUTES_OF_THE_RULE + 1))
    assert len({row.key for row in rows}) == ATTRIBUTES_OF_THE_RULE
    assert all(row.value.strip() for row in rows)


def test_at_least_twenty_are_filled_by_machine() -> None:
    assert sum(row.filled_by == "machine" for row in filled(KNOWN)) >= 20


def test_no_number_is_written_by_hand() -> None:
    for attribute in ATTRIBUTES:
        by_hand = re.sub(r"\{\w+\}|ICD-10-CM", "", attribute.says)
        assert not re.search(r"\d", by_hand), attribute.key


def test_every_figure_is_said_and_every_word_in_braces_is_one() -> None:
    assert {name for attribute in ATTRIBUTES for name in attribute.figures} == KNOWN.keys()


def test_the_chinese_of_each_attribute_says_the_same_figures_and_no_number_of_its_own() -> None:
    assert CHINESE.keys() == {attribute.key for attribute in ATTRIBUTES}
    for english in ATTRIBUTES:
        name, says = CHINESE[english.key]
        assert sorted(re.findall(r"\{(\w+)\}", says)) == sorted(re.findall(r"\{(\w+)\}", english.says)), english.key
        assert not re.search(r"\d", re.sub(r"\{\w+\}|ICD-10-CM", "", says)), english.key
        assert re.search(r"[\u4e00-\u9fff]", name)
    assert [row.filled_by for row in filled(KNOWN, "zh")] == [row.filled_by for row in filled(KNOWN)]


def test_values_say_their_figures_and_name_where_they_come_from() -> None:
    for row, attribute in zip(filled(KNOWN), ATTRIBUTES, strict=True):
        there = [KNOWN[name] for name in attribute.figures if KNOWN[name].value is not None]
        assert list(row.sources) == there
        assert all(str(figure.value) in row.value and figure.source for figure in there)


def test_what_nobody_knows_reads_not_available() -> None:
    nothing = {name: Figure(None, figure.source, figure.kind) for name, figure in KNOWN.items()}
    for row, attribute in zip(filled(nothing), ATTRIBUTES, strict=True):
        if attribute.figures or not attribute.says:
            assert (row.value, row.filled_by) == (NOT_AVAILABLE, "nobody")
    one_missing = KNOWN | {"silence_below": Figure(None, "", "measured")}
    assert f"below {NOT_AVAILABLE}" in filled(one_missing)[2].value


def test_a_setting_fills_what_only_the_operator_knows() -> None:
    rows = filled(all_figures(Settings(development=True, developer="Example Health", funding="Own means")))
    assert rows[0].value == f"Example Health; {NOT_AVAILABLE}"
    assert (rows[1].value, rows[1].filled_by) == ("Own means", "settings")


def test_the_chart_has_no_field_for_race_or_the_like() -> None:
    """What attribute twelve says."""
    named = " ".join(Chart.model_fields)
    for variable in (
        "race",
        "ethnic",
        "orientation",
        "gender",
        "religion",
        "insurance",
        "address",
        "language",
        "birth",
    ):
        assert variable not in named
