"""What can go wrong in an export, each with words that may stand in any log.

    ExportFailure        the command ends with this one line
    ├── Unreachable      no usable answer, after all tries
    └── Refused          the server answered no
        └── Gone         what was asked for is there no more: an export or a file that expired

A message never holds a URL (it may be signed), a token, or a server's own words beyond FHIR's and OAuth's fixed codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CODE = re.compile(r"[a-z][a-z_-]{1,39}")


class ExportFailure(ValueError):
    """The export cannot go on."""


class Unreachable(ExportFailure):
    """No usable answer."""


class Refused(ExportFailure):
    """An answer that says no. `status`: HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Gone(Refused):
    """Expired or deleted at the server."""


def codes_of(body: object) -> str:
    """` (not-supported)`: the issue codes of an OperationOutcome or the error of OAuth; "" where there are none."""
    found: list[object] = []
    if isinstance(body, Mapping):
        found.append(body.get("error"))
        issues: Any = body.get("issue")
        found += (
            [issue.get("code") for issue in issues if isinstance(issue, Mapping)] if isinstance(issues, list) else []
        )
    codes = dict.fromkeys(code for code in found if isinstance(code, str) and _CODE.fullmatch(code))
    return f" ({', '.join(list(codes)[:5])})" if codes else ""
