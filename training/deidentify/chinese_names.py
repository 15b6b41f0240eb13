"""Chinese names told by the characters they are made of, without a cue; names of other peoples by theirs.

Input : "…术者樊志刚，助手龚磊、尤佳"     Output: where 樊志刚, 龚磊 and 尤佳 stand
Knows surnames, characters of given names and of transliterated names (rules/chinese.yaml). Three characters are a name anywhere,
two between marks alone: many words begin with a surname.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.deidentify.kinds import Found, Kind
from training.deidentify.text_folding import HAN
from training.deidentify.vocabulary import any_of, rules


class UncuedNameFinder:
    """Finds names that nothing announces."""

    def __init__(self) -> None:
        cues = rules("chinese.yaml")
        surname = f"(?:{'|'.join(cues['double_surnames'])}|[{cues['surnames']}])"
        given, other = f"[{cues['given']}]", f"[{cues['transliteration']}]"
        related = any_of([*cues["relations"], *cues["labels"]])
        self._whole = re.compile(rf"{surname}{given}{{2}}")
        self._short = re.compile(
            rf"(?:(?<!{HAN})|(?<=[和与及、]))({surname}{given})(?=$|[\s,;:()/]|[、，。；（和与及])"
            rf"|(?:{related})[ ]?[:(]?({surname}?{given}{{1,2}}|{other}{{2,8}})(?=$|[\s,;()/]|[陪到随来签诉已在代送打知、，。])"
        )
        self._other = re.compile(rf"{other}{{3,8}}(?:·{HAN}{{2,6}})?")
        self._nick = re.compile(rf"(?:小名|乳名|昵称|化名|真名|网名)[ ]?[叫:为]?[ ]?(?!除外)({HAN}{{2,3}})(?!{HAN})")

    def find(self, plain: str) -> Iterator[Found]:
        """`plain` in simplified characters. What is a word of medicine is told by the caller."""
        for pattern in (self._whole, self._short, self._other, self._nick):
            for match in pattern.finditer(plain):
                yield Found(*match.span(match.lastindex or 0), Kind.NAME)
