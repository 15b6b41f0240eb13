"""FHIR resources of any mix -> one patient's Chart. The way in for serving (prefetch, FHIR server) and for training.

Knows the order of the work: select what may be read, read the documents newest first, then facts, problems and the
patient. Does not fetch, does not interpret text. Nothing in a resource raises here: what cannot be used is counted in
`Chart.unread` with a fixed word, and one bad field never loses a resource, one bad resource never the chart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from nlp_core.attachments import BinaryContent
from nlp_core.chart import Chart, Fact, Problem, Setting, Unread
from nlp_core.fhir_authors import Roles
from nlp_core.fhir_binaries import AttachmentReference, Binaries, to_fetch
from nlp_core.fhir_document_text import Reading, document_text
from nlp_core.fhir_documents import Document, document_of, has_words
from nlp_core.fhir_facts import facts_of
from nlp_core.fhir_fields import resource_type
from nlp_core.fhir_patient import Person, person_of
from nlp_core.fhir_problems import problem_of
from nlp_core.fhir_selection import DOCUMENTS, Selection, select
from nlp_core.newest_first import newest_first
from nlp_core.note import Note
from nlp_core.setting import setting_of_encounters
from nlp_core.unreadable import Unreadable

__all__ = ["AttachmentReference", "BinaryContent", "attachment_urls", "chart_from_resources", "select_chart"]

Tally = Counter[tuple[str, str]]
"""(what, reason) -> how many: Chart.unread in the making."""
DatedT = TypeVar("DatedT", Fact, Problem)


def chart_from_resources(
    resources: Iterable[Mapping[str, Any]],
    *,
    patient_id: str,
    as_of: datetime,
    binaries: Mapping[str, BinaryContent] = MappingProxyType({}),
    base_url: str = "",
    allow_restricted: bool = False,
    keep_superseded: bool = False,
    max_resources: int = 20_000,
    max_notes: int = 500,
    max_note_bytes: int = 1_000_000,
    max_total_characters: int = 20_000_000,
    max_facts: int = 5_000,
    max_problems: int = 1_000,
) -> Chart:
    """Everything usable about one patient in `resources`: plain FHIR JSON objects and Bundles in any mix and order.

    `binaries`: attachment URL, as the chart writes it -> content. `base_url`: the FHIR server the resources come from;
    absolute references elsewhere then count as another patient's. `keep_superseded` is for training, where an export
    marks all but the last note so. Limits keep the newest and count the rest `over-limit`.

    Notes: newest first, then those dated after `as_of`, then undated ones; each text once.
    Raises ValueError for an empty `patient_id`; never for anything in `resources`.
    """
    return select_chart(
        resources,
        patient_id=patient_id,
        as_of=as_of,
        base_url=base_url,
        allow_restricted=allow_restricted,
        keep_superseded=keep_superseded,
        max_resources=max_resources,
    ).chart(
        binaries,
        max_notes=max_notes,
        max_note_bytes=max_note_bytes,
        max_total_characters=max_total_characters,
        max_facts=max_facts,
        max_problems=max_problems,
    )


def attachment_urls(
    resources: Iterable[Mapping[str, Any]],
    *,
    patient_id: str,
    as_of: datetime | None = None,
    base_url: str = "",
    allow_restricted: bool = False,
    keep_superseded: bool = False,
    max_resources: int = 20_000,
    max_notes: int = 500,
    max_note_bytes: int = 1_000_000,
) -> list[AttachmentReference]:
    """What the caller must fetch so that `chart_from_resources` can read it: at most one attachment for each document.

    Only documents of this patient that would be read, newest first, and only those whose preferred text is behind a
    URL (no `data`, no Binary at hand, not declared larger than `max_note_bytes`). URLs are as the chart writes them:
    whether one may be fetched is the caller's decision.
    """
    return select_chart(
        resources,
        patient_id=patient_id,
        as_of=as_of or datetime.now(UTC),
        base_url=base_url,
        allow_restricted=allow_restricted,
        keep_superseded=keep_superseded,
        max_resources=max_resources,
    ).attachment_urls(max_notes=max_notes, max_note_bytes=max_note_bytes)


def select_chart(
    resources: Iterable[Mapping[str, Any]],
    *,
    patient_id: str,
    as_of: datetime,
    base_url: str = "",
    allow_restricted: bool = False,
    keep_superseded: bool = False,
    max_resources: int = 20_000,
) -> SelectedChart:
    """The first half of both of the above, for a caller that needs both."""
    selection = select(
        resources,
        patient_id=patient_id,
        base_url=base_url,
        allow_restricted=allow_restricted,
        keep_superseded=keep_superseded,
        max_resources=max_resources,
    )
    as_of = _aware(as_of)
    return SelectedChart(selection, newest_first(_documents(selection), as_of), as_of, allow_restricted)


@dataclass(frozen=True)
class SelectedChart:
    """A chart whose resources are selected and whose documents are in order, but not read yet."""

    selection: Selection
    documents: list[Document]
    as_of: datetime
    allow_restricted: bool

    def attachment_urls(self, *, max_notes: int = 500, max_note_bytes: int = 1_000_000) -> list[AttachmentReference]:
        """See the function of this name."""
        found = (to_fetch(document, self._store({}, max_note_bytes)) for document in self.documents)
        return [entry for entry in found if entry is not None and (entry.size or 0) <= max_note_bytes][:max_notes]

    def chart(
        self,
        binaries: Mapping[str, BinaryContent],
        *,
        max_notes: int = 500,
        max_note_bytes: int = 1_000_000,
        max_total_characters: int = 20_000_000,
        max_facts: int = 5_000,
        max_problems: int = 1_000,
    ) -> Chart:
        """See `chart_from_resources`."""
        unread = self.selection.unread.copy()
        reading = Reading(self._store(binaries, max_note_bytes).behind, max_note_bytes, self.allow_restricted)
        facts, problems = _facts_and_problems(self.selection, unread)
        return Chart(
            as_of=self.as_of,
            **asdict(_person(self.selection, self.as_of)),
            setting=_setting(self.selection, self.as_of),
            notes=tuple(_notes(self.documents, reading, max_notes, max_total_characters, unread)),
            facts=tuple(_limited(facts, self.as_of, max_facts, unread)),
            problems=tuple(_limited(problems, self.as_of, max_problems, unread)),
            unread=_counted(unread),
        )

    def _store(self, binaries: Mapping[str, BinaryContent], max_bytes: int) -> Binaries:
        return Binaries(binaries, self.selection, max_bytes=max_bytes, allow_restricted=self.allow_restricted)


def _documents(selection: Selection) -> list[Document]:
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


def _notes(
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


def _facts_and_problems(selection: Selection, unread: Tally) -> tuple[list[Fact], list[Problem]]:
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


def _person(selection: Selection, as_of: datetime) -> Person:
    patients = [resource for resource in selection.resources if resource_type(resource) == "Patient"]
    return person_of(patients[0], as_of) if patients else Person()


def _setting(selection: Selection, as_of: datetime) -> Setting | None:
    encounters = (entry for entry in selection.resources if resource_type(entry) == "Encounter")
    return setting_of_encounters(encounters, as_of)


def _limited(found: Iterable[DatedT], as_of: datetime, most: int, unread: Tally) -> list[DatedT]:
    """The newest `most` in order; the rest is counted."""
    ordered = newest_first(found, as_of)
    for entry in ordered[most:]:
        unread[entry.reference.partition("/")[0], "over-limit"] += 1
    return ordered[:most]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _counted(unread: Tally) -> tuple[Unread, ...]:
    counts = sorted(unread.items())
    return tuple(Unread(what=what, reason=reason, count=count) for (what, reason), count in counts if count > 0)
