"""Selected FHIR resources -> documents, notes, facts and problems, each as far as it can be read.

Input: a Selection. Output: parts of a chart; what cannot be used is counted in a Tally with a fixed word. One bad field never
loses a resource, one bad resource never the chart. Knows no clock and no order (fhir_notes).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from nlp_core.chart import Fact, Problem, Unread
from nlp_core.fhir_authors import Roles
from nlp_core.fhir_document_text import Reading, document_text
from nlp_core.fhir_documents import Document, document_of, has_words
from nlp_core.fhir_facts import facts_of
from nlp_core.fhir_fields import resource_type
from nlp_core.fhir_problems import problem_of
from nlp_core.fhir_selection import DOCUMENTS, Selection
from nlp_core.note import Note
from nlp_core.unreadable import Unreadable

Tally = Counter[tuple[str, str]]
"""(what, reason) -> how many: Chart.unread in the making."""


def documents_of(selection: Selection) -> list[Document]:
    """The documents that hold words, before any of their text is read."""
    roles = Roles(selection.directory, selection.references)
    found = []
    for resource in selection.resources:
        if resource_type(resource) in DOCUMENTS:
            try:
                document = document_of(resource, roles)
            except Exception:  # the safety net behind lenient reading: one bad resource, counted, never the chart
                selection.unread[resource_type(resource), "malformed"] += 1
                continue
            if has_words(document):
                found.append(document)
    return found


def notes_of(
    documents: Iterable[Document], reading: Reading, max_notes: int, max_characters: int, unread: Tally
) -> Iterable[Note]:
    """The notes in the documents' order. Only what gives a note counts towards the limits: not a PDF, not a copy."""
    seen: set[str] = set()
    room = max_characters
    for document in documents:
        what = resource_type(document.resource)
        if len(seen) >= max_notes:
            unread[what, "over-limit"] += 1
            continue
        try:
            text = document_text(document, reading)
        except Unreadable as cause:
            unread[what, cause.reason] += 1
            continue
        except Exception:  # a fault in a parser for markup must not lose the chart; counted
            unread[what, "malformed"] += 1
            continue
        if text in seen:
            continue
        if len(text) > room:
            unread[what, "over-limit"] += 1
            continue
        seen.add(text)
        room -= len(text)
        yield Note(
            reference=document.reference,
            text=text,
            kind=document.kind,
            author_role=document.author_role,
            date=document.date,
        )


def facts_and_problems(selection: Selection, unread: Tally) -> tuple[list[Fact], list[Problem]]:
    """All of them, in the order of the resources."""
    facts: list[Fact] = []
    problems: list[Problem] = []
    for resource in selection.resources:
        kind = resource_type(resource)
        try:
            if kind == "Condition":
                problems.append(problem_of(resource))
            else:
                facts.extend(facts_of(resource, selection.directory, selection.references))
        except Unreadable as cause:
            unread[kind, cause.reason] += 1
        except Exception:  # the safety net behind lenient reading: one bad resource, counted, never the chart
            unread[kind, "malformed"] += 1
    return facts, problems


def counted(unread: Tally) -> tuple[Unread, ...]:
    """The tally as a chart has it."""
    counts = sorted(unread.items())
    return tuple(Unread(what=what, reason=reason, count=count) for (what, reason), count in counts if count > 0)
