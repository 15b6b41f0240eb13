"""What a token's scopes let us read, in the syntax of SMART v1 (`user/Patient.read`) and v2 (`user/Patient.rs`).

Knows scopes as text. Does not decide what is needed (services) and does not fetch.
"""

from __future__ import annotations

import re
from typing import Literal

Interaction = Literal["read", "search"]

_SCOPE = re.compile(r"(?:patient|user|system)/(?P<type>\*|[A-Za-z]+)\.(?P<what>\*|read|write|[cruds]+)(?:\?\S*)?")
_LETTER = {"read": "r", "search": "s"}


def allows(scope: str, resource_type: str, interaction: Interaction) -> bool:
    """True when one of the space-separated scopes grants `interaction` on `resource_type`.

    A v2 scope limited by a query (`user/Observation.rs?category=laboratory`) counts: the server filters.
    """
    for match in map(_SCOPE.fullmatch, scope.split()):
        if match and match["type"] in ("*", resource_type) and _grants(match["what"], interaction):
            return True
    return False


def _grants(what: str, interaction: Interaction) -> bool:
    if what in ("*", "read", "write"):
        return what != "write"
    return _LETTER[interaction] in what
