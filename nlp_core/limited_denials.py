"""Denials that a place, a side or another circumstance limits: "no rash on the palms" leaves the rest of the skin open.

Input  : rash, denied; and "palms", a site, with only small words between them
Output : rash is limited by that site, so not rash but what rash and that site make together is denied.
Knows the small words that join a symptom and its circumstance; which findings there are is composed_findings' business.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from nlp_core.assertion import Assertion
from nlp_core.composed_findings import Said

MOST_BETWEEN = 8
"""Tokens between a symptom and a circumstance that limits it."""
_NO_LIMIT = ("symptom ", "duration ", "side both_sides")
"""What takes nothing away from a denial: "no fever for 3 days", "no swelling of both legs"."""
_ARTICLES = frozenset("the a an any his her their your my either this 的".split())
_PREPOSITIONS = frozenset("on in of at over with to upon during while when after around across from".split())
_JOINTS = frozenset("or and nor 或 及 和 与 、".split())
_BEFORE_A_DENIAL = frozenset((":", "：", "is", "are", "has", "have", "show", "shows", "had", "-"))


@dataclass(frozen=True, slots=True)
class LimitedDenial:
    """A finding or bare symptom that is denied only together with its limits."""

    denied: Said
    limits: tuple[Said, ...]


def limited_denials(
    said: Sequence[Said], attributes: Sequence[Said], words: Sequence[str], first: int, denials: Set[int]
) -> list[LimitedDenial]:
    """The denied among `said` that attributes limit.

    words: lower-case tokens of the sentence, the first of which is document token `first`. denials: document tokens of
    the words that deny.
    """
    denied = [one for one in said if one.assertion is Assertion.ABSENT]
    able = [one for one in attributes if not one.what.startswith(_NO_LIMIT)]
    if not denied or not able:
        return []
    joined = _tokens(able) | _tokens(denied)
    found = []
    for one in denied:
        near = [limit for limit in able if _apart(one, limit) <= MOST_BETWEEN]
        limits = tuple(limit for limit in near if _limits(limit, one, words, first, denials, joined))
        if limits:
            found.append(LimitedDenial(one, limits))
    return found


def _limits(limit: Said, denied: Said, words: Sequence[str], first: int, denials: Set[int], joined: Set[int]) -> bool:
    if limit.end <= denied.start:
        between = [i for i in range(limit.end, denied.start) if i not in joined]
        if not between:
            return _follows_a_denial(limit.start, words, first, denials | joined)
        joining = all(i in denials or words[i - first] in _BEFORE_A_DENIAL | _ARTICLES for i in between)
        return joining and _begins_its_clause(limit.start, words, first, joined)
    if limit.start < denied.end:  # "pain in the left leg" may be a name of leg pain: the side limits it from inside
        around = {words[i - first] for i in (limit.start - 1, limit.end) if first <= i < first + len(words)}
        return not (limit.start <= denied.start and denied.end <= limit.end) and not around & _JOINTS
    return _follows(range(denied.end, limit.start), words, first, joined)


def _follows(between: range, words: Sequence[str], first: int, joined: Set[int]) -> bool:
    """Do only small words stand between, and, after another symptom of a list, a preposition at last?"""
    listed = False
    for index in between:
        word = words[index - first]
        if word in _PREPOSITIONS:
            listed = False
        elif word in _JOINTS:
            listed = True
        elif word not in _ARTICLES and index not in joined:
            return False
    return not listed


def _follows_a_denial(start: int, words: Sequence[str], first: int, allowed: Set[int]) -> bool:
    """Of "no severe headache" the severity limits; 无肉眼血便 says nothing of an eye."""
    word = words[start - 1 - first] if start > first else ""
    return start - 1 in allowed or word in _ARTICLES | _JOINTS or not word.isalnum()


def _begins_its_clause(start: int, words: Sequence[str], first: int, joined: Set[int]) -> bool:
    """Of "on exertion no pain" the exertion limits; of "cough on exertion without pain" it is the cough's."""
    index = start - 1
    while index >= first and (index in joined or words[index - first] in _PREPOSITIONS | _ARTICLES):
        index -= 1
    return index < first or not words[index - first][0].isalnum()


def _apart(one: Said, other: Said) -> int:
    return max(0, other.start - one.end, one.start - other.end)


def _tokens(said: Collection[Said]) -> set[int]:
    return {index for one in said for index in range(one.start, one.end)}
