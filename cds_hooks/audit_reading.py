"""Reads the whole audit trail back: what the database took over and what still waits on this machine's disk.

Knows how both are one chain, and what is wrong with it. Reads only, beside running web processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cds_hooks.audit_chain import ChainKeys, Entry, Fault, Head, Walked, walked
from cds_hooks.audit_spool import Damaged, chains, kept_head, read_entries, segments
from cds_hooks.audit_store import AuditStore

Heads = Mapping[str, Head]
"""By chain."""


@dataclass(frozen=True, slots=True)
class KeptTrail:
    """The audit trail as it is kept."""

    store: AuditStore | None
    """None where no database takes entries over."""
    folder: Path
    """The audit folder of this machine."""

    def chains(self) -> list[str]:
        """Every chain of which anything is left."""
        there = {path.name for path in chains(self.folder)}
        return sorted(there.union(self.store.chains(), self.store.heads()) if self.store else there)

    def entries(self, chain: str) -> Iterator[Entry]:
        """The entries of one chain in order. Raises Damaged for a file on disk that cannot be read."""
        with ExitStack() as open_files:
            # Opened before the database is asked: what is delivered meanwhile is read from either.
            files = [open_files.enter_context(path.open("rb")) for path in self._segments(chain)]
            last = 0
            for entry in self.store.entries(chain) if self.store else ():
                last = entry.sequence
                yield entry
            for file in files:
                for entry in read_entries(file):
                    if entry.sequence > last:
                        yield entry

    def count(self) -> int:
        """Entries in the database: what a progress bar counts against."""
        return self.store.count() if self.store else 0

    def heads(self, chain: str) -> dict[str, Head]:
        """How far a chain was seen, by whom. Raises Damaged."""
        by_disk = kept_head(self.folder / chain)
        by_store = self.store.heads().get(chain) if self.store else None
        seen = {"the database": by_store, "this machine's disk": by_disk}
        return {who: head for who, head in seen.items() if head}

    def _segments(self, chain: str) -> list[Path]:
        return segments(self.folder / chain)

    def walked(self, chain: str, noted: Heads, keys: ChainKeys, on_entry: Callable[[], None]) -> Walked:
        """Walks `chain` to its first broken entry; `noted`: heads that an operator noted earlier, elsewhere."""

        def counted() -> Iterator[Entry]:
            for entry in self.entries(chain):
                on_entry()
                yield entry

        try:
            # Before the entries: a chain only grows.
            heads = self.heads(chain)
            if chain in noted:
                heads["the noted head"] = noted[chain]
            found = walked(chain, counted(), heads, keys)
            return found if found.fault else Walked(found.head, self._without_head(chain, heads))
        except Damaged as error:
            return Walked(Head(), Fault(chain, 0, f"{error} on this machine's disk cannot be read"))

    def _without_head(self, chain: str, heads: Heads) -> Fault | None:
        taken_over = self.store is not None and chain in self.store.chains()
        if taken_over and "the database" not in heads:
            return Fault(chain, 0, "the database's note of how far this chain went is gone")
        return None
