"""Invented people for invented charts: names, numbers and places in the Patient and in the notes, for de-identification to find.

Input : a chart, a random generator     Output: the same chart with an Identity, its notes naming the patient and the staff
Knows how notes name people: a heading, a line of contact at the end. Nobody here exists; telephone numbers and mail
addresses are of ranges kept for fiction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from nlp_core.assessment import Language
from training.synthetic_charts.charts import WrittenChart
from training.synthetic_charts.gold import Piece, WrittenNote, WrittenSentence

_FAMILY = {
    "en": ("Okonkwo", "Szymanski", "Ashdown", "Petrakis", "Halvorsen", "Barraclough", "Feldhaus", "Castellanos", "Worrell",
           "Quattlebaum", "Ghoshal", "Tillinghast", "Nakagawa", "Stromquist", "Abernethy", "Achterberg"),
    "zh": ("沈", "林", "欧阳", "徐", "邓", "彭", "曹", "傅", "崔", "潘", "袁", "蔡", "贾", "魏", "蒋", "韩"),
}  # fmt: skip
_GIVEN = {
    "en": ("Theodora", "Ikenna", "Winifred", "Tobias", "Annelise", "Lucinda", "Ottoline", "Sandeep", "Yevgenia", "Quentin",
           "Tamika", "Alasdair", "Marguerite", "Caspian", "Chiamaka", "Torbjorn"),
    "zh": ("国栋", "巧云", "佳怡", "晓梅", "建国", "丽娟", "思远", "雨桐", "浩然", "玉兰", "志强", "春燕", "子轩", "桂英", "文博", "若琳"),
}  # fmt: skip
_STREETS = {
    "en": ("Lantern Hill Road", "Long Pond Lane", "Kestrel Row", "Marrow Creek Drive"),
    "zh": ("古荡新村", "青枫里", "柳浦路", "石榴巷"),
}
_TOWNS = {"en": ("Wexcombe", "Nettlefield", "Ashgrove", "Pelham"), "zh": ("西湖区", "拱墅区", "江岸区", "越秀区")}
_HEADINGS = {
    "en": "Patient: {given} {family}   MRN: {record}   DOB: {born}\nSeen by Dr. {doctor}.",
    "zh": "姓名：{family}{given}　住院号：{record}　出生日期：{born}\n医师：{doctor}",
}
_ENDINGS = {
    "en": "Lives at {number} {street}, {town}. {given} can be reached on {phone}, {mail}.",
    "zh": "家庭住址：{town}{street}{number}号。联系人电话：{phone}，邮箱{mail}。",
}
PickT = TypeVar("PickT")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an invented patient is."""

    family: str
    given: str
    record: str
    phone: str
    mail: str
    number: int
    street: str
    town: str
    doctor: str


def with_identity(chart: WrittenChart, random: np.random.Generator) -> WrittenChart:
    """The chart as a hospital would hold it. Its gold moves along with the words."""
    identity = _invented(chart.number, chart.language, random)
    born = chart.born.isoformat()
    notes = tuple(_naming(note, chart.language, identity, born) for note in chart.notes)
    return replace(chart, notes=notes, identity=identity)


def _invented(number: int, language: Language, random: np.random.Generator) -> Identity:
    def pick(choices: Sequence[PickT]) -> PickT:
        return choices[int(random.integers(len(choices)))]

    last = f"{int(random.integers(100)):02d}"
    return Identity(
        family=pick(_FAMILY[language]),
        given=pick(_GIVEN[language]),
        record=f"{int(random.integers(10, 100))}{number:05d}",
        phone=f"(413) 555-01{last}" if language == "en" else f"0571-8888{number % 100:02d}{last}",
        mail=f"patient{number}x{last}@mail.example.com",
        number=int(random.integers(1, 300)),
        street=pick(_STREETS[language]),
        town=pick(_TOWNS[language]),
        doctor=pick(_FAMILY[language]) + ("" if language == "en" else pick(_GIVEN[language])),
    )


def _naming(note: WrittenNote, language: Language, identity: Identity, born: str) -> WrittenNote:
    said = {name: getattr(identity, name) for name in Identity.__slots__} | {"born": born}
    heading = WrittenSentence((Piece(_HEADINGS[language].format_map(said)),), after="\n\n")
    ending = WrittenSentence((Piece(_ENDINGS[language].format_map(said)),), after="")
    border = WrittenSentence((Piece(""),), after="\n\n")
    return replace(note, sentences=(heading, *note.sentences, border, ending))
