"""Which language a text is in, as far as dxspan cares: English, Chinese, or one it does not read.

Counts characters and very frequent words; knows no grammar.
"""

from __future__ import annotations

import re
from typing import Literal

ReadLanguage = Literal["en", "zh", "other"]

_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_LATIN_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_NON_ENGLISH_LETTER = re.compile(r"[À-ÖØ-öø-ÿĀ-ž]")  # not case-folded: under it ſ is an s

# Words that other Latin-script languages use all the time and English charts do not.
_FOREIGN_WORDS = frozenset(
    (
        "el la los las una con por para que del les des une dans pour avec pas der und ist nicht mit ein eine von zu"
        " den auf il che della gli nel ja ei oli hän ovat het een niet voor zijn och att som inte är med till av og"
        " det uma não dos das ao na nie jest się ett har aber sich wird sind je ne vous elle sont cette aux nous lui"
        " mais où très sans dolor paciente patientin"
    ).split()
)
_ENGLISH_WORDS = frozenset(
    (
        "the of and to in is was with for on has had no not he she his her patient pain denies history at by who an a"
        " this that are were after from left right years old year day days weeks months as it or be which but over"
        " been there also"
    ).split()
)


def language_of(text: str) -> ReadLanguage:
    """The language most of `text` is in. Telegraphic text in Latin letters counts as English unless it looks foreign."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return "en"
    chinese = len(_CHINESE.findall(text))
    latin_words = [word.lower() for word in _LATIN_WORD.findall(text)]
    if len(_KANA_HANGUL.findall(text)) > 0.05 * letters:
        return "other"
    if chinese > len(latin_words):  # a Chinese character carries about as much as a word
        return "zh"
    if sum(map(len, latin_words)) < 0.5 * (letters - chinese):
        return "other"
    return "other" if _looks_foreign(text, latin_words) else "en"


def _looks_foreign(text: str, words: list[str]) -> bool:
    foreign = sum(word in _FOREIGN_WORDS for word in words)
    english = sum(word in _ENGLISH_WORDS for word in words)
    accents = len(_NON_ENGLISH_LETTER.findall(text))
    return foreign + accents / 2 > max(2, english) and foreign + accents / 2 > 0.06 * len(words)
