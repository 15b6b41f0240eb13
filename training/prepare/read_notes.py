"""One document of the index -> one prepared note, or the reason why it is none.

Knows the order: read the text as serving reads it (nlp_core.fhir_notes), join the codes, find names, blot out, label. Holds
one note at a time. Does not decide what is a duplicate (write_examples) and writes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from nlp_core.chart import Chart
from nlp_core.facts import FactReader
from nlp_core.fhir_fields import Json
from nlp_core.fhir_notes import chart_from_resources
from nlp_core.knowledge import Knowledge
from nlp_core.language import language_of
from nlp_core.lexicon_names import DIAGNOSIS
from nlp_core.mentions import Mention, MentionReader
from nlp_core.trust import distrust_of
from training.ndjson_rows import row_at
from training.prepare.blotting import Blotter, blotted, is_only_the_answer
from training.prepare.chart_index import ChartIndex, CodedCondition, Place, binaries_of
from training.prepare.join_codes import Joined, join
from training.prepare.prepared_note import (
    OLDEST,
    BlottedSpan,
    CodedDiagnosis,
    CodedFinding,
    PreparedNote,
    WeakSpan,
)
from training.prepare.splits import Splitter
from training.prepare.telling import told_sentences

Reason = Literal["other-language", "only-the-answer", "stuffed_text", "other_patient_text", "changed-file"]
_PARAGRAPH = re.compile(r"\n\s*\n")
_SHORTEST_PARAGRAPH = 40
"""Characters of a paragraph from which its copy is no coincidence."""


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A document that was read. `prepared` None: left out for `reason`, one of Reason or of Chart.unread."""

    prepared: PreparedNote | None
    reason: str = ""
    joined: Joined | None = None
    digest: bytes = b""
    """Of the text as it stands in the chart."""
    paragraphs: tuple[tuple[int, int], ...] = ()
    """(hash, characters) of each longer paragraph."""
    characters: int = 0


class NoteReader:
    """Reads documents by one knowledge; built once per process."""

    def __init__(
        self, knowledge: Knowledge, reader: MentionReader, folder: Path, splitter: Splitter, *,
        within_days: int, most_bytes: int, allow_restricted: bool,
    ) -> None:  # fmt: skip
        self._knowledge, self._reader, self._folder, self._splitter = knowledge, reader, folder, splitter
        self._within_days, self._most_bytes, self._allow_restricted = within_days, most_bytes, allow_restricted
        self._facts = FactReader(knowledge, reader)
        self._blotter = Blotter(knowledge)

    def read(self, document: Place, conditions: Sequence[CodedCondition], index: ChartIndex) -> ReadNote:
        """Nothing in a chart raises here."""
        try:
            chart = self._chart(document, index)
        except (OSError, ValueError):
            return ReadNote(None, "changed-file")
        if not chart.notes:
            reasons = [entry.reason for entry in chart.unread if entry.what == document.reference.partition("/")[0]]
            return ReadNote(None, reasons[0] if reasons else "not-available")
        text = chart.notes[0].text
        joined = join(document.encounter, document.date, conditions, within_days=self._within_days)
        seen = ReadNote(
            None, joined=joined, digest=hashlib.sha256(" ".join(text.split()).encode(errors="replace")).digest(),
            paragraphs=tuple(_paragraphs(text)), characters=len(text),
        )  # fmt: skip
        return self._prepared(document, chart, joined, seen)

    def _prepared(self, document: Place, chart: Chart, joined: Joined, seen: ReadNote) -> ReadNote:
        note = chart.notes[0]
        language = language_of(note.text)
        if language == "other":
            return _left(seen, "other-language")
        mentions, _ = self._reader.read(note.text, sex=chart.sex, age_years=chart.age_years)
        distrust = distrust_of(note.text, mentions)
        if distrust:
            return _left(seen, distrust)
        hidden = self._blotter.spans(note.text, set(joined.labels), joined.said, mentions)
        text = blotted(note.text, hidden)
        if is_only_the_answer(text):
            return _left(seen, "only-the-answer")
        spans = tuple(_weak_spans(mentions, hidden))
        prepared = PreparedNote(
            patient=self._splitter.mark("patient", document.patient),
            note=self._splitter.mark("note", document.reference),
            split=self._splitter.split_of(document.patient),
            language=language,
            kind=note.kind[:120],
            age_years=None if chart.age_years is None else min(int(chart.age_years), OLDEST),
            sex=chart.sex,
            setting=chart.setting,
            text=text,
            diagnoses=tuple(self._diagnoses(joined)),
            known=joined.known,
            blotted=hidden,
            spans=spans,
            sentences=tuple(told_sentences(text, spans, set(joined.labels), self._knowledge, self._reader.nlp)),
            coded_findings=tuple(self._coded(chart)),
        )
        return ReadNote(prepared, "", joined, seen.digest, seen.paragraphs, seen.characters)

    def _chart(self, document: Place, index: ChartIndex) -> Chart:
        resource = self._resource(document)
        binaries = [place for name in binaries_of(resource) if (place := index.place(name))]
        around = [self._resource(place) for place in (*index.around(document), *binaries)]
        return chart_from_resources(
            [resource, *around],
            patient_id=document.patient,
            as_of=document.date.moment if document.date else datetime.now(UTC),
            allow_restricted=self._allow_restricted,
            keep_superseded=True,
            max_note_bytes=self._most_bytes,
        )

    def _resource(self, place: Place) -> Json:
        return row_at(self._folder / place.file, place.offset, place.size)

    def _diagnoses(self, joined: Joined) -> Iterator[CodedDiagnosis]:
        for diagnosis, (label, how) in sorted(joined.labels.items()):
            code = self._knowledge.diagnoses[diagnosis].icd10cm
            yield CodedDiagnosis(id=diagnosis, icd10cm=code, listed=label.listed, via=label.via, joined=how)

    def _coded(self, chart: Chart) -> Iterator[CodedFinding]:
        answers: dict[str, bool] = {}
        for found in self._facts.findings(chart):
            answers[found.finding] = answers.get(found.finding, False) or found.present
        yield from (CodedFinding(finding=finding, present=present) for finding, present in sorted(answers.items()))


def _left(seen: ReadNote, reason: Reason) -> ReadNote:
    return ReadNote(None, reason, seen.joined, seen.digest, seen.paragraphs, seen.characters)


def _weak_spans(mentions: Iterable[Mention], hidden: Iterable[BlottedSpan]) -> Iterator[WeakSpan]:
    """In order, each once; nothing that is blotted out."""
    covered = [(span.start, span.end) for span in hidden]
    seen = set()
    for mention in sorted(mentions, key=lambda mention: (mention.span.start, mention.span.end)):
        start, end = mention.span.start, mention.span.end
        entry = f"{DIAGNOSIS}{mention.entry}" if mention.about == "diagnosis" else mention.entry
        if (start, end, entry) in seen or any(start < last and first < end for first, last in covered):
            continue
        seen.add((start, end, entry))
        yield WeakSpan(start=start, end=end, entry=entry, assertion=mention.assertion)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    for part in _PARAGRAPH.split(text):
        words = " ".join(part.split())
        if len(words) >= _SHORTEST_PARAGRAPH:
            digest = hashlib.sha256(words.encode(errors="replace")).digest()
            yield int.from_bytes(digest[:8]), len(words)
