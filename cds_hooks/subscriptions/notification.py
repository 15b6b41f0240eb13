"""What a notification Bundle says: its kind, and which patients or encounters it names.

Input : the JSON of a topic-based notification: R5 and R4B (SubscriptionStatus), or R4 as backported (Parameters)
Output: Notification. Only references are used: a resource that was sent along is not looked at, so that id-only and full
notifications are the same, and whoever holds the secret can name a chart and never bring one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, cast, get_args

from cds_hooks.operation_outcome import BadRequest
from cds_hooks.server_address import BadAddress, ServerAddress

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
ResourceType = Literal["Patient", "Encounter"]
MOST_EVENTS = 100
"""Events of one Bundle that are looked at."""
MOST_PARTS = 20
BUNDLES = ("subscription-notification", "history")
"""`history` is what a server of R4 or R4B calls it."""
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9.-]{1,64}")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """A chart, by its patient or by an encounter of theirs."""

    resource_type: ResourceType
    id: str

    @property
    def reference(self) -> str:
        return f"{self.resource_type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification."""

    kind: Kind
    named: tuple[Named, ...] = ()
    """Each once, in the order of the events."""
    elsewhere: int = 0
    """Events that name neither a patient nor an encounter of this server."""


def read_notification(document: Any, base: ServerAddress) -> Notification:
    """The notification in `document`, of the server at `base`. Raises BadRequest, which repeats nothing of it."""
    if (
        not isinstance(document, dict)
        or document.get("resourceType") != "Bundle"
        or document.get("type") not in BUNDLES
    ):
        raise BadRequest("The body is no notification Bundle.", expression=["Bundle.type"])
    status = _first_resource(document)
    kind, events = _of_status(status) if status.get("resourceType") == "SubscriptionStatus" else _of_parameters(status)
    if kind not in get_args(Kind):
        raise BadRequest("The notification does not say of which kind it is.", expression=["Bundle.entry[0].resource"])
    if kind not in ("event-notification", "query-event"):
        return Notification(cast(Kind, kind))
    found = [_chart_of(event, base) for event in islice(events, MOST_EVENTS)]
    named = tuple(dict.fromkeys(one for one in found if one))
    return Notification(cast(Kind, kind), named, sum(one is None for one in found))


def reference_of(reference: Any, base: ServerAddress) -> Named | None:
    """The patient or encounter of the server at `base` that `reference` (a FHIR Reference's JSON) means, if any."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    try:
        address = base.inside(text if isinstance(text, str) else "")
    except BadAddress:
        return None
    if address.query:
        return None
    kind, identifier, *version = (*address.segments[len(base.segments) :], "", "")[:4]
    if kind not in get_args(ResourceType) or not _ID.fullmatch(identifier) or version[0] not in ("", "_history"):
        return None
    return Named(cast(ResourceType, kind), identifier)


def _first_resource(bundle: Json) -> Json:
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    resource = first.get("resource") if isinstance(first, dict) else None
    return resource if isinstance(resource, dict) else {}


def _of_status(status: Json) -> tuple[Any, Iterator[list[Any]]]:
    events = (
        [event.get("focus"), *_listed(event.get("additionalContext"))]
        for event in _listed(status.get("notificationEvent"))
        if isinstance(event, dict)
    )
    return status.get("type"), events


def _of_parameters(status: Json) -> tuple[Any, Iterator[list[Any]]]:
    parameters = [one for one in _listed(status.get("parameter")) if isinstance(one, dict)]
    kind = next((one.get("valueCode") for one in parameters if one.get("name") == "type"), None)
    events = (
        [
            part.get("valueReference")
            for part in _listed(one.get("part"))
            if isinstance(part, dict) and part.get("name") in ("focus", "additional-context")
        ]
        for one in parameters
        if one.get("name") == "notification-event"
    )
    return kind, events


def _chart_of(references: Sequence[Any], base: ServerAddress) -> Named | None:
    """The patient where one is named, which saves asking whose encounter it is."""
    found = [one for one in (reference_of(reference, base) for reference in references[:MOST_PARTS]) if one]
    return next((one for one in found if one.resource_type == "Patient"), found[0] if found else None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
