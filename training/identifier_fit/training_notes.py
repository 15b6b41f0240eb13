"""Notes to fit the identifier head on: marked notes written anew with other identifiers, and clinical words without any.

Input : files of marked notes, the project's own clinical texts     Output: texts with spans, as many as asked for
Knows the mark's format (training.measures.measure_deidentification) and where the project's texts lie; reads no evaluation text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from training.deidentify.kinds import Found
from training.identifier_fit.substitutes import Substitutes
from training.measures.planted_notes import marked_text, planted_notes

_HERE = Path(__file__).parent
_TRAINING = _HERE.parent
_TEXTS = ("case_texts/development.jsonl", "case_texts/hard.jsonl", "assertion_texts/development.jsonl")
_FRAMES_A_NOTE = (1, 2, 3, 4)
_RECASED = 0.16
_SAME = 0.1
"""Identifiers that stay: some names are words, and the words beside them tell."""
_TEMPTED = 1_500


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and its identifiers, in order."""

    text: str
    identifiers: tuple[Found, ...]


def written_anew(note: MarkedText, substitutes: Substitutes, drawn: random.Random) -> MarkedText:
    """The same note with other identifiers, now and then in capitals or small letters alone."""
    pieces: list[str] = []
    found: list[Found] = []
    at = size = 0
    said: dict[str, str] = {}
    for one in note.identifiers:
        old = note.text[one.start : one.end]
        new = said.setdefault(old, old if drawn.random() < _SAME else substitutes.of(old, one.kind))
        kept = note.text[at : one.start]
        pieces += (kept, new)
        start = size + len(kept)
        size = start + len(new)
        found.append(Found(start, size, one.kind))
        at = one.end
    return recased(MarkedText("".join((*pieces, note.text[at:])), tuple(found)), drawn)


def recased(text: MarkedText, drawn: random.Random) -> MarkedText:
    """Now and then in capitals or small letters alone."""
    if drawn.random() < _RECASED:
        changed = text.text.lower() if drawn.random() < 0.6 else text.text.upper()
        return MarkedText(changed, text.identifiers) if len(changed) == len(text.text) else text
    return text


def frames() -> list[MarkedText]:
    """The sentences of frames.txt."""
    return [MarkedText(*marked_text(line)) for line in _lines("frames.txt")]


def own_notes() -> list[MarkedText]:
    """The notes of marked_notes.txt."""
    return [MarkedText(note.text, note.identifiers) for note in planted_notes(_HERE / "marked_notes.txt")]


def _lines(name: str) -> list[str]:
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def plain_texts() -> list[str]:
    """Clinical words that name nobody: phrases of findings, cases and sentences of the project's own development sets."""
    texts = []
    for path in sorted((_TRAINING / "phrases").glob("*.jsonl")):
        for row in _rows(path):
            texts += [str(row.get("text", "")), ". ".join(row.get("en", ())), "，".join(row.get("zh", ()))]
    for name in _TEXTS:
        for row in _rows(_TRAINING / name):
            texts += [str(row[key]) for key in ("text", "en", "zh") if isinstance(row.get(key), str)]
    return texts


def mixed(plain: str, chosen: Sequence[MarkedText], drawn: random.Random) -> MarkedText:
    """Frames between the sentences of a plain text, as many as `chosen` has."""
    sentences = plain.replace("。", "。\0").replace(". ", ". \0").split("\0")
    places = sorted(drawn.randrange(len(sentences) + 1) for _ in chosen)
    text, found = "", []
    for at in range(len(sentences) + 1):
        for place, frame in zip(places, chosen, strict=True):
            if place == at:
                gap = drawn.choice(("", " ", "\n", "\n"))
                text += gap if text and not text[-1].isalnum() else " "
                found += [Found(one.start + len(text), one.end + len(text), one.kind) for one in frame.identifiers]
                text += frame.text + drawn.choice((" ", " ", "\n"))
        text += sentences[at] if at < len(sentences) else ""
    return MarkedText(text, tuple(found))


_TEMPTING = (
    "Started {brand} {dose} mg daily.", "{brand} {dose} mcg BD and {brand} PRN.", "On {brand}, {brand} and {brand}.",
    "Allergic to {brand}.", "Switched from {brand} to {brand}.", "{brand} held this morning.", "{eponym} sign negative.",
    "{eponym}'s disease, stable.", "{eponym}-{eponym} syndrome suspected.", "{eponym} score {dose}.", "{eponym} grade {dose} injury.",
    "{eponym} test positive, {eponym} negative.", "{eponym} procedure {dose} years ago.", "{eponym} catheter in situ.",
    "{brand} pump alarm silenced.", "{brand} stent deployed.", "{brand} dressing applied.", "{brand} G{dose} sensor.",
    "{eponym} fracture reduced.", "Modified {eponym} scale {dose}.", "{eponym} criteria met.", "Known {eponym}'s.",
    "{brand} cream to elbows.", "Uses a {brand} inhaler.", "MEDS: {brand}, {brand}", "Seen with {eponym} ulcer.",
    "给予{sound}片{dose}mg qd。", "口服{sound}胶囊，{sound}{dose}mg bid。", "{sound}征阴性。", "{sound}综合征待排。", "{sound}评分{dose}分。",
    "{sound}病史{dose}年。", "停用{sound}，改{sound}缓释片。", "{sound}试验阳性。",
)  # fmt: skip
"""Sentences with words of medicine that look like names: the word beside them tells."""


def tempting(substitutes: Substitutes, drawn: random.Random) -> MarkedText:
    """Some such sentences; half of the words are made up, so that the head learns the words beside them."""
    said = []
    for sentence in drawn.choices(_TEMPTING, k=drawn.choice((2, 4, 6))):
        text = sentence
        while "{" in text:
            for slot, make in (
                ("brand", substitutes.brand),
                ("eponym", substitutes.eponym),
                ("sound", substitutes.sound),
            ):
                text = text.replace(f"{{{slot}}}", make(), 1)
            text = text.replace("{dose}", str(drawn.randint(1, 80)))
        said.append(text)
    return MarkedText(" ".join(said), ())


def training_notes(marked: Sequence[MarkedText], copies: int, seed: int) -> Iterator[MarkedText]:
    """Each marked note as it is and `copies` times anew; as many notes of frames in plain texts; plain texts alone."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    substitutes = Substitutes(drawn)
    framed, plain = frames(), plain_texts()
    for note in marked:
        yield note
        for _ in range(copies):
            yield written_anew(note, substitutes, drawn)
    nobody = [MarkedText(line, ()) for line in _lines("nobody.txt")]
    for _ in range(copies):
        order = framed + nobody
        drawn.shuffle(order)
        while order:
            chosen = [
                written_anew(order.pop(), substitutes, drawn)
                for _ in range(min(len(order), drawn.choice(_FRAMES_A_NOTE)))
            ]
            chosen.append(tempting(substitutes, drawn))
            yield mixed(drawn.choice(plain)[:400], chosen, drawn)
    for _ in range(_TEMPTED):
        yield tempting(substitutes, drawn)
    for text in plain:
        if text:
            yield MarkedText(text, ())
        if drawn.random() < _RECASED:
            yield MarkedText(text.upper() if drawn.random() < 0.5 else text.lower(), ())


def _rows(path: Path) -> Iterator[dict[str, list[str]]]:
    for line in path.read_bytes().splitlines():
        yield orjson.loads(line)
