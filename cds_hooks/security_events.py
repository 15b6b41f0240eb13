"""Things that should never happen in honest use: counted, and one line each.

Knows their kinds: `wrong-patient-prefetch` and `wrong-patient-fetched` (the Patient is another one),
`other-patient-resource` (a resource is about another patient; it was left out), `unregistered-fhir-server`,
`token-refused`, `notification-refused` (a FHIR server's notification without its secret), `operators-refused` (a wrong token at the operators' page), `viewer-refused` (a launch that is not trusted, or another's view), `tls-failure` (a registered server's TLS
handshake failed, or its certificate was refused), `replay-store-spare` (Redis does not answer; this process alone tells which
tokens were seen).
"""

from __future__ import annotations

import logging

from cds_hooks.audit.notes import audit_notes
from cds_hooks.watch import SECURITY_EVENTS
from worker.json_log import Value, log_event

log = logging.getLogger("dxspan.security")


def security_event(kind: str, **fields: Value) -> None:
    """Count, log and note one for the audit trail; `fields` hold nothing that the caller chose, except a checked hookInstance."""
    SECURITY_EVENTS.labels(kind).inc()
    audit_notes().security.append(kind)
    log_event(log, "security", level=logging.WARNING, kind=kind, **fields)
