"""Words of a problem-list entry -> the diagnoses they name, each with how it is asserted.

Input : "Diabetes mellitus, type 2 - on metformin"
Output: {"type_2_diabetes": present}
Reads entries with the names of the knowledge and those of rules/problem_names.yaml. Knows how lists write: inverted
("Hypertension, pulmonary"), with what a title denies ("gallstones without cholecystitis"), with groups for diseases. What
follows for the kinds of a disease, and from the status of the entry, is known_problems' business.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from nlp_core.assertion import Assertion
from nlp_core.chart import Coding
from nlp_core.knowledge import Knowledge
from nlp_core.lexicon import Lexicon
from nlp_core.lexicon_names import DIAGNOSIS, FINDING, PREFIX
from nlp_core.mentions import Mention, MentionReader
from nlp_core.note import Span
from nlp_core.text_view import view
from nlp_core.triggers import written_ways

RULES = Path(__file__).parent / "rules" / "problem_names.yaml"
LONGEST, MOST_NAMED = 400, 24
"""Characters of an entry that are read, and names in it that count: a list is terse, and names its diseases early."""
SHORT = 3
"""Characters of a name up to which capitals count."""
_OTHER = "-"
"""Entry of names that are no diagnosis of the knowledge."""
_LACKING = re.compile(r"\b(?:without|w/o)\b[^,;.，；。()（）]*|(?:不伴|未伴)[^,;.，；。()（）]*", re.IGNORECASE)
_IN_CHINESE = re.compile(r"(?<=[\u3400-\u9fff])[-‐–·/](?=[\u3400-\u9fff])")
"""Marks within Chinese names: 布-加综合征."""
_INVERTED = re.compile(r"(?P<what>[^,;:]+), *(?P<which>[^,;:]+)(?P<rest>.*)", re.DOTALL)
_HISTORY_BEHIND = re.compile(
    r"\A(?P<what>.+), *(?P<history>(?:(?:family|personal) )?(?:history|hx|h/o))(?: of)?\Z", re.IGNORECASE | re.DOTALL
)
_MARK = re.compile(r"[,;，；。]")
_ASKED = re.compile(r"[^,;，；、]*[?？]")
"""What follows a name that an entry puts in question."""
_CODE = re.compile(r"[A-Z]\d[\dA-Z]\.[\dA-Z]{1,4}(?:x\d{3})?", re.IGNORECASE)
_SAID_OF_DISEASES = frozenset({"history", "symptom", "sign"})
"""Kinds of finding that would hide a disease's name: on a list "history of COPD" is no finding."""
_KNOWN = re.compile(r"\bknown\b", re.IGNORECASE)
_ORDER = (Assertion.PRESENT, Assertion.ABSENT, Assertion.PAST)


