"""What the head sees of a word by itself: its letters, its shape, the lists it stands on. Each mark is a row of the head's table.

Input : a form of training.deidentify.identifier_head.tokens     Output: numbers of rows
Knows the vocabulary of training.deidentify and the lists beside this file. A word is on many lists or none; none decides.
"""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

from training.deidentify.chinese_identifiers import words_of_knowledge
from training.deidentify.vocabulary import Vocabulary, rules, word_list

ROWS = 1 << 15
"""Rows of the table; marks share them by a checksum, which is the same on every machine."""
LISTS = Path(__file__).parent / "lists"
_MONTHS = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept"
    " oct nov dec".split()
)
_DAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed weds thu thur thurs fri sat sun".split()
)
STREETS = frozenset(
    "street st road rd avenue ave lane ln drive dr close court ct crescent terrace place way square gardens row mews hill grove park"
    " walk rise boulevard blvd highway hwy parkway flat apt apartment unit suite floor house estate parade".split()
)
_UNITS = frozenset("省市县区镇乡村路街道巷弄号栋楼室里院厂校店队站桥河湖山江寺庙城州旗盟组幢座层苑园")
_KEPT = frozenset("mr mrs ms dr miss prof".split())
_MEASURE = re.compile(
    r"[1-8]?\d-(?:years?|yrs?|months?|weeks?|days?)(?:-olds?)?|[1-8]?\d(?:yo|yr|y/o|yrs|f|m)"
    r"|[\d.,/-]+(?:mg|mcg|g|kg|ml|l|mm|cm|units?|iu|meq|mmol|h|hrs?|wks?|x|%)"
)
"""Ages that may be said, and numbers with their unit."""
_CODES = frozenset(
    "a1c b12 ca125 ca-125 ca15-3 ca-15-3 ca19-9 ca-19-9 cd4 cd8 covid-19 covid19 fio2 h1n1 h3n2 h5n1 hba1c her2 her-2 hiv-1 hiv-2 hla-b27 hsv-1"
    " hsv-2 il-6 p53 paco2 pao2 pd-l1 sars-cov-2 spo2".split()
)
"""Germs, markers and values whose names hold digits."""
_MEASURES = frozenset("mg mcg ug kg ml dl mm cm mmol meq iu units mmhg kcal kpa mg/dl".split())
"""Words behind a number of which something is measured."""
_YEARS = frozenset("year years yr yrs yo 岁".split())
_HIGH_AGE = 90
_OF_EVERY_NOTE = frozenset(
    "blood bone chest chief chill cold cough drain fever hands head heart joint limb mole nails neck nose pain rash skin sore spine"
    " sweat swelling tears temple vein".split()
)
"""Surnames of a few, and words of every note ("Chief Complaint: Cough"): by themselves they are what every note means."""
_TIME = frozenset("年月日号时分周岁点")
_TITLES = frozenset("姐哥叔姨爷奶婶伯医生师总工主任护士长院教授先女士小老阿")
_DIGIT = frozenset("0123456789")
_LONGEST_WHOLE = 4
"""Digits and letters of a number that is a mark by itself; of longer ones only the shape is."""


