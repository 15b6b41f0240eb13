"""A note cut into sentences, each under its heading.

Rules on spaCy tokens: a line break before a heading, a bullet or a new sentence ends a sentence, as do full stops that
are no abbreviation's. Knows layout and headings; the words between them are others' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from spacy.language import Language
from spacy.tokens import Doc, Span, Token


class Section(StrEnum):
    """What a heading says of the sentences under it."""

    CURRENT = "current"
    PAST = "past"
    FAMILY = "family"
    ALLERGIES = "allergies"
    MEDICATIONS = "medications"
    SOCIAL = "social"
    EXAMINATION = "examination"
    RESULTS = "results"
    ASSESSMENT = "assessment"
    PLAN = "plan"


_HEADINGS = {
    Section.PAST: r"(?:past )?(?:medical|surgical|psychiatric|obstetric(?:al)?) history|past history|pmhx?|psh|p\.m\.h\.?"
    r"|previous history|past medical and surgical history|既往史|既往病史|手术史|过去史|个人病史|past illnesses|background"
    r"|co-?morbidities|past medical problems|(?:(?:past|previous|prior) )?(?:surgeries|operations)|childhood illnesses",
    Section.FAMILY: r"family (?:medical )?history|fhx?|family hx|家族史",
    Section.ALLERGIES: r"allerg(?:y|ies)|drug allergies|过敏史|药物过敏",
    Section.MEDICATIONS: r"(?:current |home |discharge )?medications?|meds|drug history|用药|用药史|目前用药",
    Section.SOCIAL: r"social (?:medical )?history|shx?|social hx|个人史|社会史|habits",
    Section.EXAMINATION: r"(?:physical )?exam(?:ination)?(?: findings)?|o/e|(?<!\d[.)] )pe|vitals?(?: signs)?(?: reviewed)?|objective"
    r"|体格检查|查体|体检",
    Section.RESULTS: r"results?|labs?|laborator(?:y|ies)(?: data| results)?|imaging|investigations|辅助检查|实验室检查|检查结果"
    r"|ecg|ekg|radiology|findings",
    Section.ASSESSMENT: r"(?:assessment|impression|diagnos[ie]s|final diagnosis|assessment (?:and|&|/) plan|a/p|诊断|初步诊断"
    r"|印象|discharge diagnos[ie]s)",
    Section.PLAN: r"plan|recommendations?|follow.?up|disposition|instructions?|discharge instructions|治疗计划|计划|处理|医嘱",
    Section.CURRENT: r"(?:chief )?complaints?|cc|c/c|hpi|history of (?:the )?present(?:ing)? illness|present illness|history"
    r"|presenting complaint|subjective|reason for visit|review of systems|ros|主诉|现病史|问诊|症状|interval history|presenting"
    r"|hospital course|病程记录|clinical course|narrative|history of presenting complaint|h&p"
    r"|clinical (?:history|information|indication)|(?:reason|indications?) for (?:study|examination)|indications?",
}
_NAMES = "|".join(f"(?P<{s.name}>{p})" for s, p in _HEADINGS.items())
_HEADING = re.compile(
    rf"(?:^[ \t]*[#*•\-–\d.)]*[ \t]*|(?P<inline>(?<=[.;。；][ ])|(?<=[;。；])))(?:{_NAMES})"
    r"[ \t]*(?P<end>[:：]|(?(inline)(?!)|(?:-|(?=\n))))",
    re.IGNORECASE | re.MULTILINE,
)
"""A heading begins a line, or follows a full stop and ends with a colon ("PMH: gout. FH: nil.")."""
_NEW_LINE = re.compile(r"\n\s*")
_BULLET = re.compile(r"^\s*(?:[-*•–·]|\(?\d{1,2}[.)、]|[a-z][.)])\s")
_NOT_AN_END = frozenset("dr mr mrs ms prof vs st approx no e.g i.e etc resp temp hr min max pt pts dx hx tx".split())
_ENDS = frozenset(".!?。！？;；")


LONGEST = 600
"""Tokens after which a sentence ends in any case: a page without a full stop must not cost its square."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and the section it stands in."""

    span: Span
    section: Section
    heading_end: int = 0
    """Character offset up to which the sentence is its heading ("PE:" names an examination, no embolism)."""

    @property
    def start(self) -> int:
        """Character offset of the first character in the document's text."""
        return self.span.start_char

    @property
    def end(self) -> int:
        return self.span.end_char


