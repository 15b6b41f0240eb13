"""Dates of Chinese notes: 3月5日, 6月3, 去年腊月, 上月28号, 廿六, 〇九年冬至, and 9/6 where its place tells that it is a day.

Input : a text, folded and in simplified characters     Output: where dates stand, in no order, some over others
Knows the calendars, the feasts (rules/chinese.yaml) and what follows or leads to a day. A number that may be a dose, a bed, a
score or a length of time is left alone unless such a word is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from training.deidentify.kinds import Found, Kind
from training.deidentify.text_folding import HAN
from training.deidentify.vocabulary import any_of, rules
from training.deidentify.written_dates import CHINESE, DAY_NUMBER, MONTH_NUMBER, parts_of

_ONE_TO_TEN = "[一二三四五六七八九十]"
_YEAR_WORD = r"(?:大前|上|去|今|前|明|后|旧|本|当|是)年"
_CALENDAR = r"(?:农历|阴历|古历|旧历|藏历|傣历)"
_STEM_BRANCH = r"(?:岁次)?[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年?"
_NUMBERED_YEAR = r"[一二贰]?[〇○零一二三四五六七八九壹贰叁肆伍陆柒捌玖]{2,4}年"
_REPUBLIC_YEAR = r"民国[一二三四五六七八九十]{1,4}年"
_MONTH = r"(?:闰?[元正冬腊]|闰?十?[一二三四五六七八九十]|[壹贰叁肆伍陆柒捌玖拾]{1,2})月"
_LUNAR_DAY = rf"(?:初{_ONE_TO_TEN}|[廿卅][一二三四五六七八九]?)"
_DAY_WORD = rf"(?:{_LUNAR_DAY}|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九]|[壹贰叁肆伍陆柒捌玖拾]{{1,3}})"
_NO_DATE = r"(?!\d|[.%]|[ ]?(?:个|周|天|次|岁|剂|针|支|片|例|张|年|kg|mg|ml|cm))"
_PART = r"(?:初|[上中下]旬|底|末|尾|半|里|中(?![药度]))"
_HOUR = r"(?:凌晨|清晨|早|晨|上午|中午|下午|傍晚|晌午|朝早|晚|夜(?!尿|间多)|\d{1,2}:\d\d)"
_DONE = r"(?:出院|入院|来|复|术|手术|返|到|拔|做|停|打|领|受理|转|下转|家访|查|换|起|归|拆|寄|交|退|回|完成|镶|戴)"
_LEADS = r"(?:下次|下期|复诊|覆诊|门诊|约|预约|日期|于|随访|家访|收件|受理|签|更换|换于|review|next|FU|OPD)"
_NO_FRACTION = r"(?!1/[2-4]|2/3|3/4)"

_MONTH_DAY = re.compile(
    rf"(?<![\d年.])({MONTH_NUMBER}[ ]?月[ ]?{DAY_NUMBER}(?:[ ]?[日号]|{_NO_DATE}))(?:[-至到~]{{1,2}}{DAY_NUMBER}[日号])?"
)
_PART_OF_MONTH = re.compile(
    rf"(?:(?:19|20)\d\d年|{_YEAR_WORD})?(?:{_MONTH}|(?<![\d.]){MONTH_NUMBER}[ ]?月)(?:{_PART}|份)"
)
_WHOLE_YEARS = re.compile(
    rf"(?:{_YEAR_WORD}|{_NUMBERED_YEAR}|{_STEM_BRANCH}|{_REPUBLIC_YEAR})(?:{_CALENDAR})?(?:{_MONTH}|{MONTH_NUMBER}月)(?:{_DAY_WORD}[日号]?|{DAY_NUMBER}[日号])?"
)
_LUNAR = re.compile(
    rf"(?:{_CALENDAR}|{_REPUBLIC_YEAR}|{_STEM_BRANCH})?{_MONTH}(?:{_LUNAR_DAY}|{_ONE_TO_TEN}{{1,3}}[日号]?)[日号]?(?![次个条])"
    rf"|(?<![最起当])初{_ONE_TO_TEN}(?![次诊步级中])|[廿卅][一二三四五六七八九]?[日号]?(?![岁年个天次余多])"
    rf"|{_REPUBLIC_YEAR}(?:{_ONE_TO_TEN}{{1,2}}月)?|(?<=[农阴古旧藏傣]历){_MONTH}"
)
_DAY_OF_MONTH = re.compile(
    rf"(?:上上?|下|本|这)个?月(?:{_LUNAR_DAY}|[二三]?十[一二三四五六七八九]?[日号]?|(?:{DAY_NUMBER}|[一二三四五六七八九])[ ]?[日号])(?![次个])"
)
_MONTH_ALONE = re.compile(r"(?:今年|去年|前年|本年|于|自|从)(\d{1,2}月(?!\d)份?)")
_TENS = r"[一二三]?十[一二三四五六七八九]?"
_DAY_ALONE = (
    re.compile(rf"(?<![\d.月第每后*x/-])((?:{DAY_NUMBER}|{_TENS})[ ]?[日号])(?=[ ]?{_HOUR})"),
    re.compile(
        rf"(?<![\d.月第每*x/-])((?:{DAY_NUMBER}|{_TENS}|[三四五六七八九])[ ]?号)(?=[ ]?(?:前|后|来|去|到|复|再|打|回|拔|要|不行|起|左右|至今|从|早|与))"
    ),
    re.compile(
        rf"(?:周|礼拜|星期)[一二三四五六日天][ ]?((?:{DAY_NUMBER}|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[ ]?[日号])"
    ),
    re.compile(
        rf"(?:明天|昨天|今天|前天|后天|昨|下次|下期|每月)[ ]?((?:{DAY_NUMBER}|{_TENS}|[三四五六七八九])[ ]?[日号])(?![床楼桌车线房])"
    ),
    re.compile(rf"^[ \t]*((?:{DAY_NUMBER}|[廿二三]?十?[一二三四五六七八九十])[ ]?日)(?=[ ,;])", re.M),
)
_SEASON = re.compile(r"(?<!\d)(?:19|20)\d\d[ ]?年?(?:[春夏秋冬][天季]?|年?[初底末])(?!诊)")
_IN_DIGITS = (
    re.compile(
        rf"^[ \t(\[【]*{_NO_FRACTION}({MONTH_NUMBER}/{DAY_NUMBER})(?=[ \t)\]】]|$|{HAN})(?![ ]?(?:片|粒|支|量|包|盒|杯|瓶|级|mg))",
        re.M,
    ),
    re.compile(
        rf"^[ \t(\[【]*((?:0[1-9]|1[0-2])-{DAY_NUMBER}|{MONTH_NUMBER}\.{DAY_NUMBER})(?=[ \t]{{0,3}}(?:[)\]】]|{_HOUR}|第))",
        re.M,
    ),
    re.compile(
        rf"(?<![\dA-Za-z./%:结-]){_NO_FRACTION}({MONTH_NUMBER}/{DAY_NUMBER})(?![\d/%.])(?=[ ]?(?:{_DONE}|{_HOUR}))"
    ),
    re.compile(
        rf"(?<![\dA-Za-z./%:-])({MONTH_NUMBER}\.{DAY_NUMBER})(?=[ ]?(?:凌晨|清晨|上午|中午|下午|傍晚|夜班|早班))"
    ),
    re.compile(
        rf"{_LEADS}[ :]{{0,2}}{_NO_FRACTION}({MONTH_NUMBER}/{DAY_NUMBER})(?![\d/%.]|[ ]?(?:个|周|天|片|粒|支|量|杯))",
        re.I,
    ),
    re.compile(
        rf"(?:下次|下期|复诊|覆诊|日期)[ :]{{0,2}}({MONTH_NUMBER}[.-]{DAY_NUMBER})(?![\d/%.-]|[ ]?(?:个|周|天|月|年|[kmc]?[gml]))"
    ),
    re.compile(rf"(?<={HAN}[ ])({MONTH_NUMBER}/{DAY_NUMBER})(?<!/5)(?<!/10)(?<!/6)[ ]*$", re.M),
)


def find_chinese_dates(plain: str) -> Iterator[Found]:
    """`plain` is the text folded and in simplified characters."""
    if "月" in plain or "初" in plain or "年" in plain or "廿" in plain:
        yield from _by_calendar(plain)
    for match in _feasts().finditer(plain):
        yield Found(*match.span(), Kind.DATE)
    if "日" in plain or "号" in plain:
        for pattern in _DAY_ALONE:
            yield from _of(pattern, plain)
    if "/" in plain or "." in plain or "-" in plain:
        for pattern in _IN_DIGITS:
            yield from _of(pattern, plain)


def _by_calendar(plain: str) -> Iterator[Found]:
    for pattern, day in ((CHINESE, 0), (_MONTH_DAY, 1)):
        for match in pattern.finditer(plain):
            if parts_of(match[day]) is not None:
                yield Found(*match.span(), Kind.DATE)
    for pattern in (_PART_OF_MONTH, _WHOLE_YEARS, _LUNAR, _DAY_OF_MONTH, _MONTH_ALONE, _SEASON):
        yield from _of(pattern, plain)


def _of(pattern: re.Pattern[str], plain: str) -> Iterator[Found]:
    """What its group says, or the whole where it has none."""
    for match in pattern.finditer(plain):
        yield Found(*match.span(match.re.groups), Kind.DATE)


@lru_cache(maxsize=1)
def _feasts() -> re.Pattern[str]:
    """Days that a feast or a solar term tells, with their year; some are words of the weather unless a year is beside them."""
    cues = rules("chinese.yaml")
    alone, more, with_year = (any_of(cues[name]) for name in ("holidays", "feasts", "feasts_with_a_year"))
    year = rf"(?:{_YEAR_WORD}|(?:19|20)\d\d[ ]?年?[ ]?|{_NUMBERED_YEAR}|{_STEM_BRANCH})"
    return re.compile(
        rf"{year}?{_CALENDAR}?(?:{alone}|{more})(?:节|假期?|连假)?(?:前一日|后[一二三]日)?|{year}(?:{with_year})(?:节气?|[天季])?"
    )
