"""What becomes of single values of a FHIR element: codes, dates, names, numbers. Each gives the value, or GONE.

Knows the primitive types. Nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from training.deidentify.ages import OLDEST
from training.deidentify.dates import moved_iso
from training.deidentify.kinds import Kind
from training.deidentify.surrogates import EVERYONE
from training.deidentify.visit import Visit
from training.deidentify.vocabulary import vocabulary

GONE: Final = object()
"""Nothing may leave."""
_CODE = re.compile(r"[A-Za-z0-9+/<>=!%*^_'{}\[\].:|#~&-]{1,64}")
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?")
_FEW_PEOPLE = frozenset("036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split())
"""First three digits of US postal codes shared by at most 20,000 people (census of 2000, as HHS lists them)."""
_YEARS = frozenset({"a", "year", "years", "yr", "yrs", "y", "岁", "歲"})
_REMEMBERED = 50_000
_codes_seen: set[str] = set()


def keep(value: Any, visit: Visit) -> Any:
    return code(value, visit) if isinstance(value, str) else value if isinstance(value, bool | int | float) else GONE


def code(value: Any, _: Visit) -> Any:
    """Codes are words without spaces; those seen before are not looked at again."""
    if value.__class__ is not str:
        return GONE
    if value in _codes_seen:
        return value
    if not _CODE.fullmatch(value):
        return GONE
    if len(_codes_seen) < _REMEMBERED:
        _codes_seen.add(value)
    return value


def text(where: str) -> Callable[[Any, Visit], Any]:
    """Free words of the element `where`."""

    def clean(value: Any, visit: Visit) -> Any:
        return visit.clean(value, where) if isinstance(value, str) else GONE

    return clean


def local_display(value: Any, visit: Visit) -> Any:
    return visit.clean(value, "Coding.display") if isinstance(value, str) else GONE


def coding_part(name: str, value: Any, public: bool, visit: Visit) -> Any:
    """An element of a Coding; its system is the caller's where it is not public."""
    if name == "display":
        return value if public and isinstance(value, str) else local_display(value, visit)
    if name in ("code", "version"):
        return code(value, visit)
    if name == "system":
        return value if isinstance(value, str) else GONE
    return value if name == "userSelected" and isinstance(value, bool) else GONE


def moved_date(value: Any, visit: Visit) -> Any:
    """By the profile; whoever has a date before the year that stands for everybody over 89 is older than that."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return GONE
    shift = visit.shift()
    if len(value) > 4:
        visit.replaced(Kind.DATE)
    if int(value[:4]) < (oldest := age_limit_year(visit.workshop.as_of)):
        return str(oldest)
    return value[:4] if shift is None else moved_iso(value, shift) or GONE


def instant(value: Any, visit: Visit) -> Any:
    moved = moved_date(value, visit)
    return moved if moved is not GONE and len(moved) > 4 else GONE


def birth_date(value: Any, visit: Visit) -> Any:
    """A year that tells an age over 89 becomes the one of a person of 90."""
    cleaned = moved_date(value, visit)
    if cleaned is GONE:
        return GONE
    died = visit.resource.get("deceasedDateTime")
    until = died[:10] if isinstance(died, str) and _DATE.fullmatch(died) else visit.workshop.as_of.isoformat()
    age = int(until[:4]) - int(value[:4]) - (until[4:] < value[4:10] if len(value) > 4 and len(until) > 4 else 0)
    return str(age_limit_year(visit.workshop.as_of)) if age > OLDEST else cleaned


def age_limit_year(as_of: date) -> int:
    """The year of birth that stands for everybody over 89."""
    return as_of.year - OLDEST - 1


def age_limited(quantity: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A Quantity; of years over 89 only that they are: they may be an age."""
    value = quantity.get("value")
    if (
        isinstance(value, int | float)
        and value >= OLDEST + 1
        and any(_is_year(quantity.get(name)) for name in ("code", "unit"))
    ):
        visit.replaced(Kind.DATE)
        return quantity | {"value": OLDEST + 1}
    return quantity


def _is_year(unit: object) -> bool:
    return isinstance(unit, str) and unit.strip("{}").lower() in _YEARS


def identifier(value: Any, visit: Visit) -> Any:
    """Ids and identifiers: `urn:uuid:` and `#` stay in front of the surrogate."""
    if not isinstance(value, str) or not value:
        return GONE
    visit.replaced(Kind.OTHER)
    for mark in ("urn:uuid:", "urn:oid:"):
        if value.startswith(mark):
            return "urn:uuid:" + visit.workshop.surrogates.id(value[len(mark) :])
    return visit.workshop.surrogates.id(value)


def person_name(value: Any, visit: Visit) -> Any:
    if not isinstance(value, str):
        return GONE
    visit.replaced(Kind.NAME)
    scope = visit.owner if visit.owner.startswith("Patient/") else EVERYONE
    return visit.workshop.surrogates.person(value, scope)


def facility_name(value: Any, visit: Visit) -> Any:
    if not isinstance(value, str):
        return GONE
    visit.replaced(Kind.PLACE)
    return visit.workshop.surrogates.place(value, vocabulary().cues["generic_places"])


def postcode(value: Any, visit: Visit) -> Any:
    """Three digits of a US code; any other country's is left out."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{5}(?:-?\d{4})?", value):
        return GONE
    visit.replaced(Kind.PLACE)
    return "000" if value[:3] in _FEW_PEOPLE else value[:3]


class PublicUris:
    """Which addresses anyone may know; any other one gets a surrogate that is the same everywhere."""

    def __init__(self, beginnings: tuple[str, ...]) -> None:
        self._beginnings = beginnings
        self._seen: dict[str, bool] = {}

    def is_public(self, uri: object) -> bool:
        if not isinstance(uri, str):
            return False
        known = self._seen.get(uri)
        if known is None:
            known = uri.startswith(self._beginnings) and len(uri) < 200 and " " not in uri
            if len(self._seen) < _REMEMBERED:
                self._seen[uri] = known
        return known

    def clean(self, value: Any, visit: Visit) -> Any:
        if not isinstance(value, str):
            return GONE
        return value if self.is_public(value) else "urn:uuid:" + visit.workshop.surrogates.id(value)
