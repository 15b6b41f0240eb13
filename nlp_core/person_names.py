"""Names of people, which are no words of medicine: "Mr Burns" burns nothing, and 姓名：黄丹 is not yellow.

Knows the places where a chart or a letter has a name: behind a title, a heading or a closing formula. A name elsewhere is
not told from a word.
"""

from __future__ import annotations

import re

_WORD = r"[A-Z][\w'’-]*[a-z]"
"""A capital, and a small letter at the end: "CXR" behind a name is an examination."""
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温冷易常包朴欧"
)
_CHINESE = r"[\u4e00-\u9fff]{2,4}(?:·[\u4e00-\u9fff]{1,6})?"
_NAME = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx)\b\.?[ \t]+{_WORD}(?:[ \t]{_WORD}){{0,2}}"
    rf"|\b(?:Dr|Prof|Professor)\b\.?[ \t]+{_WORD}"
    rf"|^[ \t]*(?i:name|patient name)[ \t]*:[ \t]*(?P<headed>[A-Z][\w'’-]+(?:,?[ \t][A-Z][\w'’-]+){{0,3}})"
    rf"|^[ \t]*Patient[ \t]*:[ \t]*(?P<patient>{_WORD}(?:[ \t]{_WORD}){{1,2}})[ \t]*$"
    rf"|(?:[Tt]hanks|[Rr]egards|[Ww]ishes|[Ss]incerely|[Ff]aithfully),\s{{1,3}}(?P<signed>{_WORD}(?:[ \t]{_WORD}){{0,2}})[ \t]*$"
    rf"|(?:姓名|签名)[ \t]?[:：][ \t]?(?P<chinese>{_CHINESE})"
    rf"|患者(?P<introduced>[{_SURNAMES}][\u4e00-\u9fff]{{1,3}})(?=[，, ]?[男女](?:[，,。 \d]|性))"
    rf"|——[ \t]?(?P<dashed>{_CHINESE})[ \t]*$",
    re.MULTILINE,
)


def without_names(text: str) -> str:
    """The text with people's names, titles included, as blanks: as long as before, every offset kept."""
    return _NAME.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    said = next(filter(None, match.groupdict().values()), match.group())
    return match.group().replace(said, " " * len(said))
