"""The same story in other words: copies of labelled texts with synonyms, abbreviations, slips, denials, moved sections.

Input : texts with their shares of the classes
Output: those and their copies. A copy keeps its text's shares, save that of a denied story nothing is known: its shares are
        spread evenly, or given to the class that stands for "none of these"
Knows the knowledge's names and how its reader judges them. Equal seeds make equal copies; a copy equal to its text is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from random import Random

import numpy as np

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from nlp_core.knowledge import Knowledge
from nlp_core.language import language_of
from nlp_core.mentions import Mention, MentionReader
from training.measures.perturb import abbreviated, typos
from training.tuning.examples import Shares
from training.tuning.labelled_texts import LabelledText
from training.tuning.options import Augmentation

SYNONYM_SHARE = 0.5
"""Of the names of a text that are said otherwise."""
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:no|denies|denied|without|not|never)(?:\s+(?:any|had|has|a))?\s+|(?:无|没有|否认|未见|未诉|不伴))$",
    re.IGNORECASE,
)
_DENIALS: dict[Language, tuple[str, ...]] = {"en": ("no ", "denies ", "without "), "zh": ("无", "没有", "否认")}
_SECTION_ENDS = re.compile(r"\n+")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])")


class Augmenter:
    """Rewrites texts; the knowledge's reader is built when it is first needed."""

    def __init__(self, knowledge: Knowledge, kinds: Sequence[Augmentation], *, copies: int, seed: int) -> None:
        self._knowledge, self._kinds, self._copies, self._seed = knowledge, kinds, copies, seed

    def augmented(
        self, texts: Sequence[LabelledText], shares: Shares, denied: int | None = None
    ) -> tuple[list[LabelledText], Shares]:
        """The texts and their copies with their shares. denied: the class of a story that is denied; None = all alike."""
        kept, more = list(texts), [shares]
        for kind in self._kinds:
            for copy in range(self._copies):
                for place, example in enumerate(texts):
                    rewritten = self.rewritten(example.text, kind, Random(f"{self._seed}:{kind}:{copy}:{place}"))  # noqa: S311
                    if rewritten != example.text:
                        kept.append(LabelledText(rewritten, example.label))
                        more.append(self._shares(shares[place : place + 1], kind, denied))
        return kept, np.concatenate(more)

    def rewritten(self, text: str, kind: Augmentation, random: Random) -> str:
        """One copy; the text itself where there is nothing to rewrite."""
        language: Language = "zh" if language_of(text) == "zh" else "en"
        ways: dict[Augmentation, Callable[[str, Language, Random], str]] = {
            "synonyms": self._reworded, "abbreviations": abbreviated, "typos": typos, "negation": self._denied,
            "sections": _moved,
        }  # fmt: skip
        return ways[kind](text, language, random)

    def _shares(self, own: Shares, kind: Augmentation, denied: int | None) -> Shares:
        if kind != "negation":
            return own
        if denied is None:
            return np.full_like(own, 1 / own.shape[1])
        given = np.zeros_like(own)
        given[0, denied] = 1
        return given

    def _reworded(self, text: str, language: Language, random: Random) -> str:
        """Some names of findings replaced by another name of the same finding."""

        def other(mention: Mention, said: str) -> str:
            names = self._knowledge.findings[mention.entry].names
            choice = [name for name in (names.zh if language == "zh" else names.en) if name.lower() != said.lower()]
            return random.choice(choice) if choice and random.random() < SYNONYM_SHARE else said

        for mention in reversed(self._named(text)):
            said = text[mention.span.start : mention.span.end]
            text = text[: mention.span.start] + other(mention, said) + text[mention.span.end :]
        return text

    def _denied(self, text: str, language: Language, random: Random) -> str:
        """What is present is denied, and what is denied is present."""
        for mention in reversed(self._named(text)):
            before, rest = text[: mention.span.start], text[mention.span.start :]
            if mention.assertion is Assertion.PRESENT:
                text = before + random.choice(_DENIALS[language]) + rest
            elif mention.assertion is Assertion.ABSENT:
                text = _DENIED_BEFORE.sub("", before) + rest
        return text

    def _named(self, text: str) -> list[Mention]:
        """Findings named in the text, in order of their place, none over another."""
        found, _ = self._reader.read(text, sex="unknown", age_years=None)
        kept: list[Mention] = []
        for mention in sorted(found, key=lambda one: (one.span.start, -one.span.end)):
            free = not kept or mention.span.start >= kept[-1].span.end
            if mention.about == "finding" and mention.via == "name" and free:
                kept.append(mention)
        return kept

    @cached_property
    def _reader(self) -> MentionReader:
        return MentionReader(self._knowledge)


def _moved(text: str, _language: Language, random: Random) -> str:
    """Sections in another order; of a text in one piece its sentences."""
    pieces = [piece for piece in _SECTION_ENDS.split(text) if piece.strip()]
    joint = "\n"
    if len(pieces) < 2:
        pieces = [piece for piece in _SENTENCE_ENDS.split(text) if piece.strip()]
        joint = " " if text.isascii() else ""
    if len(pieces) < 2:
        return text
    random.shuffle(pieces)
    return joint.join(pieces)
