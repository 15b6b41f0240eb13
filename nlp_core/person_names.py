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
_CHINESE = r"[\u4e00-\u9fff]{2,6}(?:·[\u4e00-\u9fff]{1,6})?"
_PLACES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("Mr", "Ms", "Miss", "Mx"), re.compile(rf"M(?:rs?|s|iss|x)\b\.?[ \t]+{_WORD}(?:[ \t]{_WORD}){{0,2}}")),
    (("Dr", "Prof"), re.compile(rf"(?:Dr|Prof(?:essor)?)\b\.?[ \t]+{_WORD}")),
    (
        ("Name", "NAME", "name"),
        re.compile(
            r"^[ \t]*(?i:patient[ \t])?(?i:name)[ \t]*:[ \t]*(?P<name>[A-Z][\w'’-]+(?:,?[ \t][A-Z][\w'’-]+){0,3})", re.M
        ),
    ),
    (("Patient",), re.compile(rf"^Patient[ \t]?:[ \t]*(?P<name>{_WORD}(?:[ \t]{_WORD}){{1,2}})[ \t]*$", re.M)),
    (
        ("hanks,", "egards,", "ishes,", "incerely,", "aithfully,"),
        re.compile(
            rf"(?:hanks|egards|ishes|incerely|aithfully),\s{{1,3}}(?P<name>{_WORD}(?:[ \t]{_WORD}){{0,2}})[ \t]*$", re.M
        ),
    ),
    (("姓名", "签名"), re.compile(rf"[姓签]名[ \t]?[:：][ \t]?(?P<name>{_CHINESE})")),
    (
        ("患者",),
        re.compile(
            rf"患者(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,3}}|[\u4e00-\u9fff]{{2,6}}·[\u4e00-\u9fff]{{2,6}})(?=[，, ]?[男女](?:[，,。 \d]|性))"
        ),
    ),
    (("——",), re.compile(rf"——[ \t]?(?P<name>{_CHINESE})[ \t]*$", re.M)),
)
"""Where names stand: words that any such place holds (looked for first, it costs next to nothing), and the place. Without
a group `name` the whole match is one, title included."""


def without_names(text: str) -> str:
    """The text with people's names, titles included, as blanks: as long as before, every offset kept."""
    for cues, place in _PLACES:
        if any(cue in text for cue in cues):
            text = place.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    start, end = match.span("name" if match.re.groups else 0)
    before, after = match.string[match.start() : start], match.string[end : match.end()]
    return f"{before}{' ' * (end - start)}{after}"
