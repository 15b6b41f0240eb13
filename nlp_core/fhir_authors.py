"""Who wrote a document -> the author's role, never a name.

Knows PractitionerRole resources. Does not read any reference's `display`: that is where names stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nlp_core.fhir_codes import codings_of, concepts
from nlp_core.fhir_fields import Json, item, items, resource_type, words
from nlp_core.fhir_references import References

_SHORTEST_NAME = 3


class Roles:
    """Roles by the handle of the PractitionerRole and of the practitioner who holds it."""

    def __init__(self, directory: Mapping[str, Json], references: References) -> None:
        self._references = references
        self._roles: dict[str, str] = {}
        for handle, resource in directory.items():
            if resource_type(resource) == "PractitionerRole":
                role = role_of(resource)
                self._roles[handle] = role
                self._roles.setdefault(references.handle(resource.get("practitioner")), role)
        self._roles.pop("", None)

    def of(self, authors: Iterable[object]) -> str:
        """The role of the first author that has one, else `""`."""
        found = (self._roles.get(self._references.handle(author), "") for author in authors)
        return next(filter(None, found), "")


def role_of(resource: Json) -> str:
    """`code` of a PractitionerRole, else its `specialty`: a display, else the text; `""` where it repeats the name."""
    name = words(item(resource.get("practitioner")).get("display")).lower()
    names = {part.strip(".,") for part in name.split() if len(part.strip(".,")) >= _SHORTEST_NAME}
    for field in ("code", "specialty"):
        for concept in concepts(resource.get(field)):
            displays = [coding.display for coding in codings_of(concept)]
            for role in (*displays, words(concept.get("text"))):
                if role and not names & {part.strip(".,") for part in role.lower().split()}:
                    return role
    return ""


def authors_of(resource: Json) -> list[Json]:
    """References to whoever wrote or interpreted a document."""
    fields = ("author", "resultsInterpreter", "performer")
    return [entry for field in fields for entry in items(resource.get(field))]
