"""`dxspan-train reading-tables`: what serving knows of scripts and of English, drawn from libraries that serving does without.

Traditional characters come from OpenCC (Apache-2.0), English words from symspellpy's frequency dictionary (MIT; SCOWL and
Google Books Ngrams). Serving needs two plain tables of them, which are shipped.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib.resources import files

from nlp_core.compose_spelling import ENGLISH_WORDS
from nlp_core.spelling import LONGEST, SHORTEST
from nlp_core.text_view import TRADITIONAL
from training.command import Command

FIRST, LAST = 0x3400, 0x9FFF
"""Code points of Chinese characters in the basic plane."""
_DICTIONARY = "frequency_dictionary_en_82_765.txt"


def traditional_characters() -> str:
    """Two lines of the same length: traditional characters, and below each the simplified one."""
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    pairs = [(character, convert(character)) for character in map(chr, range(FIRST, LAST + 1))]
    changed = [(old, new) for old, new in pairs if old != new and len(new) == 1 and FIRST <= ord(new) <= LAST]
    return "".join(old for old, _ in changed) + "\n" + "".join(new for _, new in changed) + "\n"


def english_words() -> str:
    """A word a line, those long enough to be corrected."""
    lines = files("symspellpy").joinpath(_DICTIONARY).read_text(encoding="utf-8-sig").splitlines()
    words = {line.split(" ")[0] for line in lines}
    kept = sorted(word for word in words if SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha())
    return "\n".join(kept) + "\n"


def _arguments(parser: ArgumentParser) -> None:
    """None: the tables have their places."""


def _run(_options: Namespace) -> int:
    TRADITIONAL.write_text(traditional_characters(), encoding="utf-8")
    ENGLISH_WORDS.write_text(english_words(), encoding="utf-8")
    return 0


COMMAND = Command(
    "reading-tables", "the tables of Chinese scripts and English words that serving reads by", _arguments, _run
)
