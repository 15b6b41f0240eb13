"""Names of persons that the record does not hold, by their place and by lists: colleagues, relatives, other patients.

Input : "Seen by Dr. Okonjo; wife Adaeze present."     Output: where "Okonjo" and "Adaeze" stand
Knows English notes. A word that is also a word of medicine or of everyday is a name only behind a title or a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.deidentify.kinds import Found, Kind
from training.deidentify.name_forms import NameForms
from training.deidentify.searched_text import SearchedText, places_of
from training.deidentify.vocabulary import Vocabulary

_CAPITAL = r"[A-Z][A-Za-z]*(?:['-][A-Za-z]+)*[0-9]{0,4}"
_LINKS = (
    r"(?:de|la|del|van|von|der|den|da|dos|das|di|bin|binti|al|el|le|du|ap|ab|ter|ten|zu|av|af|y|Ni|Nic|Mac|Mc|Fitz)"
)
_BETWEEN = rf"(?:,[ ]?|[ ]{{1,2}})(?:[A-Z](?:\.|(?=[ ,]))[ ]?|{_LINKS}[ ])*"
_PERSON = rf"(?:(?:[A-Z]\.?[ -]){{1,3}})?{_CAPITAL}(?:{_BETWEEN}{_CAPITAL}){{0,3}}"
_CAPITALS = re.compile(
    r"(?<![\w'@./-])[A-Z](?:[a-z]|['-][A-Z]|[A-Z](?=[A-Za-z]))[A-Za-z]*(?:['-][A-Z][a-z]+)*(?![\w@]|\.[a-z]{2,3}\b)"
)
_NEXT = re.compile(rf"(?:'s)?(?:,[ ]|[ ]{{1,2}})(?:(?:[A-Z]\.?[ ]){{1,2}}|{_LINKS}[ ])*({_CAPITAL})")
_PREVIOUS = re.compile(rf"({_CAPITAL})(?:,[ ]|[ ]{{1,2}})(?:(?:[A-Z]\.?[ ]){{1,2}}|{_LINKS}[ ])*$")
_INITIAL_BEFORE = re.compile(r"(?<![\w])(?:[A-Z]\.?[ -]?){1,2}$")
_EPONYM = re.compile(r"(?:'s|s')?[ -]([A-Za-z]+|-|\d)")
_WORD_OF_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(?:['-][A-Za-z]+)*\.?")
_LABEL_BEFORE = re.compile(r"([a-z][a-z/-]*(?: [a-z][a-z/-]*){0,3})(?: ?\([^)\n]{0,40}\))? ?$")
_LABELLED = re.compile(rf"[:#][ \t]{{0,8}}({_PERSON})")
_CUE_BEFORE = re.compile(r"([a-z][a-z/'-]*(?: [a-z][a-z/'-]*){0,3})(?: is| was)?[ (,:\"']{1,2}$")
_WITHIN_SENTENCE = re.compile(r"(?:[a-z0-9,;&]|[a-z,] ?[(\"']) ?$")
_LONG_WORD = re.compile(r"[A-Z][A-Za-z'-]{2,}")
_NEXT_OF_PLACE = re.compile(r"[ ]([A-Z][a-z]+)")
_PERSON_HERE = re.compile(_PERSON)
_SMALL_HERE = re.compile(r"[a-z]{3,}")
_PERSON_BEFORE = re.compile(rf"{_PERSON}$")
_ONE_CAPITAL = re.compile(r"(?:[A-Z][a-z]{0,2})?[A-Z][a-z]+(?:[-'](?:[A-Z]?[a-z]+))*")
_STARTS = re.compile(r"(?:^|[.;:!?\n]|[.!?]\"|^===)[ \"(]{0,3}$")
_VERB_BEHIND = re.compile(r"(?:[ ]\([^)\n]{0,40}\))?,?[ ]([a-z]+)")
_SHORT = 4
"""Letters: a word of so many capitals is an abbreviation rather than a name."""


class NameFinder:
    """Finds names; its patterns are compiled once from the lists."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._forms = NameForms(words)
        cues = words.cues
        self._titles = cues["titles"] - cues["unsure_titles"]
        self._titled = re.compile(
            rf"(?<![A-Za-z])(?i:{_alternatives(self._titles)})\b\.?(?:[ ]|(?<=\.))[ ]?(?=[A-Za-z])"
        )
        credentials = _alternatives(cues["credentials"]).upper()
        self._credentials = re.compile(rf",?[ ](?:{credentials}|Ph\.?D\.?|M\.D\.|D\.O\.|R\.N\.|PharmD|PsyD)(?![\w])")
        self._labels = cues["strong_labels"] | cues["labels"]
        self._near = cues["relations"] | cues["before"] | cues["unsure_titles"]

    def find(self, text: SearchedText) -> Iterator[Found]:
        """Where they stand, in no order, one perhaps more than once."""
        plain = text.plain
        if not text.words.isdisjoint(self._titles):
            yield from self._by_title(plain)
        for match in self._credentials.finditer(plain):
            person = _PERSON_BEFORE.search(plain, max(0, match.start() - 50), match.start())
            if person:
                yield from self._person(plain, *person.span(), sure=False)
        for match in _LABELLED.finditer(plain):
            yield from self._by_label(text, match)
        yield from self._by_capital(text)
        yield from self._small_letters(text)
        yield from self._forms.find(plain)

    def again(self, text: SearchedText, found: list[Found]) -> Iterator[Found]:
        """Names that were found once, wherever else the note says them without a cue."""
        known: set[str] = set()
        for one in found:
            if one.kind is Kind.NAME:
                known.update(word.lower() for word in _LONG_WORD.findall(text.plain[one.start : one.end]))
        for word in sorted(known - self._words.plain):
            for start, end in places_of(word, text.lower):
                if text.plain[start].isupper() and not self._eponym(text.plain, word, end):
                    yield Found(start, end, Kind.NAME)

    def _by_title(self, plain: str) -> Iterator[Found]:
        for match in self._titled.finditer(plain):
            person = _PERSON_HERE.match(plain, match.end())
            if person:
                yield from self._person(plain, *person.span(), sure=True)
            elif (word := _SMALL_HERE.match(plain, match.end())) and word.group() not in self._words.ordinary:
                yield Found(*word.span(), Kind.NAME)

    def _by_label(self, text: SearchedText, match: re.Match[str]) -> Iterator[Found]:
        label = _LABEL_BEFORE.search(text.lower, max(0, match.start() - 60), match.start())
        for words in _endings(label.group(1)) if label else ():
            if words in self._labels:
                yield from self._person(text.plain, *match.span(1), sure=words in self._words.cues["strong_labels"])
                return

    def _person(self, plain: str, start: int, end: int, *, sure: bool) -> Iterator[Found]:
        """The name within `start` to `end`: words that can be none are cut off behind; `sure`: the first one is one."""
        kept_end, named, number = start, False, -1
        for match in _WORD_OF_NAME.finditer(plain, start, end):
            number += 1
            written = match.group().rstrip(".")
            word = written.lower()
            if number == 0 and written.isupper() and word in self._words.cues["credentials"]:
                start = kept_end = min(end, match.end() + 1)  # "RN Jane Roe"
                number = -1
                continue
            if len(word) > 1:
                if not self._may_stand(word, number, sure) or (
                    number and written.isupper() and word in self._words.cues["credentials"]
                ):
                    break
                named = named or sure or self._is_name(written, word)
            kept_end = match.start() + len(written)
        last = plain[start:kept_end].replace("-", " ").rpartition(" ")[2].lower()
        if named and kept_end > start and not self._eponym(plain, last, kept_end):
            yield Found(start, kept_end, Kind.NAME)

    def _may_stand(self, word: str, number: int, sure: bool) -> bool:
        """Can `word` be the word of this number in a name?"""
        words = self._words
        if word in words.also_words or word in words.names:
            return True
        if word in words.no_names:
            return False
        return word not in (words.ordinary if number else words.plain) or (sure and number == 0)

    def _is_name(self, written: str, word: str) -> bool:
        if word in self._words.names:
            return True
        return word not in self._words.plain and not (written.isupper() and len(word) <= _SHORT)

    def _by_capital(self, text: SearchedText) -> Iterator[Found]:
        """Listed names; words that no list knows behind a cue, and two of them side by side."""
        words, plain = self._words, text.plain
        for match in _CAPITALS.finditer(plain):
            written = match.group()
            word = written.lower()
            if word in words.names or ("-" in word and not words.names.isdisjoint(word.split("-"))):
                yield from self._around(plain, match.start(), match.end(), written, word)
            elif (word not in words.plain or word in words.cues["towns"]) and self._has_cue(
                text, match.start(), words.cues["place_cues"]
            ):
                yield Found(match.start(), self._place_end(plain, match.end()), Kind.PLACE)
            elif word in words.plain:
                continue
            elif self._has_cue(text, match.start(), self._near):
                person = _PERSON_HERE.match(plain, match.start())
                yield from self._person(plain, match.start(), person.end() if person else match.end(), sure=False)
            elif self._stands_alone(plain, match.start(), match.end(), written):
                yield Found(*match.span(), Kind.NAME)
            elif word in words.ordinary:
                continue
            elif (before := _PREVIOUS.search(plain, max(0, match.start() - 40), match.start())) and before.group(
                1
            ).lower() in words.given:
                yield Found(before.start(), match.end(), Kind.NAME)
            elif len(word) > 2 and written[1:].islower() and not word.endswith(words.drug_endings):
                yield from self._unknown_pair(plain, match.start(), match.end(), word)

    def _stands_alone(self, plain: str, start: int, end: int, written: str) -> bool:
        """A word with a capital within a sentence, no common word with one behind it: no heading, so something's name."""
        word = written.lower()
        if len(word) < 3 or not _ONE_CAPITAL.fullmatch(written) or self._eponym(plain, word, end):
            return False
        if _STARTS.search(plain, max(0, start - 4), start):
            return self._acts(plain, end, word)
        if word.endswith(self._words.drug_endings) or not _WITHIN_SENTENCE.search(plain, max(0, start - 4), start):
            return False
        behind = _NEXT.match(plain, end)
        return behind is None or behind.group(1).lower() not in self._words.plain

    def _acts(self, plain: str, end: int, word: str) -> bool:
        """At the start of a sentence: an unknown word before what a person does ("Wanjiku has fever")."""
        if word in self._words.ordinary or word.endswith(self._words.drug_endings):
            return False
        behind = _VERB_BEHIND.match(plain, end)
        return behind is not None and behind.group(1) in self._words.cues["verbs"]

    def _place_end(self, plain: str, end: int) -> int:
        """Where a place's name ends: further words with a capital that no list knows."""
        for _ in range(3):
            behind = _NEXT_OF_PLACE.match(plain, end)
            if not behind or behind.group(1).lower() in self._words.no_names:
                break
            end = behind.end()
        return end

    def _has_cue(self, text: SearchedText, start: int, cues: frozenset[str]) -> bool:
        before = _CUE_BEFORE.search(text.lower, max(0, start - 40), start)
        return before is not None and any(words in cues for words in _endings(before.group(1)))

    def _unknown_pair(self, plain: str, start: int, end: int, word: str) -> Iterator[Found]:
        behind = _NEXT.match(plain, end)
        if behind is None or not self._fits(behind.group(1)) or self._eponym(plain, word, end):
            return
        if not self._eponym(plain, behind.group(1).lower(), behind.end(1)):
            yield Found(start, behind.end(1), Kind.NAME)

    def _fits(self, written: str) -> bool:
        """Is it the second word of a name?"""
        word = written.lower()
        return len(word) > 1 and self._words.may_name(word) and not (written.isupper() and len(word) <= _SHORT)

    def _around(self, plain: str, start: int, end: int, written: str, word: str) -> Iterator[Found]:
        """A listed name with initials and the names beside it."""
        if self._eponym(plain, word, end):
            return
        alone = True
        for _ in range(3):
            behind = _NEXT.match(plain, end)
            if not behind or not self._extends(behind.group(1)):
                break
            if self._eponym(plain, behind.group(1).lower(), behind.end(1)):
                return
            end, alone = behind.end(1), False
        before = _PREVIOUS.search(plain, max(0, start - 40), start)
        if before and self._extends(before.group(1)):
            start, alone = before.start(), False
        initial = _INITIAL_BEFORE.search(plain, max(0, start - 6), start)
        if initial and initial.group().strip() not in ("A", "I"):
            start, alone = initial.start(), False
        if not (alone and written.isupper() and len(word) <= _SHORT):
            yield Found(start, end, Kind.NAME)

    def _extends(self, written: str) -> bool:
        word = written.lower()
        words = self._words
        if word in words.also_words:
            return word not in words.cues["verbs"]
        if word in words.no_names or len(word) < 2 or (written.isupper() and len(word) <= _SHORT):
            return False
        return word in words.names or word not in words.ordinary  # beside a name, the end of a drug's name says nothing

    def _eponym(self, plain: str, word: str, end: int) -> bool:
        """Is it a disease or a sign that is called by someone's name? `end`: of the word."""
        parts = word.split("-")
        if not any(part in self._words.eponyms or part.removesuffix("s") in self._words.eponyms for part in parts):
            return False
        behind = _EPONYM.match(plain, end)
        if behind is None:
            return len(parts) > 1 and self._words.eponyms.issuperset(parts)
        following = behind.group(1).lower()
        if following.isdigit() or following in self._words.cues["medicine"] or following in self._words.eponyms:
            return True
        possessive = plain.startswith("'s", end)
        return possessive and following in self._words.ordinary and following not in self._words.cues["relations"]

    def _small_letters(self, text: SearchedText) -> Iterator[Found]:
        """ "john smith" in a hurried note: a listed first name with a listed surname behind."""
        for word in sorted(text.words & self._words.names):
            for match in re.finditer(rf"(?<![A-Za-z]){word} ([a-z]{{3,}})(?![A-Za-z])", text.plain):
                if match.group(1) in self._words.names:
                    yield Found(*match.span(), Kind.NAME)


def _endings(words: str) -> Iterator[str]:
    """The words, the words without the first, ..., the last word."""
    yield words
    while " " in words:
        words = words.partition(" ")[2]
        yield words


def _alternatives(words: frozenset[str]) -> str:
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) + ")"
