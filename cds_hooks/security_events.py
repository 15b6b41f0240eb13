"""Things that should never happen in honest use: counted, and one line each.

Knows their kinds: `wrong-patient-prefetch`, `wrong-patient-fetched`, `unregistered-fhir-server`, `token-refused`,
`replay-store-spare` (Redis does not answer; this process alone tells which tokens were seen).
"""

from __future__ import annotations

import logging

from cds_hooks.json_log import Value, log_event
from cds_hooks.watch import SECURITY_EVENTS

log = logging.getLogger("dxspan.security")


def security_event(kind: str, **fields: Value) -> None:
    """Count and log one; `fields` hold nothing that the caller chose, except a checked hookInstance."""
    SECURITY_EVENTS.labels(kind).inc()
    log_event(log, "security", level=logging.WARNING, kind=kind, **fields)
