"""One resource on its way: whose it is, what has been found in it, and the tallies of the part it belongs to.

Knows nothing of FHIR's elements; training.deidentify.coded_fields fills it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from training.deidentify.kinds import Kind
from training.deidentify.notes import Cleaned, NoteCleaner, Person
from training.deidentify.surrogates import Surrogates


@dataclass(slots=True)
class Tally:
    """Counts of a part of the export; nothing in it is a patient's."""

    found: Counter[str] = field(default_factory=Counter)
    """Identifiers replaced or left out, by kind."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Elements that the allow-list does not name or that hold what they should not, by where."""
    resources: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    text_bytes: int = 0
    without_patient: int = 0
    """Texts of nobody in the export: only patterns speak for them."""

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        counters = {"found": self.found, "left_out": self.left_out, "resources": self.resources}
        numbers = {"texts": self.texts, "text_bytes": self.text_bytes, "without_patient": self.without_patient}
        return {**{name: dict(counter) for name, counter in counters.items()}, **numbers}


@dataclass(slots=True)
class Workshop:
    """What every resource needs: made once per process."""

    surrogates: Surrogates
    cleaner: NoteCleaner
    person_of: Callable[[str], Person]
    owner_of: Callable[[dict[str, Any]], str]
    shifting: bool
    as_of: date


@dataclass(slots=True)
class Visit:
    """The state of one resource."""

    workshop: Workshop
    tally: Tally
    owner: str
    """`Patient/<id>`, or the resource's own reference where it is no patient's."""
    resource: dict[str, Any]
    number: int = 0
    spans: list[dict[str, Any]] = field(default_factory=list)
    inner: list[Visit] = field(default_factory=list)
    """The resources of a Bundle."""
    texts: list[str] = field(default_factory=list)
    """The free words that leave with it: what the leak test reads for names."""
    _person: Person | None = None
    _shift: int | None = None

    def person(self) -> Person:
        """Loaded when the first words are read: most resources have none."""
        if self._person is None:
            self._person = self.workshop.person_of(self.owner)
        return self._person

    def shift(self) -> int | None:
        if self._shift is None and self.workshop.shifting:
            self._shift = self.workshop.surrogates.shift(self.owner)
        return self._shift

    def clean(self, text: str, element: str) -> str:
        """Free words without identifiers; the spans are kept under the element's name."""
        person = self.person()
        cleaned = self.workshop.cleaner.clean(text, person)
        self._count(text, cleaned, person)
        if cleaned.moved:
            self.spans.append(
                {
                    "element": element,
                    "number": self.number,
                    "moved": [
                        [one.start, one.end, one.new_start, one.new_end, one.kind.value] for one in cleaned.moved
                    ],
                }
            )
        self.number += 1
        self.texts.append(cleaned.text)
        return cleaned.text

    def _count(self, text: str, cleaned: Cleaned, person: Person) -> None:
        self.tally.texts += 1
        self.tally.text_bytes += len(text)
        self.tally.without_patient += not person.scope
        self.tally.found.update(one.kind.value for one in cleaned.moved)

    def replaced(self, kind: Kind) -> None:
        self.tally.found[kind.value] += 1

    def leave_out(self, where: str) -> None:
        self.tally.left_out[where] += 1
