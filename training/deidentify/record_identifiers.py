"""What one resource says about who someone is: the first pass over the export.

Input : a resource     Output: rows of identifiers, of links from a patient to staff, of other names of a patient or of staff
Knows where FHIR keeps names, addresses and numbers. Nothing here raises; a field of an unexpected type is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from training.deidentify.kinds import Kind
from training.deidentify.references import target

Json = dict[str, Any]
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_BY_TYPE = {
    "MR": Kind.MEDICAL_RECORD, "PI": Kind.MEDICAL_RECORD, "PT": Kind.MEDICAL_RECORD, "SS": Kind.SOCIAL_SECURITY,
    "NI": Kind.SOCIAL_SECURITY, "NNCHN": Kind.SOCIAL_SECURITY, "DL": Kind.LICENCE, "PPN": Kind.LICENCE, "MD": Kind.LICENCE,
    "NPI": Kind.LICENCE, "DEA": Kind.LICENCE, "MB": Kind.HEALTH_PLAN, "SN": Kind.HEALTH_PLAN, "MC": Kind.HEALTH_PLAN,
    "MA": Kind.HEALTH_PLAN, "AN": Kind.ACCOUNT, "VN": Kind.ACCOUNT,
}  # fmt: skip
_TELECOM = {
    "phone": Kind.PHONE,
    "sms": Kind.PHONE,
    "pager": Kind.PHONE,
    "fax": Kind.FAX,
    "email": Kind.EMAIL,
    "url": Kind.URL,
}
_OWNERS = ("subject", "patient", "beneficiary", "individual")
_STAFF = ("Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "CareTeam")
_FACILITIES = ("Organization", "Location", "HealthcareService")
_DEVICE = ("serialNumber", "lotNumber", "distinctIdentifier")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DEEPEST = 4


class Identifier(NamedTuple):
    """`owner`: a reference such as `Patient/1`, or an alias of one."""

    owner: str
    kind: str
    value: str
    staff: bool


class Link(NamedTuple):
    """The chart of `patient` names `target`, someone of the staff or a facility. Both may be aliases."""

    patient: str
    target: str


class Alias(NamedTuple):
    """`alias` leads to `target`."""

    alias: str
    target: str


Row = Identifier | Link | Alias


def owner_handle(resource: Json) -> str:
    """Whose a resource is, as it says: `Patient/1` or an alias of it; its own reference where it is no patient's."""
    kind, own = resource.get("resourceType"), f"{resource.get('resourceType')}/{resource.get('id')}"
    if kind == "Patient":
        return own
    for name in _OWNERS:
        found = target(resource.get(name))
        if found:
            return found
    return own


def rows_of(resource: Json) -> Iterator[Row]:
    """Everything one resource says about who someone is; of a Bundle, all its entries."""
    kind = resource.get("resourceType")
    if kind == "Bundle":
        for entry in _dicts(resource.get("entry")):
            inner = entry.get("resource")
            if isinstance(inner, dict):
                yield from _alias_of_url(entry.get("fullUrl"), inner)
                yield from rows_of(inner)
        return
    owner = owner_handle(resource)
    if isinstance(resource.get("id"), str) and kind in ("Patient", *_STAFF):
        yield Alias(f"urn:uuid:{resource['id'].lower()}", f"{kind}/{resource['id']}")
    staff = kind in _STAFF
    yield from _names_and_addresses(resource, owner, staff)
    yield from _numbers(resource, owner, staff)
    yield from _birth(resource, owner)
    if kind == "Patient":
        yield from _of_patient(resource, owner)
    elif kind == "PractitionerRole":
        yield Link(owner, target(resource.get("practitioner")))
    elif kind not in _STAFF:
        yield from _links(resource, owner, 0)
    for inner in _dicts(resource.get("contained")):
        yield from _names_and_addresses(inner, owner, inner.get("resourceType") in _STAFF)
        yield from _birth(inner, owner)
    yield from _binaries(resource, owner)


def _alias_of_url(url: object, resource: Json) -> Iterator[Row]:
    handle = target(url)
    own = f"{resource.get('resourceType')}/{resource.get('id')}"
    known = resource.get("resourceType") in ("Patient", *_STAFF)
    if known and handle and handle != own and isinstance(resource.get("id"), str):
        yield Alias(handle, own)


def _names_and_addresses(resource: Json, owner: str, staff: bool) -> Iterator[Row]:
    name = resource.get("name")
    if isinstance(name, str) and resource.get("resourceType") in _FACILITIES:
        yield Identifier(owner, Kind.PLACE, name, staff)
    for one in _dicts(name):
        yield from _human_name(one, owner, staff)
    for one in _dicts(resource.get("address")):
        yield from _address(one, owner, staff)
    for one in _dicts(resource.get("telecom")):
        value = one.get("value")
        if isinstance(value, str):
            yield Identifier(owner, _TELECOM.get(str(one.get("system")), Kind.PHONE), value, staff)


