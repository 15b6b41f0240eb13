"""Removes from the database the old beginning of each chain that a file is seen to hold, and puts an anchor in its place.

Input : the database, a file of `dxspan-audit export --form entries`, a date
Output: how much went of which chain
Knows the file and what may go: nothing that the file lacks, nothing as young as the date, nothing behind an entry that
stays. Never runs by itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import orjson
from pydantic import ValidationError

from cds_hooks.audit.chain import Anchor, ChainKeys, Entry, Head
from cds_hooks.audit.record import AuditRecord
from cds_hooks.audit.store import AuditStore


class NotTheTrail(Exception):
    """The file of entries is not one that the trail can be pruned by; the text says why and where."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went of one chain."""

    chain: str
    entries: int
    last: int
    """Number of the last one that went."""


def prune(store: AuditStore, exported: Path, moment: datetime, keys: ChainKeys, now: datetime) -> list[Pruned]:
    """Removes what is older than `moment` and held by `exported`; the trail was found whole just now.

    Raises NotTheTrail, and has removed nothing then.
    """
    with exported.open("rb") as file:
        os.fsync(file.fileno())  # from here on it may be the only copy
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        ends = _ends(store, file, moment)
    body = orjson.dumps({"removed": now.isoformat(timespec="seconds"), "sha256": digest}).decode()
    anchors = [keys.anchored(chain, head, body) for chain, head in ends.items() if head.sequence]
    return [Pruned(anchor.chain, store.remove(anchor), anchor.sequence) for anchor in anchors]


def older(entry: Entry, moment: datetime) -> bool:
    """Was its record made before `moment`? An entry that holds no record is never old."""
    try:
        return AuditRecord.model_validate_json(entry.body).recorded < moment
    except ValidationError:
        return False


def _ends(store: AuditStore, file: BinaryIO, moment: datetime) -> dict[str, Head]:
    """The last entry of each chain that may go."""
    anchors = store.anchors()
    return {
        chain: _end(store.entries(chain), _after(of_chain, anchors.get(chain)), moment)
        for chain, of_chain in groupby(_entries(file), key=lambda entry: entry.chain)
    }


def _end(kept: Iterable[Entry], copies: Iterable[Entry], moment: datetime) -> Head:
    last, going = Head(), True
    for entry, copy in zip(kept, copies, strict=False):
        if entry != copy:
            raise NotTheTrail(f"the file has another entry {copy.sequence} of chain {entry.chain} than the trail")
        going = going and older(entry, moment)
        if going:
            last = entry.head
    return last


def _after(entries: Iterable[Entry], anchor: Anchor | None) -> Iterator[Entry]:
    return (entry for entry in entries if not anchor or entry.sequence > anchor.sequence)


def _entries(file: BinaryIO) -> Iterator[Entry]:
    for number, line in enumerate(file, 1):
        try:
            yield Entry.from_line(line)
        except ValueError:
            raise NotTheTrail(f"line {number} of the file is no entry: write it with `export --form entries`") from None
