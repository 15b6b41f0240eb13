"""FHIR resources of any mix -> one patient's Chart. The way in for serving (prefetch, FHIR server) and for training.

Knows the order of the work: select what may be read, read the documents newest first, then facts, problems and the
patient. Does not fetch, does not interpret text. Nothing in a resource raises here: what cannot be used is counted in
`Chart.unread` with a fixed word, and one bad field never loses a resource, one bad resource never the chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from nlp_core.attachments import BinaryContent
from nlp_core.chart import Chart, Fact, Problem
from nlp_core.fhir_binaries import AttachmentReference, Binaries, to_fetch
from nlp_core.fhir_document_text import Reading
from nlp_core.fhir_documents import Document
from nlp_core.fhir_fields import Json, resource_type
from nlp_core.fhir_patient import Person, person_of
from nlp_core.fhir_reading import Tally, counted, documents_of, facts_and_problems, notes_of
from nlp_core.fhir_selection import Selection, select
from nlp_core.newest_first import newest_first
from nlp_core.read_chart import ReadChart, of_encounter, ordered_until
from nlp_core.setting import setting_of_encounters

__all__ = ["AttachmentReference", "BinaryContent", "attachment_urls", "chart_from_resources", "select_chart"]

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
    read = select_chart(
        resources,
        patient_id=patient_id,
        as_of=as_of,
        base_url=base_url,
        allow_restricted=allow_restricted,
        keep_superseded=keep_superseded,
        max_resources=max_resources,
    ).read(
        binaries,
        max_notes=max_notes,
        max_note_bytes=max_note_bytes,
        max_total_characters=max_total_characters,
        max_facts=max_facts,
        max_problems=max_problems,
    )
    return read.chart


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
    return SelectedChart(selection, newest_first(documents_of(selection), as_of), as_of, allow_restricted)


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

    def read(
        self,
        binaries: Mapping[str, BinaryContent],
        *,
        max_notes: int = 500,
        max_note_bytes: int = 1_000_000,
        max_total_characters: int = 20_000_000,
        max_facts: int = 5_000,
        max_problems: int = 1_000,
    ) -> ReadChart:
        """The chart, so that it can be told for a later moment too. See `chart_from_resources`."""
        as_of, unread = self.as_of, self.selection.unread.copy()
        reading = Reading(self._store(binaries, max_note_bytes).behind, max_note_bytes, self.allow_restricted)
        facts, problems = facts_and_problems(self.selection, unread)
        patient = next(self._of_type("Patient"), None)
        encounters = tuple(map(of_encounter, self._of_type("Encounter")))
        chart = Chart(
            as_of=as_of,
            **asdict(person_of(patient, as_of) if patient else Person()),
            setting=setting_of_encounters(encounters, as_of),
            notes=tuple(notes_of(self.documents, reading, max_notes, max_total_characters, unread)),
            facts=tuple(_limited(facts, as_of, max_facts, unread)),
            problems=tuple(_limited(problems, as_of, max_problems, unread)),
            unread=counted(unread),
        )
        birth_date = patient.get("birthDate") if patient else None
        return ReadChart(chart, birth_date, encounters, ordered_until((*self.documents, *facts, *problems), as_of))

    def _of_type(self, kind: str) -> Iterator[Json]:
        return (resource for resource in self.selection.resources if resource_type(resource) == kind)

    def _store(self, binaries: Mapping[str, BinaryContent], max_bytes: int) -> Binaries:
        return Binaries(binaries, self.selection, max_bytes=max_bytes, allow_restricted=self.allow_restricted)


def _limited(found: Iterable[DatedT], as_of: datetime, most: int, unread: Tally) -> list[DatedT]:
    """The newest `most` in order; the rest is counted."""
    ordered = newest_first(found, as_of)
    for entry in ordered[most:]:
        unread[entry.reference.partition("/")[0], "over-limit"] += 1
    return ordered[:most]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