def sentences(text: str, nlp: Language) -> Iterator[Sentence]:
    """Cuts `text`; every non-blank token lies in exactly one sentence."""
    doc = nlp.make_doc(text)
    headings = _headings(text)
    position, heading_end = 0, 0
    section = Section.CURRENT
    for start, end in _bounds(doc, text):
        while position < len(headings) and headings[position][0] < doc[end - 1].idx + len(doc[end - 1]):
            _, heading_end, section = headings[position]
            position += 1
        yield Sentence(doc[start:end], section, heading_end)


def _headings(text: str) -> list[tuple[int, int, Section]]:
    """Where each heading starts and ends, and what it says; one within a line speaks for the rest of that line."""
    found: list[tuple[int, int, Section]] = []
    of_lines, back_at = Section.CURRENT, 0
    for match in _HEADING.finditer(text):
        section = Section[next(s.name for s in Section if match[s.name])]
        if back_at and match.start() >= back_at:
            found.append((back_at, back_at, of_lines))
            back_at = 0
        if match["inline"] is None:
            of_lines = section
        elif not back_at:
            line_break = _NEW_LINE.search(text, match.end())
            back_at = line_break.end() if line_break else len(text)
        found.append((match.start(), match.end(), section))
    return [*found, (back_at, back_at, of_lines)] if back_at else found


def _bounds(doc: Doc, text: str) -> Iterator[tuple[int, int]]:
    start = begin = 0  # of the sentence: its first token, a character before which it does not begin
    for index, token in enumerate(doc):
        said = token.text
        may_end = said[0] in _ENDS or "\n" in said
        if index - start >= LONGEST or (may_end and _ends_sentence(doc, token, start, text)):
            end = token.idx + len(said)
            if not text[begin:end].isspace():
                yield start, index + 1
            start, begin = index + 1, end
    if start < len(doc) and not text[begin:].isspace():
        yield start, len(doc)


def _ends_sentence(doc: Doc, token: Token, start: int, text: str) -> bool:
    """Of a token that may: a line break, or a mark that ends sentences."""
    index = token.i
    if "\n" in token.text:
        return _line_break_ends(text, token.idx)
    if token.text == "?":
        return not _is_a_query(token, start, text)
    if token.text != ".":
        return True
    previous = doc[index - 1].lower_ if index else ""
    return previous not in _NOT_AN_END and (
        index + 1 == len(doc) or bool(token.whitespace_) or "\n" in doc[index + 1].text
    )


def _is_a_query(token: Token, start: int, text: str) -> bool:
    """ "?PE" and, at the start of a sentence, "? PE" ask of what follows."""
    before, after = text[max(0, token.idx - 1) : token.idx], text[token.idx + 1 : token.idx + 2]
    return (not before or before in " \n\t(/:,") and after not in "\n?" and (token.i == start or not after.isspace())


def _line_break_ends(text: str, at: int) -> bool:
    """A break inside a wrapped sentence does not end it: the next line goes on in lower case and is no bullet."""
    after = text[at : at + 200]
    stripped = after.lstrip(" \t\n")
    if not stripped or after[: len(after) - len(stripped)].count("\n") > 1:
        return True
    line_before = text[max(0, at - 200) : at].rsplit("\n", 1)[-1].rstrip()
    wrapped = len(line_before) > 60 and stripped[0].islower() and line_before[-1:] not in ".:;!?"
    return not wrapped or bool(_BULLET.match(stripped)) or bool(_HEADING.match(stripped))
