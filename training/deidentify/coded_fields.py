"""FHIR resources by an allow-list: what rules/coded_fields.yaml does not name is left out.

Input : a resource     Output: the same without identifiers, its references leading where they led
Knows FHIR as a document format. Elements of an unexpected type are left out as unknown ones are; nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from training.deidentify import elements
from training.deidentify.attachments import clean_attachment, clean_binary, clean_narrative
from training.deidentify.references import clean_reference, full_url
from training.deidentify.visit import Visit
from training.deidentify.vocabulary import RULES

Json = dict[str, Any]
Rule = Callable[[Any, Visit], Any]
"""Takes a value, gives what may leave; `elements.GONE` where nothing may."""
_KNOWN_NAME = re.compile(r"[a-z][A-Za-z]{1,40}")
PSEUDONYMISED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "PSEUDED"}
"""HL7's security label for a resource whose identifiers stand for others; `prepare` asks for it."""


def pseudonymised(patient: Json) -> Json:
    """The Patient with the label that its names are surrogates."""
    meta = patient.get("meta", {})
    others = [label for label in meta.get("security", ()) if label.get("code") != PSEUDONYMISED["code"]]
    return patient | {"meta": meta | {"security": [*others, PSEUDONYMISED]}}


class CodedFields:
    """The rules, compiled to functions; one per process."""

    def __init__(self) -> None:
        rules = yaml.safe_load((RULES / "coded_fields.yaml").read_text(encoding="utf-8"))
        self._public = elements.PublicUris(tuple(rules["public_uris"]))
        self._recursive: Json = rules["recursive"]
        self._made: dict[str, Rule] = {}
        self._types: Json = rules["types"]
        self._kept_extensions = frozenset(rules["extensions"])
        self._primitives: dict[str, Callable[[str], Rule]] = self._primitive_rules()
        self._extension_values = {
            name: self._rule(rule, "extension") for name, rule in rules["extension_values"].items()
        }
        every = rules["every"]
        self._resources = {
            name: self._fields({**every, **entries}, name) for name, entries in rules["resources"].items()
        }

    def knows(self, resource_type: object) -> bool:
        return isinstance(resource_type, str) and resource_type in self._resources

    @property
    def resource_types(self) -> frozenset[str]:
        return frozenset(self._resources)

    def clean(self, resource: Json, visit: Visit) -> Json:
        """The resource without identifiers. Its type must be known."""
        kind = resource["resourceType"]
        visit.tally.resources[kind] += 1
        if kind == "Binary":
            resource = clean_binary(resource, visit)
        cleaned = {"resourceType": kind, **self._object(resource, self._resources[kind], kind, visit)}
        return pseudonymised(cleaned) if kind == "Patient" else cleaned

    def _primitive_rules(self) -> dict[str, Callable[[str], Rule]]:
        return {
            "keep": lambda _: elements.keep,
            "code": lambda _: elements.code,
            "text": lambda where: elements.text(where),
            "display": lambda _: elements.local_display,
            "date": lambda _: elements.moved_date,
            "instant": lambda _: elements.instant,
            "birth": lambda _: elements.birth_date,
            "id": lambda _: elements.identifier,
            "uri": lambda _: self._public.clean,
            "uri_of_resource": lambda _: full_url,
            "reference": lambda _: lambda value, visit: clean_reference(value, visit, self._public),
            "person": lambda _: elements.person_name,
            "facility": lambda _: elements.facility_name,
            "postcode": lambda _: elements.postcode,
            "attachment": lambda _: clean_attachment,
            "narrative": lambda _: clean_narrative,
            "resource": lambda _: self._inner,
            "extension": lambda _: self._extension,
        }

    def _rule(self, rule: str | Json, where: str) -> Rule:
        if isinstance(rule, dict):
            return self._object_rule(self._fields(rule, where), where)
        if rule in self._recursive:
            return self._recursive_rule(rule)
        if rule == "CodeableConcept":
            return self._concept_rule(where)
        if rule == "Coding":
            return self._coding
        if rule == "Quantity":
            return self._quantity_rule()
        if rule in self._types:
            return self._rule(self._types[rule], rule)
        return self._primitives[rule](where)

    def _recursive_rule(self, name: str) -> Rule:
        if name not in self._made:
            self._made[name] = lambda value, visit: self._made[f"{name} itself"](value, visit)
            self._made[f"{name} itself"] = self._object_rule(self._fields(self._recursive[name], name), name)
        return self._made[name]

    def _fields(self, entries: Json, where: str) -> dict[str, Rule]:
        return {name: self._rule(rule, f"{where}.{name}") for name, rule in entries.items()}

    def _object_rule(self, fields: dict[str, Rule], where: str) -> Rule:
        def clean(value: Any, visit: Visit) -> Any:
            return (
                self._object(value, fields, where, visit) or elements.GONE if isinstance(value, dict) else elements.GONE
            )

        return clean

    def _object(self, value: Json, fields: dict[str, Rule], where: str, visit: Visit) -> Json:
        kept: Json = {}
        for name, inner in value.items():
            rule = fields.get(name)
            if rule is None:
                if name != "resourceType":
                    visit.leave_out(f"{where}: not in the allow-list")
                continue
            found: Any
            if type(inner) is list:
                found = [
                    one for one in (rule(entry, visit) for entry in inner) if one is not elements.GONE
                ] or elements.GONE
            else:
                found = rule(inner, visit)
            if found is elements.GONE:
                visit.leave_out(f"{where}.{name}")
            else:
                kept[name] = found
        return kept

    def _coding(self, value: Any, visit: Visit) -> Any:
        """A public terminology's coding as it is; of a local one the display is free words."""
        if not isinstance(value, dict):
            return elements.GONE
        system, kept = value.get("system"), {}
        public = self._public.is_public(system)
        for name, inner in value.items():
            found = elements.coding_part(name, inner, public, visit)
            if found is not elements.GONE:
                kept[name] = found
            else:
                visit.leave_out("Coding")
        if system is not None and not public:
            kept["system"] = self._public.clean(system, visit)
        return kept or elements.GONE

    def _concept_rule(self, where: str) -> Rule:
        def clean(value: Any, visit: Visit) -> Any:
            if not isinstance(value, dict):
                return elements.GONE
            kept: Json = {}
            codings = value.get("coding")
            if type(codings) is list:
                found = [one for one in (self._coding(coding, visit) for coding in codings) if one is not elements.GONE]
                if found:
                    kept["coding"] = found
            words = value.get("text")
            if type(words) is str:
                shown = any(words == coding.get("display") for coding in kept.get("coding", ()))
                kept["text"] = words if shown else visit.clean(words, where)
            if len(value) > ("coding" in value) + ("text" in value):
                visit.leave_out("CodeableConcept")
            return kept or elements.GONE

        return clean

    def _quantity_rule(self) -> Rule:
        whole = self._object_rule(self._fields(self._types["Quantity"], "Quantity"), "Quantity")

        def clean(value: Any, visit: Visit) -> Any:
            kept = whole(value, visit)
            return kept if kept is elements.GONE else elements.age_limited(kept, visit)

        return clean

    def _extension(self, value: Any, visit: Visit) -> Any:
        if not isinstance(value, dict) or value.get("url") not in self._kept_extensions:
            return elements.GONE
        return self._kept_extension(value, visit)

    def _kept_extension(self, value: Json, visit: Visit) -> Any:
        inner = value.get("extension")
        url = value.get("url")
        kept: Json = (
            {"url": url}
            if isinstance(url, str) and (url in self._kept_extensions or _KNOWN_NAME.fullmatch(url))
            else {}
        )
        if type(inner) is list:
            kept["extension"] = [self._kept_extension(one, visit) for one in inner if isinstance(one, dict)]
        for name, rule in self._extension_values.items():
            if name in value and (found := rule(value[name], visit)) is not elements.GONE:
                kept[name] = found
        return kept

    def _inner(self, value: Any, visit: Visit) -> Any:
        """A resource of a Bundle, or a contained one, under its own patient where it names one."""
        if not isinstance(value, dict) or not self.knows(value.get("resourceType")):
            return elements.GONE
        if visit.resource.get("resourceType") != "Bundle":
            return self.clean(value, visit)
        inner = Visit(visit.workshop, visit.tally, visit.workshop.owner_of(value), value, visit.number)
        cleaned = self.clean(value, inner)
        visit.inner.append(inner)
        visit.number = inner.number
        return cleaned
