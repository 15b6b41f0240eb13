"""Lost marks and abbreviations: what readers see, and that every stretch of it still is the note's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.abbreviations import spelt_out
from nlp_core.missing_marks import lost_marks
from nlp_core.rewording import Rewording
from nlp_core.text_view import view


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("c/o SOB w/o CP", "complains of shortness of breath without chest pain"),
        ("pain in R knee", "pain in right knee"),
        ("Abd pain", "abdominal pain"),
        ("R 26, L/min, sob story, vitamin R", "R 26, L/min, sob story, vitamin R"),
    ],
)
def test_abbreviations_are_spelt_out_where_they_can_mean_one_thing(written: str, read: str) -> None:
    assert view(written).rewritten(spelt_out(written)).text == read


UNPUNCTUATED = "woman of 60 with cough for two weeks no fever chills or weight loss She has swollen legs Temperature 37.2 lungs clear"


def test_statements_of_a_text_without_marks_are_told_apart() -> None:
    read = view(UNPUNCTUATED).rewritten(lost_marks(UNPUNCTUATED)).text
    assert read.split(";") == [
        "woman of 60 with cough for two weeks",
        "no fever chills or weight loss",
        "She has swollen legs",
        "Temperature 37.2",
        "lungs clear",
    ]


def test_chinese_blanks_are_marks_and_short_items_after_a_denial_its_list() -> None:
    text = "患者男性 咳嗽两周来诊 无发热 胸痛 咯血 双下肢水肿一周 夜间不能平卧"
    read = view(text).rewritten(lost_marks(text)).text
    assert read == "患者男性，咳嗽两周来诊，无发热、胸痛、咯血。双下肢水肿一周，夜间不能平卧"


@pytest.mark.parametrize("text", ["no fever she coughs", UNPUNCTUATED.replace(" no", ", no").replace(" She", ". She")])
def test_short_and_punctuated_texts_are_left_alone(text: str) -> None:
    assert lost_marks(text) == []


@given(st.text(alphabet=st.sampled_from("ab C/wo无發热 　аSOB.,\n\u200bＡ é\u0301"), max_size=80))
def test_every_character_seen_stands_for_one_of_the_note_in_order(text: str) -> None:
    seen = Rewording(None).seen(text)
    offsets = seen.offsets if seen.offsets is not None else tuple(range(len(seen.text)))
    assert len(offsets) == len(seen.text)
    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)