def _birth(resource: Json, owner: str) -> Iterator[Row]:
    """A Patient's birth date, where it says the day."""
    birth = resource.get("birthDate")
    if resource.get("resourceType") == "Patient" and isinstance(birth, str) and (day := _DAY.match(birth)):
        yield Identifier(owner, Kind.DATE, day.group(), False)


def _human_name(name: Json, owner: str, staff: bool) -> Iterator[Row]:
    parts = [name.get("text"), name.get("family"), *(name["given"] if isinstance(name.get("given"), list) else ())]
    words = [part for part in parts if isinstance(part, str) and part.strip()]
    for word in words:
        yield Identifier(owner, Kind.NAME, word, staff)
    family, given = name.get("family"), "".join(part for part in parts[2:] if isinstance(part, str))
    if isinstance(family, str) and given and not family.isascii():
        yield Identifier(owner, Kind.NAME, family + given, staff)


def _address(address: Json, owner: str, staff: bool) -> Iterator[Row]:
    lines = address.get("line")
    values = [
        *(lines if isinstance(lines, list) else ()),
        *(address.get(key) for key in ("city", "district", "postalCode", "text")),
    ]
    for value in values:
        if isinstance(value, str) and len(value.strip()) > 1:
            yield Identifier(owner, Kind.PLACE, value, staff)


def _numbers(resource: Json, owner: str, staff: bool) -> Iterator[Row]:
    own = f"{resource.get('resourceType')}/{resource.get('id')}"
    for one in _dicts(resource.get("identifier")):
        value = one.get("value")
        if not isinstance(value, str):
            continue
        if resource.get("resourceType") in (*_STAFF, "Patient"):
            handle = f"?{one.get('system') or ''}|{value}"
            yield Alias(handle, own)
            yield Alias(f"{resource['resourceType']}{handle}", own)
        if not _UUID.fullmatch(value):
            yield Identifier(owner, _kind_of(one, resource), value, staff)
    if resource.get("resourceType") == "Device":
        for name in _DEVICE:
            if isinstance(value := resource.get(name), str):
                yield Identifier(owner, Kind.DEVICE, value, False)
    if isinstance(value := resource.get("subscriberId"), str):
        yield Identifier(owner, Kind.HEALTH_PLAN, value, False)


def _kind_of(identifier: Json, resource: Json) -> Kind:
    described = identifier.get("type")
    for coding in _dicts(described.get("coding")) if isinstance(described, dict) else ():
        if coding.get("code") in _BY_TYPE:
            return _BY_TYPE[coding["code"]]
    if resource.get("resourceType") == "Patient":
        return Kind.MEDICAL_RECORD
    return Kind.ACCOUNT if resource.get("resourceType") in ("Encounter", "Account") else Kind.OTHER


def _of_patient(resource: Json, owner: str) -> Iterator[Row]:
    if isinstance(resource.get("id"), str):
        yield Identifier(owner, Kind.OTHER, resource["id"], False)
    for contact in _dicts(resource.get("contact")):
        yield from _names_and_addresses(contact, owner, False)
    for extension in _dicts(resource.get("extension")):
        value = extension.get("valueString")
        if isinstance(value, str) and "maiden" in str(extension.get("url")).lower():
            yield Identifier(owner, Kind.NAME, value, False)
        for place in _dicts(extension.get("valueAddress")):
            yield from _address(place, owner, False)
    yield from _links(resource, owner, 0)


def _links(value: Any, owner: str, depth: int) -> Iterator[Row]:
    """References to people and facilities anywhere near the top of a resource, and what they display."""
    for inner in value.values():
        for one in inner if inner.__class__ is list else (inner,):
            if one.__class__ is not dict:
                continue
            if "reference" in one or "display" in one or "identifier" in one:
                yield from _link(one, owner)
            if depth < _DEEPEST and "coding" not in one:
                yield from _links(one, owner, depth + 1)


def _link(reference: Json, owner: str) -> Iterator[Row]:
    handle = target(reference)
    kind = re.split(r"[/?:]", handle, maxsplit=1)[0] or str(reference.get("type") or "")
    shown = reference.get("display")
    if kind in _STAFF:
        yield Link(owner, handle)
    if not isinstance(shown, str):
        return
    if kind in ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson"):
        yield Identifier(owner, Kind.NAME, shown, kind.startswith("Practitioner"))
    elif kind in _FACILITIES:
        yield Identifier(owner, Kind.PLACE, shown, True)


def _binaries(resource: Json, owner: str) -> Iterator[Row]:
    """Binaries are whose the document is that shows them."""
    holders = [content.get("attachment") for content in _dicts(resource.get("content"))]
    for attachment in (*holders, *_dicts(resource.get("presentedForm"))):
        url = attachment.get("url") if isinstance(attachment, dict) else None
        if isinstance(url, str) and (handle := target(url)).startswith("Binary/"):
            yield Alias(handle, owner)


def _dicts(value: object) -> Iterator[Json]:
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, dict):
            yield one
