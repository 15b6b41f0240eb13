"""Which notes of a chart are read together, and which are begun at all before a deadline.

Input : notes, newest first, and the time at which nothing further may be begun
Output: groups of them, each asked for when those before it have been read
Sentences of one length share a run of the encoder, wherever they stand: several notes at once read faster than one by one, to
the same last bit (docs/encoders.md, docs/decisions/0028-notes-read-together.md). Knows lengths and the clock, not what reading is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp_core.chart import MAX_CHARACTERS
from nlp_core.note import Note

TOGETHER = 10_000
"""Characters that are read together at most: some seven tenths of a second on one core, after which whoever must give way can."""
SLOWER = 1.25
"""Notes may take this much longer than the pace of those before them says."""
FORGETS = 0.9
"""Of the slowest pace lately, how much still holds a group later: a chart whose sentences were remembered reads ten times as fast
as the next one may."""


@dataclass(frozen=True, slots=True)
class NoteToRead:
    """A note and the beginning of its text, at most MAX_CHARACTERS."""

    note: Note
    text: str

    @property
    def cut(self) -> bool:
        return len(self.text) < len(self.note.text)


class NoteGroups:
    """Groups the notes of charts by the pace at which they are read; one per process, used from any thread."""

    def __init__(self) -> None:
        self._lately: float | None = None
        """Seconds a character took where charts were read slowest lately; None before the first."""

    def of(self, notes: Sequence[Note], deadline: float | None) -> Iterator[list[NoteToRead]]:
        """Groups of the first notes, in order, until MAX_CHARACTERS are given out.

        deadline: `time.monotonic()` seconds; a note is given out only where it will likely be read by then, the newest always.
        Whoever takes a group reads it before asking for the next.
        """
        begun = time.monotonic()
        given = at = 0
        while at < len(notes) and given < MAX_CHARACTERS:
            now = time.monotonic()
            pace = (now - begun) / max(given, 1) if at else self._lately
            room = None if deadline is None else 0.0 if pace is None else (deadline - now) / (SLOWER * max(pace, 1e-9))
            group = _first(notes[at:], MAX_CHARACTERS - given, room, begin=not at)
            if not group:
                return
            yield group
            at += len(group)
            given += sum(len(one.text) for one in group)
            self._learn((time.monotonic() - begun) / max(given, 1))

    def _learn(self, pace: float) -> None:
        self._lately = max(pace, FORGETS * (self._lately or 0.0))


def _first(notes: Sequence[Note], left: int, room: float | None, *, begin: bool) -> list[NoteToRead]:
    """The notes to read next. left: characters that may still be read. room: characters that can be read in time, None = any
    number. begin: the first note is given out whether there is room or not."""
    group: list[NoteToRead] = []
    length = 0
    for note in notes:
        one = NoteToRead(note, note.text[:MAX_CHARACTERS])
        needed = length + len(one.text)
        if group and (needed > TOGETHER or length >= left):
            break
        if room is not None and needed > room and not (begin and not group):
            break
        group.append(one)
        length = needed
    return group
