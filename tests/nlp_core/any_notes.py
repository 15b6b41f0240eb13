"""Notes as no clinician writes them: names cut by unseen characters, foreign blanks, emoji, CRLF, broken halves."""

from __future__ import annotations

from hypothesis import strategies as st

_UNSEEN = st.sampled_from(["\u200b", "\ufeff", "\u00ad", "\u202e", "\u2060"])
_ENGLISH = "chest pain,pain in the chest,cough,COUGH,ｃｏｕｇｈ,runny nose,high fever,throbbing headache,Influenza,PE"
_CHINESE = "胸痛,咳嗽,呼吸困难,右下腹痛,恶心,流行性感冒"
_MEASURED = "temp 39.4 °C,T 36.8,K 6.2 mmol/L,血钾 6.2 mmol/L,HR 120 bpm"
_NAMES = st.sampled_from(",".join((_ENGLISH, _CHINESE, _MEASURED)).split(","))
_BLANKS = st.sampled_from([" ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u2028", "\x00"])
_MARKS = st.sampled_from([". ", ", ", "。", "，", "、", ": ", "😀", "👩\u200d⚕️", "é", "e\u0301", "ﬁ", "①", "½"])
_RULERS = st.sampled_from(["no ", "denies ", "无", "if ", "Family history: ", "\n- ", "\r\nPLAN:\r\n"])


@st.composite
def _names_with_unseen_characters(draw: st.DrawFn) -> str:
    return "".join(character + draw(_UNSEEN | st.just("")) for character in draw(_NAMES))


any_note = st.lists(
    _NAMES | _names_with_unseen_characters() | _BLANKS | _MARKS | _RULERS | _UNSEEN | st.text(max_size=4), max_size=14
).map("".join)
