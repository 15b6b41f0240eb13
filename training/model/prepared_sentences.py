"""Sentences of a hospital's own notes, as `dxspan-train prepare` left them, beside those of invented charts.

Input : PREPARED/train.jsonl, streamed again and again
Output: SentenceExample, its spans the weak labels; sentences with blotted words are left out, so no blot is learned
Knows which sentences teach; a line that cannot be read costs that line alone. Weak labels say what the knowledge's reader sees: they teach the encoder how this hospital writes
around findings it already knows, not findings that nobody knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from nlp_core.knowledge import Knowledge
from nlp_core.words import blank_pipeline
from training.model.sentence_batches import SentenceExample, cut_note
from training.prepare.prepared_note import PreparedNote, WeakSpan
from training.site.prepared_folders import BadLine, lines_of
from training.synthetic_charts.gold import GoldSentence, GoldSpan

TRAIN = "train.jsonl"
LONGEST = 1_000
"""Characters of a sentence that is trained on: what is longer is a table or a list."""


class PreparedSentences:
    """One prepared folder."""

    def __init__(self, folder: Path, knowledge: Knowledge) -> None:
        """Reads every line once: bad ones are known before anything is trained.

        Raises ValueError for a folder without prepared notes, or with none that has a sentence to learn from.
        """
        self._path = folder / TRAIN
        if not self._path.is_file() or not self._path.stat().st_size:
            raise ValueError(f"{folder} holds no {TRAIN}: `dxspan-train prepare` writes it")
        self._entries = {*knowledge.findings, *(f"d:{diagnosis}" for diagnosis in knowledge.diagnoses)}
        self._nlp = blank_pipeline()
        self.notes, self.bad = 0, list[BadLine]()
        for line in tqdm(lines_of(self._path), desc=self._path.name, unit="note", disable=None):
            if isinstance(line, BadLine):
                self.bad.append(line)
            else:
                self.notes += 1
        if next(self._once(), None) is None:
            first = f"; the first fault is in {self.bad[0]}" if self.bad else ""
            raise ValueError(f"{self._path} holds no sentence to learn from{first}")

    @property
    def fingerprint(self) -> str:
        """Of the bytes: another set of notes is another run."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def stream(self) -> Iterator[SentenceExample]:
        """For ever, in the order of the file."""
        while True:
            yield from self._once()

    def _once(self) -> Iterator[SentenceExample]:
        for line in lines_of(self._path):
            if not isinstance(line, BadLine):
                yield from self._sentences(line)

    def _sentences(self, note: PreparedNote) -> Iterator[SentenceExample]:
        told = [GoldSentence(one.start, one.end, one.telling) for one in note.sentences]
        blotted = [(one.start, one.end) for one in note.blotted]
        for start, end, example in cut_note(note.text, list(self._apart(note.spans)), told, self._nlp):
            hidden = any(start < last and first < end for first, last in blotted)
            if not hidden and 0 < len(example.text) <= LONGEST:
                yield example

    def _apart(self, spans: tuple[WeakSpan, ...]) -> Iterator[GoldSpan]:
        """The longest of those that overlap, a finding before a diagnosis: a token has one label."""
        known = (span for span in spans if span.entry in self._entries)
        taken: list[GoldSpan] = []
        for span in sorted(known, key=lambda one: (one.start - one.end, one.entry.startswith("d:"), one.start)):
            if all(span.end <= one.start or one.end <= span.start for one in taken):
                taken.append(GoldSpan(span.start, span.end, span.entry, span.assertion))
        yield from sorted(taken, key=lambda one: one.start)
