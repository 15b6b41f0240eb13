"""Names around words that "non-" is joined to.

Input : "Non-exertional chest pain, non-pitting oedema."
Output: exertional chest pain (which "non-" denies) and the chest pain that is left of it; and nonpitting oedema, as charts
        write that word in one as in two.
Knows words and names; that "non-" denies the word it is joined to is assertion's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nlp_core.lexicon import Lexicon, Match
from nlp_core.words import stem


def with_compounds(
    names: Lexicon, joined: Mapping[int, int], words: Sequence[str], stems: Sequence[str]
) -> list[Match]:
    """All names in a sentence (see Lexicon.find).

    joined: place of a word -> that of the "non" it is joined to.
    """
    found = names.find(words, stems)
    if not joined:
        return found
    in_one = [match for match in _in_one(names, joined, words, stems) if not _within_any(match, found)]
    found = [*in_one, *(match for match in found if not _within_any(match, in_one))]  # no pitting oedema is denied
    whole = [match for match in found if match.start not in joined]
    rests = (part for match in found if match.start in joined for part in _rest(names, match, words, stems))
    return [*found, *(part for part in rests if not _within_any(part, whole))]


def _in_one(names: Lexicon, joined: Mapping[int, int], words: Sequence[str], stems: Sequence[str]) -> list[Match]:
    """Names that hold such a word as one: nonpitting."""
    changed = list(stems)
    for place, non in joined.items():
        changed[non] = stem(f"non{words[place]}")
    return [
        Match(match.entry, tuple(sorted({*match.tokens, *of_one})))
        for match in names.find(words, changed)
        if (of_one := [place for place, non in joined.items() if non in match.tokens])
    ]


def _within_any(match: Match, others: Sequence[Match]) -> bool:
    return any(set(match.tokens) <= set(other.tokens) for other in others)


def _rest(names: Lexicon, match: Match, words: Sequence[str], stems: Sequence[str]) -> list[Match]:
    """What the words of `match` name without the first, which is denied alone."""
    rest = set(match.tokens[1:])
    return names.find(words, [stem if index in rest else "" for index, stem in enumerate(stems)])