class Marks:
    """Marks of forms; made once per process."""

    def __init__(self, words: Vocabulary) -> None:
        towns, first, last = (word_list(LISTS / name) for name in ("towns.txt", "first_names.txt", "last_names.txt"))
        lists = {
            "english": words.ordinary,
            "plain": words.plain,
            "first": first | words.given,
            "last": last | words.names,
            "town": towns | words.cues["towns"],
            "eponym": words.eponyms,
            "proper": words.proper,
            "month": _MONTHS,
            "day": _DAYS,
            "street": STREETS,
            "no name": words.no_names,
            "also": words.also_words,
            "facility": frozenset(rules("facilities.yaml")["sure"]),
            "care": frozenset(rules("facilities.yaml")["medical"]),
            **{
                name: _last_words(words.cues[name])
                for name in ("titles", "credentials", "relations", "verbs", "medicine")
            },
            **{
                name: _last_words(words.cues[name])
                for name in ("strong_labels", "labels", "generic_places", "place_cues")
            },
        }
        self._lists = sorted(lists.items())
        self._words, self._named = words, lists["first"] | lists["last"] | words.also_words
        self._plain = words.plain - lists["town"]
        self._endings = words.drug_endings
        chinese = rules("chinese.yaml")
        self._characters = {
            "surname": frozenset("".join(chinese["surnames"])) | frozenset("".join(chinese["double_surnames"])),
            "given": frozenset("".join(chinese["given"])),
            "sound": frozenset("".join(chinese["transliteration"])),
            "unit": _UNITS,
            "time": _TIME,
            "title": _TITLES,
        }
        self._chinese_words = {
            name: frozenset(chinese[name])
            for name in (
                "titles",
                "labels",
                "relations",
                "provinces",
                "cities",
                "holidays",
                "generic_hospitals",
                "behind_names",
            )
        }
        self._known_chinese = words_of_knowledge()

    def said(self, form: str) -> list[str]:
        """The marks in words."""
        if "|" in form:
            return list(self._of_character(form))
        if not _DIGIT.isdisjoint(form):
            return list(_of_number(form))
        return list(self._of_word(form))

    def is_kept(self, form: str) -> bool:
        """A title or a province: never part of an identifier, whatever is beside it."""
        word = form.rpartition("|")[2]
        return (
            word.lower() in _KEPT or word.removesuffix("省").removesuffix("自治区") in self._chinese_words["provinces"]
        )

    def says_no_one(self, form: str) -> bool:
        """A word of medicine or everyday, a dose or an age: no identifier unless it is part of a longer one."""
        if "|" in form:
            word = form.rpartition("|")[2]
            return word in self._known_chinese or word in self._chinese_words["generic_hospitals"]
        if not _DIGIT.isdisjoint(form):
            return form.lower() in _CODES or _MEASURE.fullmatch(form.lower()) is not None
        word = form.lower()
        if word in _OF_EVERY_NOTE:
            return True
        if word in self._named:
            return False
        return word in (self._words.ordinary if form.islower() else self._plain)

    def _of_word(self, form: str) -> list[str]:
        word = form.lower()
        on = [name for name, words in self._lists if word in words]
        case = _case(form)
        framed = f"^{word}$"
        listed = "+".join(name for name in on if name in ("english", "plain", "first", "last", "town", "proper"))
        marks = [f"w={word}", f"case={case}", f"size={min(len(word), 9)}", f"{case}&{listed}"]
        marks += [f"on={name}" for name in on]
        marks += [f"p={word[:size]}" for size in (2, 3)] + [f"s={word[-size:]}" for size in (2, 3, 4)]
        marks += [f"c={framed[at : at + 3]}" for at in range(min(len(framed) - 2, 10))]
        if word.endswith(self._endings):
            marks.append("drug")
        return marks

    def _of_character(self, form: str) -> list[str]:
        index, tag, word = form.split("|", 2)
        at = int(index)
        letter = word[at]
        size = len(word)
        part = "single" if size == 1 else "first" if at == 0 else "last" if at == size - 1 else "inner"
        marks = [f"z={letter}", f"t={tag}&{part}", f"zw={word}", f"zs={min(size, 5)}&{part}", f"z={letter}&{tag}"]
        marks += [f"zc={name}" for name, letters in self._characters.items() if letter in letters]
        marks += [f"zl={name}&{part}" for name, words in self._chinese_words.items() if word in words]
        if word in self._known_chinese:
            marks.append(f"zk={min(size, 4)}")
        marks.append(f"ze={word[-1]}&{part}")
        return marks


def is_measure(form: str, following: str) -> bool:
    """A number with its unit behind it, or an age that may be said."""
    if _DIGIT.isdisjoint(form):
        return False
    unit = following.rpartition("|")[2].lower()
    return unit in _MEASURES or (unit in _YEARS and form.isdecimal() and int(form[:9]) < _HIGH_AGE)


def row(mark: str) -> int:
    """Its row of the table; row 0 is nobody's."""
    return 1 + crc32(mark.encode()) % (ROWS - 1)


def _case(form: str) -> str:
    if form.islower():
        return "small"
    if form.isupper():
        return "one" if len(form) == 1 else "short capitals" if len(form) < 5 else "capitals"
    if form[0].isupper() and form[1:].islower():
        return "Capital"
    return "Mixed"


def _of_number(form: str) -> list[str]:
    shape = re.sub(r"\d", "d", re.sub(r"[A-Z]", "X", re.sub(r"[a-z]", "x", form)))[:14]
    short = re.sub(r"(.)\1+", r"\1+", shape)
    digits = sum(map(str.isdigit, form))
    marks = [f"n={shape}", f"ns={short}", f"nd={min(digits, 12)}", f"nl={min(len(form), 14)}"]
    if len(form) <= _LONGEST_WHOLE:
        marks.append(f"nw={form}")
    letters = "".join(re.findall(r"[A-Za-z]+", form)).lower()[:6]
    if letters:
        marks.append(f"nx={letters}")
    if form.isdecimal():
        value = int(form[:9])
        marks.append(
            f"nv={next((most for most in (7, 12, 31, 59, 89, 130, 300, 1000, 1899, 2030) if value <= most), 9999)}"
        )
    for mark in "/-._:":
        if mark in form:
            marks.append(f"nm={mark}{form.count(mark)}")
    return marks


def _last_words(phrases: frozenset[str]) -> frozenset[str]:
    return frozenset(phrase.rpartition(" ")[2] for phrase in phrases)