class ProblemWords:
    """Reads entries by one knowledge; built once per process. Shares its parts with the reader of notes."""

    def __init__(self, knowledge: Knowledge, reader: MentionReader, path: Path = RULES) -> None:
        rules: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._diagnoses = knowledge.diagnoses
        self._groups: dict[str, list[str]] = {name: group["covers"] for name, group in rules["general"].items()}
        unread = {FINDING + f.id for f in knowledge.findings.values() if f.kind in _SAID_OF_DISEASES}
        more = list(self._names(rules))
        names = _joined(reader.lexicons.names, unread, Lexicon.of(more, reader.nlp))
        self._reader = reader.with_lexicons(replace(reader.lexicons, names=names))
        self._whole = _by_name(knowledge, more)
        self._lasting = frozenset(rules["lasting"])
        self._before, self._after = (_any_of(rules["unreal"][place]) for place in ("before", "after"))
        self._noise = re.compile("|".join(map(re.escape, rules["noise"])), re.IGNORECASE)
        self._spelt: dict[str, str] = rules["short"]
        self._short = _any_of(self._spelt)
        self._over, self._denied = _any_of(rules["over"]), _any_of(rules["denied"])

    def code_in(self, text: str) -> Iterator[Coding]:
        """The ICD-10 code that an entry without words consists of."""
        if _CODE.fullmatch(text.strip()):
            yield Coding(code=text.strip())

    def _names(self, rules: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for diagnosis, names in rules["names"].items():
            if diagnosis in self._diagnoses:
                yield from ((DIAGNOSIS + diagnosis, way) for way in _ways(names))
        for group, content in rules["general"].items():
            yield from ((f"{DIAGNOSIS}{_OTHER}{group}", way) for way in _ways(content["names"]))
        yield from ((DIAGNOSIS + _OTHER, way) for way in _ways(rules["others"]))

    def read(self, entry: str) -> dict[str, Assertion]:
        """Diagnosis id -> how the entry asserts it. Nothing of the entry is kept."""
        whole = self._whole.get(_as_name(entry))
        if whole is not None:
            return {
                diagnosis: Assertion.PRESENT for name in whole for diagnosis in self._covered(name, Assertion.PRESENT)
            }
        text = self._plain(entry[:LONGEST])
        said: dict[str, Assertion] = {}
        mentions = self._mentions(text)[:MOST_NAMED]
        for mention in mentions:
            for diagnosis, how in self._meant(mention, text, _reach(mention, mentions, text)):
                said[diagnosis] = min(said.get(diagnosis, how), how, key=_rank)
        return said

    def _plain(self, entry: str) -> str:
        """The entry as a note would say it: titles without their marks and lacks, "gout, history of" the usual way."""
        text = self._noise.sub(" ", entry)
        text = self._short.sub(lambda match: self._spelt[match.group().lower()], text)
        text = _IN_CHINESE.sub("", _LACKING.sub(" ", text)).strip()
        return _HISTORY_BEHIND.sub(r"\g<history> of \g<what>", text)

    def _mentions(self, text: str) -> list[Mention]:
        """What the entry names; of "Hypertension, pulmonary" what "pulmonary hypertension" names, if that is a name."""
        inverted = _INVERTED.fullmatch(text)
        if inverted:
            which, what, rest = inverted["which"].strip(), inverted["what"].strip(), inverted["rest"]
            turned = f"{which} {what}{rest}"
            found = self._named(turned)
            if any(mention.span.start < len(which) < mention.span.end for mention in found):
                return [_moved(mention, text, turned) for mention in found]
        return self._named(text)

    def _named(self, text: str) -> list[Mention]:
        """The diagnoses, groups and other things named; of names within names the longest."""
        mentions, _ = self._reader.read(text, sex="unknown", age_years=None)
        return [mention for mention in mentions if mention.about == "diagnosis"]

    def _meant(self, mention: Mention, text: str, reach: Span) -> Iterator[tuple[str, Assertion]]:
        """reach: the stretch of the entry whose words may speak of the mention."""
        over = self._over.search(text, reach.start, reach.end)
        how = self._asserted(mention, text, reach.end)
        if over and how in (Assertion.ABSENT, Assertion.PRESENT):
            how = Assertion.PAST
        for diagnosis in self._covered(mention.entry, how):
            lasts = how is Assertion.PAST and diagnosis in self._lasting and not over
            yield diagnosis, Assertion.PRESENT if lasts else how

    def _covered(self, name: str, how: Assertion) -> Iterator[str]:
        """The diagnoses that a name's entry means: one, those of a group that it need not fear to hide, or none."""
        if not name.startswith(_OTHER):
            yield name
            return
        for diagnosis in self._groups.get(name.removeprefix(_OTHER), ()):
            known = self._diagnoses.get(diagnosis)
            if known and not (known.cannot_miss and how in (Assertion.PRESENT, Assertion.ABSENT)):
                yield diagnosis

    def _asserted(self, mention: Mention, text: str, end: int) -> Assertion:
        how = mention.assertion
        if how is Assertion.PRESENT and self._denied.search(text, mention.span.end, end):
            return Assertion.ABSENT
        if self._before.search(text, 0, mention.span.start) or self._after.search(text, mention.span.end, end):
            return Assertion.CONDITIONAL
        if _ASKED.match(text, mention.span.end):
            return Assertion.POSSIBLE
        return Assertion.PRESENT if how is Assertion.PAST and _KNOWN.search(text) else how


def _by_name(knowledge: Knowledge, more: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """What an entry means that is a name and nothing else, whatever words and marks the name holds."""
    by_name: dict[str, set[str]] = defaultdict(set)
    for diagnosis in knowledge.diagnoses.values():
        for name in (*diagnosis.names.en, *diagnosis.names.zh):
            by_name[_as_name(name)].add(diagnosis.id)
    for entry, name in more:
        by_name[_as_name(name)].add(entry[PREFIX:])
    return by_name


def _as_name(text: str) -> str:
    """Text as names are compared: short ones in their case ("AS" is no "as")."""
    seen = view(text).text.strip()
    return seen if len(seen) <= SHORT else seen.lower()


def _joined(names: Lexicon, unread: Set[str], more: Lexicon) -> Lexicon:
    """One lexicon of `names` but those of the entries `unread`, and `more`: the longest wins among them all."""
    joined = {
        stem: [line for line in lines if line.partition("\t")[0] not in unread]
        for stem, lines in names.compiled.items()
    }
    for stem, lines in more.compiled.items():
        joined.setdefault(stem, []).extend(lines)
    return Lexicon(joined)


def _reach(mention: Mention, mentions: Iterable[Mention], text: str) -> Span:
    """From the mention's clause on to the next thing named behind a mark: of "HTN, pneumonia, resolved" one is over."""
    start = max((mark.end() for mark in _MARK.finditer(text, 0, mention.span.start)), default=0)
    mark = _MARK.search(text, mention.span.end)
    behind = (other.span.start for other in mentions if mark and other.span.start >= mark.end())
    return Span(start=start, end=min(behind, default=len(text)))


def _moved(mention: Mention, text: str, turned: str) -> Mention:
    """The mention with a span over the whole inverted part, which `text` begins with."""
    end = len(text) - (len(turned) - mention.span.end) if mention.span.end > 0 else len(text)
    return Mention(mention.about, mention.entry, Span(start=0, end=max(1, end)), mention.assertion, mention.via)


def _rank(how: Assertion) -> int:
    return _ORDER.index(how) if how in _ORDER else len(_ORDER)


def _ways(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from written_ways(str(name))


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Any of the phrases, English ones as whole words."""
    said = (
        rf"\b{re.escape(p)}\b" if p.isascii() else re.escape(p)
        for p in sorted(map(str, phrases), key=len, reverse=True)
    )
    return re.compile("|".join(said), re.IGNORECASE)
