"""A tiny deterministic reader: it does to a note what the note says, so that tests can time and break readings.

Obeys the same contract as nlp_core.assess.Reader: newest notes first, stops at the deadline, counts what it left.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

from nlp_core.answers import Answer
from nlp_core.assessment import Assessment, Candidate, Evidence, PartlyRead, Words
from nlp_core.chart import Chart
from nlp_core.device_faults import DeviceHealth
from nlp_core.note import Note, Span

MODEL_VERSION = "plain+000000000000"


class PlainReader:
    """`takes 300 ms` in a note makes it slow, `fails` makes reading raise with the note's text, `kills` ends the process
    as the kernel would, `eats memory` asks for more of it until there is none, `loses its GPU` has the GPU lost and the
    note read all the same, `breaks the encoder` has it read by names alone, `touches PATH` leaves a mark in the file system before the note is read."""

    def __init__(self, model_version: str = MODEL_VERSION) -> None:
        self.model_version = model_version
        self.readings = 0
        self.device = DeviceHealth()

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        self.readings += 1
        read: list[Note] = []
        for note in chart.notes:
            if not self._read(note, deadline):
                break
            read.append(note)
        return Assessment(
            language="en",
            candidates=tuple(_candidate(note) for note in read[:1]),
            notes_read=len(read),
            notes_unread=len(chart.notes) - len(read),
            partly_read=tuple(
                PartlyRead(reference=note.reference, why="model") for note in read if "breaks the encoder" in note.text
            ),
            model_version=self.model_version,
            knowledge_version="plain",
        )

    def answer(self, question: str, chart: Chart, *, deadline: float | None = None) -> Answer:
        """The first note that holds the question's words; costs what the notes say."""
        read = 0
        for note in chart.notes:
            if not self._read(note, deadline):
                break
            read += 1
            start = note.text.find(question)
            if start >= 0:
                span = Span(start=start, end=start + len(question))
                return Answer(found_in="chart", quote=question, reference=note.reference, span=span)
        return Answer(found_in="nowhere", notes_read=read, notes_unread=len(chart.notes) - read)

    def _read(self, note: Note, deadline: float | None) -> bool:
        touched = re.search(r"touches (\S+)", note.text)
        if touched:
            with Path(touched.group(1)).open("a") as marks:
                marks.write("x")
        if "fails" in note.text:
            raise ValueError(f"cannot read {note.text}")
        if "loses its GPU" in note.text:
            self.device.faults["lost"] += 1
        if "kills" in note.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "eats memory" in note.text:
            eaten = []
            while True:
                eaten.append(bytes(2**28))  # promised by the kernel, never touched
        cost = sum(int(text) for text in re.findall(r"takes (\d+) ms", note.text)) / 1000
        if deadline is not None and time.monotonic() + cost > deadline:
            time.sleep(max(0.0, deadline - time.monotonic()))
            return False
        time.sleep(cost)
        return True


def _candidate(note: Note) -> Candidate:
    quote = note.text[:40]
    evidence = Evidence(
        finding="plain",
        names=Words(en="plain", zh="平"),
        present=True,
        share=1.0,
        reference=note.reference,
        span=Span(start=0, end=len(quote)),
        quote=quote,
    )
    return Candidate(
        diagnosis="plain",
        names=Words(en="plain", zh="平"),
        icd10cm="R69",
        probability=0.5,
        urgency="routine",
        evidence_for=(evidence,),
    )
