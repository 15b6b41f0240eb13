"""What one prefetch key brought: five states, one reading for both sources.

Knows Bundles, OperationOutcomes and links as JSON. The same function reads the value of a prefetch key and the answer
of a FHIR server, so that data means the same whichever way it came. Does not fetch.

    absent            no such key                 -> fetch it, or 412 where it is required
    null              legitimately no data        -> empty
    empty searchset   no data                     -> empty
    OperationOutcome  the client's query failed   -> failed; not asked again
    Bundle with next  more than was sent          -> read, then paged on
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from cds_hooks.services import PrefetchTemplate

Resource = Mapping[str, Any]
State = Literal["read", "absent", "failed"]
Reason = Literal["", "not-authorized", "not-available", "malformed", "not-fetched", "deadline"]

_DATE_FIELDS = ("date", "effectiveDateTime", "authoredOn", "recordedDate", "onsetDateTime", "issued")


@dataclass(frozen=True, slots=True)
class Supply:
    """The Bundle entries of one key, or why there are none."""

    state: State
    entries: tuple[Resource, ...] = ()
    """Each with its `resource`, and its `fullUrl` where it was sent."""
    reason: Reason = ""
    """Why a key is `failed`, or why something of a `read` key is missing."""
    next_url: str | None = None
    """Where the next page is, exactly as sent; not yet checked."""
    over_limit: int = 0
    """Entries left out because there were too many."""

    @property
    def wanted(self) -> bool:
        """True when the FHIR server should be asked for the whole key."""
        return self.state == "absent" or self.reason == "malformed"

    @property
    def bundle(self) -> dict[str, Any]:
        """The entries as one Bundle."""
        return {"resourceType": "Bundle", "type": "collection", "entry": list(self.entries)}

    @property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(entry["resource"] for entry in self.entries)


ABSENT = Supply("absent", reason="not-available")
FAILED = Supply("failed", reason="not-available")
MALFORMED = Supply("failed", reason="malformed")


def supplied(template: PrefetchTemplate, prefetch: Mapping[str, Any]) -> Supply:
    """The state of `template`'s key in a request's prefetch."""
    return read_value(template, prefetch[template.key]) if template.key in prefetch else ABSENT


def read_value(template: PrefetchTemplate, value: Any) -> Supply:
    """The supply in a prefetch value or in a FHIR server's answer."""
    if value is None:
        return Supply("read")
    kind = _type(value)
    if kind == "OperationOutcome":
        return FAILED
    if not kind:
        return MALFORMED
    supply = _read_bundle(value) if kind == "Bundle" else Supply("read", ({"resource": value},))
    return supply if supply.state == "failed" or _fits(template, supply) else MALFORMED


def _read_bundle(bundle: Resource) -> Supply:
    entries = bundle.get("entry") or []
    if not isinstance(entries, list):
        return MALFORMED
    sound = [entry for entry in entries if isinstance(entry, dict) and _type(entry.get("resource"))]
    failed = any(_is_error(entry["resource"]) for entry in sound)
    kept = tuple(entry for entry in sound if _type(entry["resource"]) != "OperationOutcome")
    if failed and not kept:
        return FAILED
    return Supply("read", kept, "not-available" if failed else "", _next_url(bundle))


def _fits(template: PrefetchTemplate, supply: Supply) -> bool:
    """Something of the type asked for, or nothing at all; a Patient without id cannot be told from another."""
    if template.resource_type == "Patient" and any(not one.get("id") for one in supply.resources):
        return False
    return not supply.entries or any(_type(one) == template.resource_type for one in supply.resources)


def _type(value: Any) -> str:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def _is_error(resource: Resource) -> bool:
    issues = resource.get("issue") if _type(resource) == "OperationOutcome" else None
    dicts = [issue for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []
    return any(issue.get("severity") in ("error", "fatal") for issue in dicts)


def _next_url(bundle: Resource) -> str | None:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


def with_page(first: Supply, page: Supply) -> Supply:
    """`first` continued by the next `page` of the same search."""
    return replace(
        first, entries=first.entries + page.entries, reason=page.reason or first.reason, next_url=page.next_url
    )


def newest(supply: Supply, limit: int) -> Supply:
    """`supply` cut to its `limit` newest entries; undated ones count as oldest."""
    if len(supply.entries) <= limit:
        return supply
    kept = sorted(supply.entries, key=_date, reverse=True)[:limit]
    return replace(supply, entries=tuple(kept), over_limit=len(supply.entries) - limit)


def _date(entry: Resource) -> str:
    """ISO dates sort as text, to the day at least; that is enough to choose what to leave out."""
    dates = (entry["resource"].get(field) for field in _DATE_FIELDS)
    return next((date for date in dates if isinstance(date, str)), "")


def of_another_patient(supply: Supply, patient_id: str) -> bool:
    """True when the supply holds a Patient that is not `patient_id`."""
    return any(_type(one) == "Patient" and one.get("id") != patient_id for one in supply.resources)
