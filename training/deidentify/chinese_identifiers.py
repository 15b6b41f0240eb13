"""Identifiers of Chinese notes: 身份证 with its check digit, telephone numbers, 住院号 and the like, names, addresses.

Input : "患者张建国，男，住院号：0028831"     Output: where the name and the number stand
Knows Chinese cues (rules/chinese.yaml); there are no spaces, so a name is one between two cues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from training.deidentify.chinese_names import UncuedNameFinder
from training.deidentify.chinese_places import find_chinese_places
from training.deidentify.kinds import Found, Kind
from training.deidentify.text_folding import HAN
from training.deidentify.vocabulary import any_of, rules

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_CITIZEN = re.compile(
    r"(?<!\d)[1-8]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
)
_LABEL = r"(?:号码|号|编号|证号|卡号|ID)?[ ]?[:.]?[ ]?"
_NUMBERED = (
    (Kind.SOCIAL_SECURITY, r"(?:身份证|身分证字|身分证|公民身份|证件|HKID|居留证|台胞证)"),
    (Kind.FAX, r"传真"),
    (Kind.PHONE, r"(?:电话|电邮|联络|手机|联系方式|联系电话|座机|热线)"),
    (
        Kind.MEDICAL_RECORD,
        r"(?:住院|病案|门诊|病历|就诊|病例|登记|病人|患者|床位|档案|急诊|健康卡|诊疗卡|就诊卡)(?=号|ID|编号|卡号|:)",
    ),
    (Kind.HEALTH_PLAN, r"(?:医保|健保|健保卡|社保|保险|参保|新农合|保单|医疗证|医保卡|社保卡)"),
    (Kind.ACCOUNT, r"(?:银行卡|信用卡|存折|账户|账号|帐号|发票|收据|银行账)"),
    (Kind.LICENCE, r"(?:护照|军官证|执业证书|执业证|驾驶证|驾照|资格证|出生证|港澳通行证|居住证|工作证|学生证)"),
    (Kind.VEHICLE, r"(?:车架|车辆识别|发动机|车(?=号)|车牌)"),
    (Kind.DEVICE, r"(?:序列|设备|起搏器|批|植入物|机身|产品)(?=号|编号|序列号)(?:序列)?"),
    (Kind.BIOMETRIC, r"(?:指纹|虹膜|人脸|声纹|DNA)(?:编号|模板|特征码|档案|ID)"),
    (
        Kind.OTHER,
        r"(?:标本|检查|影像|病理|条码|申请单|报告单|检验|(?:工|学)(?=号)|试验|受试者|样本|放射|超声|CT|MR|处方)(?=号|编号|ID)",
    ),
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][ ·•]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])"
)
_MOBILE = re.compile(r"(?<![\dA-Za-z.-])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\dA-Za-z-]|\.\d)")
_LANDLINE = re.compile(r"(?<![\dA-Za-z.-])(?:\(0\d{2,3}\)|0\d{2,3}-)[2-8]\d{6,7}(?:-\d{1,5})?(?![\d-])")
_STREET = re.compile(
    rf"{HAN}{{2,16}}?(?:路|街|大道|道|巷|弄|胡同|村|小区|花园|新村|苑|里|大厦|公寓)(?:\d{{1,5}}|[一二三四五六七八九十]{{1,3}})(?:弄|号|栋|幢|座|单元|号楼|组|队|段)"
    rf"(?:\d{{1,5}}(?:号楼|号|栋|幢|座|单元|室|层|楼)|[A-Z]室)*(?:{HAN}{{2,6}}(?:小区|花园|苑|公寓|大厦))?(?:\d{{1,5}}(?:-\d{{1,5}}){{0,3}}(?:号楼|号|栋|幢|座|单元|室|层|楼)?)*"
)
_CHAIN = re.compile(
    rf"{HAN}{{1,6}}?(?:市|县|州)(?:{HAN}{{1,6}}?(?:区|县|市|旗)){{0,2}}(?:{HAN}{{1,6}}?(?:街道|镇镇|镇|乡|村|屯|社区|组)){{0,3}}(?:{HAN}{{2,10}}?(?=\d))?(?:\d{{1,5}}(?:号楼|号|栋|幢|座|单元|室|层|楼|弄)?|[A-Z]室){{0,5}}"
)
_ADDRESS_LABEL = re.compile(
    r"(?:家庭住址|家庭地址|现住址|住址|地址|户籍地|户籍|户口所在地|籍贯|出生地|居住地|单位地址|工作单位|单位)[ ]?:[ ]?([^\s,.;，。；\n]{2,60})"
)
_LIVES = re.compile(
    r"(?:现住|家住|现居|居住于|居住在|住在|住址|家在|来自|住)(?=[^,;，。；]*[市区县镇乡村路街道号楼室座苑园城湾])([^\s,.;:，。；]{2,40}?)(?=[,.;，。；\n]|$|人[,，]|女儿家|儿子家)(?<!住院)"
)
_ROAD = re.compile(rf"(?<=[于在经从由])({HAN}{{2,5}}(?:路|大道|大街))(?=[与和口附上骑发,，])")
_TAIWAN_CITIZEN = re.compile(r"(?<![A-Za-z0-9])[A-Z][1289]\d{8}(?!\d)")
_REPUBLIC_DATE = re.compile(r"(?<!\d)(?:民国)?\d{2,3}年\d{1,2}月(?:\d{1,2}日)?")
_LABELLED_PHONE = re.compile(r"(?:电话|手机|联络|联系方式|热线)[ ]?:?[ ]?(\+?\(?\d[\d ()-]{5,18}\d)")
_NO_END = re.compile(r"(?:要求.*|老师|医生|医师|[已送自于转请到告说诉来在陪打]+)?$")
_POST_CODE = re.compile(r"(?:邮编|邮政编码)[ ]?:?[ ]?(\d{6})(?!\d)")
_HOSPITAL = re.compile(
    rf"({HAN}{{2,18}}?)(?:医院|卫生院|卫生所|卫生服务中心|诊所|(?:大学|学院)(?!附属|医学|第|{HAN}{{0,8}}医院)|中学|小学|幼儿园|养老院|福利院|有限公司|公司|集团|工厂|监狱|[丝纺绸钢水织药食化机印]{1, 2}[^,;]{0, 2}厂|工程局|[一二三四五六七八九十]+局|派出所|法院|酒店|餐厅|教会|福音堂)"
)


def is_citizen_number(number: str) -> bool:
    """Has an 18-character 身份证 number the right check digit?"""
    if len(number) != 18 or not number[:17].isdecimal():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _CHECK_DIGITS[total % 11] == number[17].upper()


class ChineseFinder:
    """Finds the identifiers of a Chinese note."""

    def __init__(self) -> None:
        cues = rules("chinese.yaml")
        self._uncued = UncuedNameFinder()
        surname = f"(?:{any_of(cues['double_surnames'])}|[{cues['surnames']}])"
        name = rf"{surname}{HAN}{{1,2}}"
        minority = rf"{HAN}{{2,5}}·{HAN}{{2,6}}"
        titles, behind = any_of(cues["titles"]), any_of(cues["behind_names"])
        self._labelled = re.compile(
            rf"(?:{any_of(cues['labels'])})[ ]?[:/][ ]?({minority}|{HAN}{{2,4}}(?!{HAN})|{name})"
        )
        self._titled = re.compile(rf"(?<![主责])({name}|{surname}{HAN}?)(?={titles})")
        self._behind_title = re.compile(
            rf"(?:护士长|护士|医师|医生|大夫|教授)[ ]?({name})(?=$|[\s,.;:()，。；、/]|{behind}|执行|查|诊|值|会诊|汇报|告知|交)"
        )
        self._related = re.compile(
            rf"(?:{any_of(cues['relations'])})[ ]?[:(]?[ ]?({minority}|{name})(?=$|[\s,.;:()，。；、/\d]|{behind})"
        )
        self._patient = re.compile(
            rf"(?:患者|患儿|病人|病员|产妇|死者|伤者)[ ,:]?({minority}|{name})(?=[ ,]?(?:[男女]|{behind})|[ ,]\d)"
        )
        self._alone = re.compile(
            rf"(?<![\u3400-\u9fff])({name}|{minority})[ ]?[,，][ ]?[男女](?=[,，性 ])|(?:——|--)[ ]?({name})(?![\u3400-\u9fff])"
        )
        self._cities = re.compile(rf"(?:{any_of(cues['cities'])})(?:市)?")
        self._leads = re.compile(rf".*(?:{any_of(cues['leads'])})(?![进门街海沙路])")
        self._provinces = re.compile(
            rf"^(?:{any_of(cues['provinces'])})(?:省|市|自治区|维吾尔自治区|壮族自治区|回族自治区)?"
        )
        self._no_places = tuple(cues["no_places"])
        self._generic = re.compile(
            rf"^(?:{any_of([*cues['generic_hospitals'], *cues['provinces'], *cues['leads']])})+$"
        )
        self._handles = re.compile(
            r"(?:微信|QQ)(?:号码|号|ID)?[ ]?[:.]?[ ]?([A-Za-z0-9][A-Za-z0-9_-]{4,29})(?![A-Za-z0-9])"
        )
        self._numbered = [
            (
                kind,
                re.compile(
                    rf"{label}{_LABEL}((?=[A-Za-z-]{{0,6}}\d)[A-Za-z0-9*][A-Za-z0-9*-]{{3,29}}(?:[ ]\d{{4}}){{0,4}})(?![A-Za-z0-9])"
                ),
            )
            for kind, label in _NUMBERED
        ]

    def find(self, plain: str) -> Iterator[Found]:
        """`plain` is the text folded and in simplified characters."""
        yield from self._numbers(plain)
        yield from self._names(plain)
        yield from self._places(plain)

    def _numbers(self, plain: str) -> Iterator[Found]:
        for match in _CITIZEN.finditer(plain):
            if is_citizen_number(match.group()):
                yield Found(*match.span(), Kind.SOCIAL_SECURITY)
        for kind, pattern in self._numbered:
            for match in pattern.finditer(plain):
                yield Found(*match.span(1), kind)
        yield from self._by_form(plain)
        for pattern, kind in ((_PLATE, Kind.VEHICLE), (_MOBILE, Kind.PHONE), (_LANDLINE, Kind.PHONE)):
            for match in pattern.finditer(plain):
                if "传真" not in plain[max(0, match.start() - 8) : match.start()]:
                    yield Found(*match.span(), kind)
                else:
                    yield Found(*match.span(), Kind.FAX)

    def _by_form(self, plain: str) -> Iterator[Found]:
        for pattern, kind in ((_TAIWAN_CITIZEN, Kind.SOCIAL_SECURITY), (_REPUBLIC_DATE, Kind.DATE)):
            for match in pattern.finditer(plain):
                yield Found(*match.span(), kind)
        for pattern in (_LABELLED_PHONE, self._handles):
            for match in pattern.finditer(plain):
                yield Found(*match.span(1), Kind.PHONE)

    def _names(self, plain: str) -> Iterator[Found]:
        for pattern in (self._labelled, self._titled, self._behind_title, self._related, self._patient, self._alone):
            for match in pattern.finditer(plain):
                start, end = match.span(match.lastindex or 1)
                ending = _NO_END.search(plain, start, end)
                end -= len(ending.group()) if ending else 0
                word = match.group(match.lastindex or 1)
                if start < end and word not in words_of_knowledge() and plain[start:end] not in _NO_NAMES:
                    yield Found(start, end, Kind.NAME)
        for one in self._uncued.find(plain):
            if (word := plain[one.start : one.end]) not in words_of_knowledge() and word not in _NO_NAMES:
                yield one

    def _places(self, plain: str) -> Iterator[Found]:
        for pattern in (_ADDRESS_LABEL, _LIVES, _ROAD):
            for match in pattern.finditer(plain):
                yield from self._place(plain, *match.span(1))
        for match in _POST_CODE.finditer(plain):
            yield Found(*match.span(1), Kind.PLACE)
        for pattern in (_STREET, _CHAIN):
            for match in pattern.finditer(plain):
                if not match.group().endswith(self._no_places):
                    yield from self._place(plain, *match.span())
        for match in self._cities.finditer(plain):
            yield Found(*match.span(), Kind.PLACE)
        yield from find_chinese_places(plain)
        for match in _HOSPITAL.finditer(plain):
            start = match.start() + self._after_leads(match.group(1))
            if start < match.end(1) and not self._generic.match(plain[start : match.end(1)]):
                yield Found(start, match.end(), Kind.PLACE)

    def _place(self, plain: str, start: int, end: int) -> Iterator[Found]:
        """Without the words that lead to it and without the province, which may be said."""
        start += self._after_leads(plain[start:end])
        province = self._provinces.match(plain[start:end])
        if province:
            start += province.end()
        if end - start > 1 and plain[start:end] not in words_of_knowledge():
            yield Found(start, end, Kind.PLACE)

    def _after_leads(self, text: str) -> int:
        lead = self._leads.match(text[:-2])
        return lead.end() if lead else 0


_NO_NAMES = frozenset(
    "高年资 任何人 向家属 于家属 常规 温度 方案 白细胞 金属 石膏 包块 包括 康复 于门诊 于我院 易感 任何 何时 任务 高龄 高危".split()
)


@lru_cache(maxsize=1)
def words_of_knowledge() -> frozenset[str]:
    """Every two, three and four neighbouring characters of the knowledge's Chinese names: none of them is a person's."""
    found: set[str] = set()
    folder = Path(__file__).parents[2] / "nlp_core" / "knowledge_base"
    for file in sorted(folder.rglob("*.yaml")):
        for run in set(re.findall(rf"{HAN}{{2,}}", file.read_text(encoding="utf-8"))):
            found.update(run[at : at + size] for size in (2, 3, 4) for at in range(len(run) - size + 1))
    return frozenset(found)
