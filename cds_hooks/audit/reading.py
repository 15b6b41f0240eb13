"""Reads the whole audit trail back: what the database took over and what still waits on this machine's disk.

Knows how both are one chain, and what is wrong with it. Reads only, beside running web processes: these move entries
from disk to database and never back, so the disk is always looked at before the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from cds_hooks.audit.chain import ChainKeys, Entry, Fault, Head, Walked, walked
from cds_hooks.audit.spool import Damaged, chains, kept_head, read_entries, segments
from cds_hooks.audit.store import AuditStore

Heads = Mapping[str, Head]
"""By chain."""


class KeptTrail:
    """The audit trail as it is kept."""

    def __init__(self, folder: Path, open_store: Callable[[], AuditStore | None]) -> None:
        """`folder`: the audit folder of this machine; `open_store`: gives None while there is no database."""
        self._folder = folder
        self._open_store = open_store
        self._opened: AuditStore | None = None

    def chains(self) -> list[str]:
        """Every chain of which anything is left."""
        there = {path.name for path in chains(self._folder)}
        store = self.database()
        return sorted(there.union(store.chains(), store.heads(), store.anchors()) if store else there)

    def count(self) -> int:
        """Entries in the database: what a progress bar counts against."""
        store = self.database()
        return store.count() if store else 0

    def entries(self, chain: str) -> Iterator[Entry]:
        """The entries of one chain in order. Raises Damaged for a file on disk that cannot be read."""
        with ExitStack() as open_files:
            files = []
            for path in segments(self._folder / chain):
                with suppress(FileNotFoundError):  # taken over a moment ago: the database has it
                    files.append(open_files.enter_context(path.open("rb")))
            last = 0
            store = self.database()
            for entry in store.entries(chain) if store else ():
                last = entry.sequence
                yield entry
            for file in files:
                for entry in read_entries(file):
                    if entry.sequence > last:
                        yield entry

    def walked(self, chain: str, noted: Heads, keys: ChainKeys, on_entry: Callable[[], None]) -> Walked:
        """Walks `chain` to its first broken entry; `noted`: heads that an operator noted earlier, elsewhere."""

        def counted() -> Iterator[Entry]:
            for entry in self.entries(chain):
                on_entry()
                yield entry

        try:
            # What must be there is asked first, as a chain grows meanwhile.
            store = self.database()
            anchor = store.anchors().get(chain) if store else None
            taken_over = anchor is not None or (store is not None and store.holds(chain))
            heads = self._heads(chain)
            if taken_over and "the database" not in heads:
                return Walked(Head(), Fault(chain, 0, "the database's note of how far this chain went is gone"))
            if chain in noted:
                heads["the noted head"] = noted[chain]
            return walked(chain, counted(), heads, keys, anchor)
        except Damaged as error:
            return Walked(Head(), Fault(chain, 0, f"{error} on this machine's disk cannot be read"))

    def _heads(self, chain: str) -> dict[str, Head]:
        """How far a chain was seen, by whom. Raises Damaged."""
        by_disk = kept_head(self._folder / chain)
        store = self.database()
        by_store = store.heads().get(chain) if store else None
        seen = {"the database": by_store, "this machine's disk": by_disk}
        return {who: head for who, head in seen.items() if head}

    def database(self) -> AuditStore | None:
        """What the database holds of it; None while there is none."""
        if self._opened is None:
            self._opened = self._open_store()
        return self._opened
