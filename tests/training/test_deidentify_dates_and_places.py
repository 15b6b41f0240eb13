"""Dates and places that no label announces: found by their form and their names, lengths of time, doses, scores and beds left alone."""

from __future__ import annotations

import pytest

from training.deidentify.chinese_places import find_chinese_places
from training.deidentify.dates import find_dates, rewritten
from training.deidentify.kinds import joined
from training.deidentify.searched_text import SearchedText


def dates(text: str) -> list[str]:
    return [text[one.start : one.end] for one in joined(list(find_dates(SearchedText(text), weekdays=False)))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("入院2023-04-05，出院2023/4/16。", ["2023-04-05", "2023/4/16"]),
        ("4月7复查，5月16至19日休息。", ["4月7", "5月16至19日"]),
        ("去年腊月起咳嗽，今年三月加重。", ["去年腊月", "今年三月"]),
        ("上月28号换管，下月初三复诊。", ["上月28号", "下月初三"]),
        ("4月底入院，五月中旬出院。", ["4月底", "五月中旬"]),
        ("明天6号抽血，周六23日来。", ["6号", "23日"]),
        ("十五号前交，廿六到账。", ["十五号", "廿六"]),
        ("〇八年冬至去世，丙申年三月起病。", ["〇八年冬至", "丙申年三月"]),
        ("2015年秋做过手术。", ["2015年秋"]),
        ("去年端午后腹痛。", ["去年端午"]),
        ("今年雨水那天淋湿。", ["今年雨水"]),
        ("9/24 拆线\n下次 10/8。", ["9/24", "10/8"]),
        ("8.03 08:30 查房", ["8.03"]),
        ("17日凌晨室颤。", ["17日"]),
        ("民國四十九年生", ["民國四十九年"]),
    ],
)
def test_a_date_of_a_chinese_note_is_found_whole(text: str, found: list[str]) -> None:
    assert dates(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "术后3日晚进食。",
        "3号床。",
        "服药2日，好转。",
        "3个月后复查，咳嗽2月余。",
        "疼痛 4/10，肌力 4/5。",
        "1/2 片 每日两次",
        "钾 4.2，白蛋白 3.8。",
        "雨水多，小雪天路滑。",
        "最初三天发热。",
        "满月里常规体检。",
        "二十年前做过手术。",
        "第3日上午拔管。",
    ],
)
def test_lengths_of_time_beds_doses_and_scores_of_a_chinese_note_are_no_dates(text: str) -> None:
    assert dates(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Seen 9/14 and 26/8.", ["9/14", "26/8"]),
        ("Repeat 2/3 0415.", ["2/3"]),
        ("Back on Thursday 14th.", ["14th"]),
        ("He left on the 27th of last month.", ["27th"]),
        ("Fell in spring 2021, again Easter 1994.", ["spring 2021", "Easter 1994"]),
        ("Dated 14/JUN/2023, review 26/8", ["14/JUN/2023", "26/8"]),
    ],
)
def test_a_day_that_no_label_announces_is_found_in_english(text: str, found: list[str]) -> None:
    assert dates(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Pain 8/10, strength 4/5, GCS 14/15, MMSE 24/30.",
        "Care 24/7, review 3/7 and 6/52.",
        "Vision 20/20 and 6/24.",
        "The 5th metatarsal, the 8th rib.",
        "Give 1/2 tab.",
        "On day 3 of 14.",
    ],
)
def test_scores_fractions_and_ribs_are_no_days(text: str) -> None:
    assert dates(text) == []


@pytest.mark.parametrize(("written", "moved"), [("6月3", "6月13"), ("26/8", "5/9"), ("8/26", "9/5")])
def test_a_day_without_its_year_is_moved_in_the_form_it_was_written_in(written: str, moved: str) -> None:
    assert rewritten(written, written, 10) == moved


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("老家在塘栖，从衡水转来。", ["塘栖", "衡水"]),
        ("住介休市，回塘栖镇。", ["介休市", "塘栖镇"]),
        ("患者胸痛、咳嗽，否认发热。", []),
        ("常规处理，联络家属，高兴。", []),
    ],
)
def test_a_place_is_told_by_its_name_alone(text: str, found: list[str]) -> None:
    assert [text[one.start : one.end] for one in find_chinese_places(text)] == found
