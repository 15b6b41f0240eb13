"""Which resources carry a security label that forbids using them.

Knows the codes of HL7 v3 Confidentiality (today's and the withdrawn), ActCode sensitivities and privacy laws, and where
FHIR puts them. Does not know which tenant may use what: that is the caller's `allow_restricted`.
A code counts whatever its system: local servers copy the codes and forget the system, and the safe reading is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping

from nlp_core.fhir_codes import all_codes
from nlp_core.fhir_fields import item

_CONFIDENTIALITY = {"r", "v", "restricted", "very restricted"}
_SUBSTANCE_USE = {"eth", "ethud", "alc", "sud", "opioidud", "drgis", "42cfrpart2", "42cfrpart2cd"}
_MENTAL_HEALTH = {"psy", "psythpn", "mh", "bh", "cogn", "emotdis", "hipaapsynotes", "mst"}
_SEXUAL_HEALTH = {"hiv", "std", "sex", "title38section7332"}
_VIOLENCE_AND_TABOO = {"sdv", "dvd", "tboo", "taboo", "phy", "cel", "vip"}
_GENETIC = {"gdis", "sca", "sickle"}
_NO_DISCLOSURE = {"nodsclcd", "nodsclcds", "nordsclcd", "nordslcd"}
# Says that single elements inside carry labels of their own; which ones is not worth guessing.
_INLINE = {"processinlinelabel"}

RESTRICTED = frozenset(
    _CONFIDENTIALITY
    | _SUBSTANCE_USE
    | _MENTAL_HEALTH
    | _SEXUAL_HEALTH
    | _VIOLENCE_AND_TABOO
    | _GENETIC
    | _NO_DISCLOSURE
    | _INLINE
)
"""Codes in lower case."""


def is_restricted(resource: Mapping[str, object]) -> bool:
    """True when `meta.security`, `securityLabel` or `confidentiality` holds a code of RESTRICTED."""
    for labels in (
        item(resource.get("meta")).get("security"),
        resource.get("securityLabel"),
        resource.get("confidentiality"),
    ):
        if labels and all_codes(labels) & RESTRICTED:
            return True
    return False
