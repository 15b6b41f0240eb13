"""A mix of FHIR resources and Bundles -> single resources, each once and in its newest version.

Knows Bundles (nested too), `meta.versionId` and `meta.lastUpdated`. Does not know whose a resource is; versions are
settled before that question, so that a document re-filed under another patient leaves this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nlp_core.fhir_codes import all_codes
from nlp_core.fhir_dates import moment
from nlp_core.fhir_fields import Json, item, items, reference_to, resource_id, resource_type, words
from nlp_core.fhir_restrictions import is_restricted

DEEPEST_BUNDLE = 8
_WITHDRAWN = frozenset({"entered-in-error", "retracted"})
_FAILED = frozenset({"error", "fatal"})


@dataclass
class Gathered:
    """Resources in the order they came, each (type, id) once.

    `aliases`: `urn:` fullUrl in lower case -> `Type/id`, `""` where two entries claim it. `patient_urls`: the absolute
    fullUrls of Patients. `restricted`: ids (Python's `id()`) of resources inside a restricted document
    Bundle. `unread`: (what, reason) -> how many were left out.
    """

    resources: list[Json] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    patient_urls: set[str] = field(default_factory=set)
    restricted: set[int] = field(default_factory=set)
    unread: Counter[tuple[str, str]] = field(default_factory=Counter)


def gather(resources: Iterable[Mapping[str, Any]], *, max_resources: int) -> Gathered:
    """Flattens Bundles and keeps the newest version of each resource.

    Anything that is no resource is counted `malformed`, what exceeds `max_resources` `over-limit`, an OperationOutcome
    that reports an error `not-available`, older versions `superseded`.
    """
    gathered = Gathered()
    newest: dict[str, Json] = {}
    for place, resource in enumerate(_flat(resources, gathered, depth=0, restricted=False)):
        if place >= max_resources:
            gathered.unread["Resource", "over-limit"] += 1
            continue
        identity = resource_id(resource)
        kind = resource_type(resource)
        if kind == "OperationOutcome":
            _count_failure(resource, gathered)
        elif not identity:
            gathered.resources.append(resource)
        else:
            _keep_newest(f"{kind}/{identity}", resource, newest, gathered)
    gathered.resources.extend(newest.values())
    return gathered


def _flat(
    resources: Iterable[Mapping[str, Any]], gathered: Gathered, *, depth: int, restricted: bool
) -> Iterator[Json]:
    for entry in resources:
        resource = item(entry) if isinstance(entry, Mapping) else {}
        kind = resource_type(resource)
        if not kind:
            gathered.unread["Resource", "malformed"] += 1
        elif kind != "Bundle":
            if restricted:
                gathered.restricted.add(id(resource))
            yield resource
        elif depth == DEEPEST_BUNDLE:
            gathered.unread["Bundle", "malformed"] += 1
        else:
            yield from _entries(resource, gathered, depth=depth + 1, restricted=restricted)


def _entries(bundle: Json, gathered: Gathered, *, depth: int, restricted: bool) -> Iterator[Json]:
    # A searchset's own label is only the highest of its entries', each of which carries its own; a document's is its.
    restricted = restricted or (words(bundle.get("type")) == "document" and is_restricted(bundle))
    held = []
    for entry in items(bundle.get("entry")):
        resource = entry.get("resource")
        if resource is None:
            continue
        held.append(resource)
        _name(words(entry.get("fullUrl"), 2000), item(resource), gathered)
    yield from _flat(held, gathered, depth=depth, restricted=restricted)


def _name(full_url: str, resource: Json, gathered: Gathered) -> None:
    """Remembers under which fullUrl a resource came. Only a `urn:` may stand for it: a URL ends in its own id."""
    if not full_url:
        return
    handle = reference_to(resource) if full_url[:4].lower() == "urn:" else ""
    if "/" in handle:
        known = gathered.aliases.setdefault(full_url.lower(), handle)
        gathered.aliases[full_url.lower()] = handle if known == handle else ""
    elif resource_type(resource) == "Patient":
        gathered.patient_urls.add(full_url)


def _keep_newest(key: str, resource: Json, newest: dict[str, Json], gathered: Gathered) -> None:
    known = newest.get(key)
    if known is None:
        newest[key] = resource
        return
    kept = _newer(known, resource)
    newest[key] = kept
    other = resource if kept is known else known
    if id(other) in gathered.restricted:
        gathered.restricted.add(id(kept))
    if not _same(kept, other):
        gathered.unread[resource_type(resource), "superseded"] += 1


def _newer(first: Json, second: Json) -> Json:
    """The newer of two versions: by lastUpdated, then by a numeric versionId, else the one that was withdrawn."""
    first_meta, second_meta = item(first.get("meta")), item(second.get("meta"))
    times = moment(first_meta.get("lastUpdated")), moment(second_meta.get("lastUpdated"))
    if times[0] is not None and times[1] is not None and times[0] != times[1]:
        return first if times[0] > times[1] else second
    versions = words(first_meta.get("versionId")), words(second_meta.get("versionId"))
    if all(version.isdecimal() for version in versions) and int(versions[0]) != int(versions[1]):
        return first if int(versions[0]) > int(versions[1]) else second
    return first if all_codes(first.get("status")) & _WITHDRAWN else second


def _same(first: Json, second: Json) -> bool:
    try:
        return first == second
    except RecursionError:  # nested deeper than Python compares: no harm in counting it as another version
        return False


def _count_failure(outcome: Json, gathered: Gathered) -> None:
    if any(words(issue.get("severity")) in _FAILED for issue in items(outcome.get("issue"))):
        gathered.unread["OperationOutcome", "not-available"] += 1
