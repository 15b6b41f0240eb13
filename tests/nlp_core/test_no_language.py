"""Strewn characters are told from the trade's own codes."""

from __future__ import annotations

import random

import pytest

from nlp_core.no_language import is_no_language
from training.measures.perturb import random_suffix


@pytest.mark.parametrize("seed", range(20))
def test_strewn_characters_are_no_language(seed: int) -> None:
    strewn = random_suffix("", "en", random.Random(seed)).strip()
    assert is_no_language(strewn)


@pytest.mark.parametrize(
    "sentence",
    [
        "CK(+),CD45(-),EBER(+),CD30(-),S100(-)",
        "HLA-B27+,anti-CCP-,RF-",
        "MPO+、CD34+、CD117+,CD19-,核型复杂",
        "Hb94,CRP71,Na138,K4.2,WBC12.3x10^9/L",
        "2026-11-27T14:30:00 chest pain since this morning",
        "BP120/80-130/85mmHg,HR96,RR18,SpO2 97%",
        "He coughs, sleeps badly and has lost 6 kg.",
        "hepatosplenomegaly/lymphadenopathy",
        "发热3天，咳嗽，T38.5℃",
        "t(9;22)(q34;q11)BCR-ABL1",
        "",
    ],
)
def test_what_charts_write_is_language(sentence: str) -> None:
    assert not is_no_language(sentence)
