"""Names of the knowledge found in text, whatever the order of their words.

Input : the tokens of one sentence, e.g. "Pain and swelling in the right elbow."
Output: matches such as (elbow_pain, tokens 0..6) and (elbow_swelling, tokens 2..6).
Knows names and word order. Does not know whether what it found is asserted, denied or someone else's (assertion).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from spacy.language import Language

from nlp_core.words import name_stems, written_ways

MAX_GAP = 2
"""Words that may stand between two words of a name in their own order ("chest and abdominal pain")."""
MAX_TURNED_GAP = 7
"""Words that may stand between head and rest when the order is turned ("pain in the left upper chest")."""
_LINKS = frozenset(
    (
        "of in on at over around along behind under to from into within across through involving is are was were"
        " feels felt became becomes the his her my"
    ).split()
)
_BARRIERS = frozenset(
    ", ; : . ! ? ( ) [ ] | • * 、 。 ， ； ： ！ ？ （ ） no not denies denied without but however although nor negative".split()
)
_HYPHENS = frozenset("- ‐ – — ·".split())
"""Marks that may stand within a Chinese name wherever its author puts them: 吉兰-巴雷综合征."""
_SENSITIVE = frozenset({"sensitivity", "sensitive"})
_LIST_JOINTS = frozenset({",", "、", "and", "or", "/"})


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one entry: its stems in order."""

    entry: str
    stems: tuple[str, ...]
    needed: frozenset[str] = field(init=False, compare=False)
    """The stems as a set: a sentence that lacks one cannot hold the name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "needed", frozenset(self.stems))


@dataclass(frozen=True, slots=True)
class Match:
    """A name found: `tokens` are the indices of its words in the sentence, ascending."""

    entry: str
    tokens: tuple[int, ...]

    @property
    def start(self) -> int:
        return self.tokens[0]

    @property
    def end(self) -> int:
        """Index after the last token."""
        return self.tokens[-1] + 1


class Lexicon:
    """All names, found by their rarest word.

    compiled: for each rarest stem its names, each as `entry<TAB>stem stem ...`. Names are taken apart when their rarest
    word is first seen: of twenty thousand a note needs some hundred, and a process must start at once.
    """

    def __init__(self, compiled: Mapping[str, Sequence[str]]) -> None:
        self.compiled = compiled
        self._seen: dict[str, tuple[Name, ...]] = {}

    @classmethod
    def of(cls, names: Iterable[tuple[str, str]], nlp: Language) -> Lexicon:
        """Builds from (entry id, name) pairs."""
        ways = ((entry, name_stems(way, nlp)) for entry, text in names for way in written_ways(text))
        kept = [Name(entry, stems) for entry, stems in dict.fromkeys(ways) if stems]
        counts = Counter(stem for name in kept for stem in set(name.stems))
        compiled: dict[str, list[str]] = defaultdict(list)
        for name in kept:
            rarest = min(name.stems, key=lambda stem: (counts[stem], stem))
            compiled[rarest].append(f"{name.entry}\t{' '.join(name.stems)}")
        return cls(compiled)

    def find(self, words: Sequence[str], stems: Sequence[str]) -> list[Match]:
        """Matches in one sentence, longest first, none covered by another.

        words: lower-cased tokens. stems: their stems, the same length, "" where a token never matters.
        """
        places: dict[str, list[int]] = defaultdict(list)
        for index, stem in enumerate(stems):
            if stem:
                places[stem].append(index)
        return _uncovered(set(self._candidates(words, places)))

    def _candidates(self, words: Sequence[str], places: dict[str, list[int]]) -> Iterator[Match]:
        said = places.keys()
        for stem in places:
            for name in self._names(stem):
                if said >= name.needed:
                    yield from (Match(name.entry, tokens) for tokens in _occurrences(name, words, places))

    def _names(self, stem: str) -> tuple[Name, ...]:
        """The names whose rarest word is `stem`."""
        names = self._seen.get(stem)
        if names is None:
            if stem not in self.compiled:
                return ()  # and nothing is kept: it may be the patient's name
            names = self._seen[stem] = tuple(_taken_apart(line) for line in self.compiled[stem])
        return names


def _taken_apart(line: str) -> Name:
    entry, _, stems = line.partition("\t")
    return Name(entry, tuple(stems.split(" ")))


def _occurrences(name: Name, words: Sequence[str], places: dict[str, list[int]]) -> Iterator[tuple[int, ...]]:
    """Token indices of every occurrence of `name`, each ascending."""
    if len(name.stems) == 1:
        yield from ((index,) for index in places[name.stems[0]])
        return
    chinese = not name.stems[0].isascii()
    for first in places[name.stems[0]]:
        tokens = _in_chinese(name.stems, first, words, places) if chinese else _in_order(name.stems, first, places)
        if tokens and not _blocked(words, tokens):
            yield tokens
    if not chinese:
        yield from _turned(name, words, places)


def _in_order(stems: Sequence[str], first: int, places: dict[str, list[int]]) -> tuple[int, ...] | None:
    tokens = [first]
    for stem in stems[1:]:
        after = places[stem]
        following = bisect_right(after, tokens[-1])
        if following == len(after) or after[following] > tokens[-1] + 1 + MAX_GAP:
            return None
        tokens.append(after[following])
    return tuple(tokens)


def _in_chinese(
    stems: Sequence[str], first: int, words: Sequence[str], places: dict[str, list[int]]
) -> tuple[int, ...] | None:
    """Characters of a name stand side by side, or with a hyphen between them."""
    tokens = [first]
    for stem in stems[1:]:
        following = tokens[-1] + 1
        if following < len(words) and words[following] in _HYPHENS:
            following += 1
        after = places[stem]
        at = bisect_left(after, following)
        if at == len(after) or after[at] != following:
            return None
        tokens.append(following)
    return tuple(tokens)


def _turned(name: Name, words: Sequence[str], places: dict[str, list[int]]) -> Iterator[tuple[int, ...]]:
    """Head first: the last word of the name, a link, then the other words in order ("pain in the elbow")."""
    for head in places[name.stems[-1]]:
        firsts = places[name.stems[0]]
        nearest = bisect_right(firsts, head)
        for first in firsts[nearest : bisect_right(firsts, head + 1 + MAX_TURNED_GAP)]:
            link = next((i for i in range(head + 1, first) if words[i] in _LINKS), None)
            if link is None:
                continue
            rest = _in_order(name.stems[:-1], first, places)
            if rest and not _blocked(words, rest) and not _leaves_list(words, head + 1, link, first):
                yield (head, *rest)


def _leaves_list(words: Sequence[str], start: int, link: int, end: int) -> bool:
    """Is there a clause border between head and rest, other than the commas of a list of heads ("pain, redness of")?"""
    if any(words[i] in _BARRIERS for i in range(link, end)):
        return True
    between = words[start:link]
    listed = not between or between[0] in _LIST_JOINTS
    return any(word in _BARRIERS and not (listed and word in _LIST_JOINTS) for word in between)


def _blocked(words: Sequence[str], tokens: Sequence[int]) -> bool:
    """Does a clause border lie between the first and the last word, or is the first one part of another word?"""
    inside = set(tokens)
    between = [words[i] for i in range(tokens[0], tokens[-1]) if i not in inside]
    # "high-sensitivity troponin" is a way to measure, not a high troponin.
    return not _BARRIERS.isdisjoint(between) or (words[tokens[0]] == "high" and not _SENSITIVE.isdisjoint(between))


def _uncovered(found: Iterable[Match]) -> list[Match]:
    """Drops matches whose words all belong to one longer match; "chest pain" goes where "pleuritic chest pain" is."""
    ranked = sorted(found, key=lambda match: (-len(match.tokens), match.tokens, match.entry))
    kept: list[Match] = []
    over: dict[int, list[frozenset[int]]] = defaultdict(list)
    for match in ranked:
        words = frozenset(match.tokens)
        if not any(words < longer for longer in over.get(match.start, ())):
            kept.append(match)
            if len(words) > 1:
                for token in words:
                    over[token].append(words)
    return kept
