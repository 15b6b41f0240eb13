"""The audit trail as lines of a file: FHIR AuditEvents for people and their tools, or the entries themselves for keeping.

Input : the kept trail
Output: bytes, one event or one entry a line
Knows which records make one event, and that only the entries themselves can be checked, and removed, later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import orjson
from pydantic import ValidationError

from cds_hooks.audit.chain import Entry
from cds_hooks.audit.event import AuditEvents, Json
from cds_hooks.audit.pruning import older
from cds_hooks.audit.reading import KeptTrail
from cds_hooks.audit.record import AuditRecord, opened_who
from cds_hooks.audit.spool import Damaged
from worker.payloads import Sealer


def entry_lines(trail: KeptTrail, until: datetime | None) -> Iterator[bytes]:
    """Every chain as it is, or its beginning as far as that is older than `until`."""
    for chain in trail.chains():
        with suppress(Damaged):  # named by the check that went before
            for entry in trail.entries(chain):
                if until and not older(entry, until):
                    break
                yield entry.line()


def event_lines(
    trail: KeptTrail, events: AuditEvents, sealer: Sealer | None, unreadable: Counter[str]
) -> Iterator[tuple[datetime, bytes]]:
    """(when, AuditEvent); `unreadable`: counts by chain the entries that hold no record."""
    for chain in trail.chains():
        for record, event in _events(trail, chain, events, sealer, unreadable):
            yield record.recorded, orjson.dumps(event) + b"\n"


def _events(
    trail: KeptTrail, chain: str, events: AuditEvents, sealer: Sealer | None, unreadable: Counter[str]
) -> Iterator[tuple[AuditRecord, Json]]:
    """One event for each answer, however often it was given."""
    repeats = Counter(record.repeat_of for _, record in _records(trail, chain, unreadable) if record.repeat_of)
    for entry, record in _records(trail, chain, Counter()):
        if not record.repeat_of:
            yield record, events.event(entry, record, opened_who(record, sealer), repeats.pop(record.id, 0))
    if not repeats:
        return
    # Repeats of an answer whose own record could not be kept, or was removed: the first of them stands for it.
    for entry, record in _records(trail, chain, Counter()):
        count = repeats.pop(record.repeat_of, 0) if record.repeat_of else 0
        if count:
            yield record, events.event(entry, record, opened_who(record, sealer), count - 1)


def _records(trail: KeptTrail, chain: str, unreadable: Counter[str]) -> Iterator[tuple[Entry, AuditRecord]]:
    with suppress(Damaged):  # named by the check that went before
        for entry in trail.entries(chain):
            try:
                yield entry, AuditRecord.model_validate_json(entry.body)
            except ValidationError:
                unreadable[chain] += 1
