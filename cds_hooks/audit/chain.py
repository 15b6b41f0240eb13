"""The hash chain: each entry carries the hash of the one before, so that no entry changes, goes or comes unseen.

Knows entries, hashes and how a chain is walked; a record is text to it. With a key the hashes are keyed (HMAC): who can
write to the database but has not the key can rewrite nothing. A chain's name begins with its key's mark, so one chain
has one key. A head is how far a chain was seen; kept elsewhere, it shows when the end was cut off. An anchor stands for a
beginning that was exported and removed, so that what is left can still be walked.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from worker.payloads import Sealer

UNKEYED = "open"
_START = "0" * 64
_UNKNOWN_KEY = "cannot be checked: written under a key that is not in DXSPAN_AUDIT_KEY"


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain, as far as somebody saw it; (0, zeros) before the first."""

    sequence: int = 0
    hash: str = _START


@dataclass(frozen=True, slots=True)
class Entry:
    """One link."""

    chain: str
    sequence: int
    """From 1."""
    previous: str
    """Hash of the entry before."""
    body: str
    """The record's JSON, exactly as it was hashed."""
    hash: str

    @property
    def head(self) -> Head:
        return Head(self.sequence, self.hash)

    def line(self) -> bytes:
        """As one line of NDJSON."""
        return orjson.dumps(self) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """Raises ValueError for anything that `line` did not write."""
        found: Any = orjson.loads(line)
        try:
            return cls(**found)
        except TypeError:
            raise ValueError("not an entry") from None


@dataclass(frozen=True, slots=True)
class Anchor:
    """Stands for the beginning of a chain that was exported and removed."""

    chain: str
    sequence: int
    """Of the last entry removed."""
    hash: str
    """Of that entry: what is left follows it."""
    body: str
    """JSON: when it was removed, and the SHA-256 of the file that holds it."""
    seal: str
    """Hash of all that, under the chain's key."""

    @property
    def head(self) -> Head:
        return Head(self.sequence, self.hash)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a chain, at its first broken entry."""

    chain: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"chain {self.chain}, entry {self.sequence}: {self.what}"


def audit_keys(setting: str | None) -> list[bytes]:
    """The keys in the text of `audit_key`: base64, divided by commas, the first of which writes."""
    return [base64.b64decode(part.strip()) for part in setting.split(",")] if setting else []


class ChainKeys:
    """Makes and checks hashes under the keys of `audit_key`, the first of which writes."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """`keys`: 32 bytes each; none = hashes anyone can make."""
        self._by_mark = {sealer.mark("audit key")[:12]: sealer for sealer in (Sealer([key]) for key in keys)}

    @property
    def prefix(self) -> str:
        """How the names of chains written now begin."""
        return next(iter(self._by_mark), UNKEYED)

    def new_chain(self) -> str:
        return f"{self.prefix}-{secrets.token_hex(8)}"

    def writes(self, chain: str) -> bool:
        """True when `chain` can be continued under the key that writes now."""
        return _prefix(chain) == self.prefix

    def knows(self, chain: str) -> bool:
        """True when the hashes of `chain` can be checked."""
        return _prefix(chain) in (UNKEYED, *self._by_mark)

    def following(self, chain: str, head: Head, body: str) -> Entry:
        """The entry with `body` after `head`."""
        sequence = head.sequence + 1
        return Entry(chain, sequence, head.hash, body, self._hash(chain, sequence, head.hash, body))

    def fits(self, entry: Entry) -> bool:
        """True when the entry's hash is that of its content."""
        expected = self._hash(entry.chain, entry.sequence, entry.previous, entry.body)
        return secrets.compare_digest(expected.encode(), entry.hash.encode())

    def anchored(self, chain: str, head: Head, body: str) -> Anchor:
        """The anchor that stands for the entries of `chain` up to `head`."""
        return Anchor(chain, head.sequence, head.hash, body, self._sealed("audit anchor", chain, head, body))

    def holds(self, anchor: Anchor) -> bool:
        """True when the anchor's seal is that of its content."""
        expected = self._sealed("audit anchor", anchor.chain, anchor.head, anchor.body)
        return secrets.compare_digest(expected.encode(), anchor.seal.encode())

    def _sealed(self, what: str, chain: str, head: Head, body: str) -> str:
        return self._keyed(chain, (what, chain, str(head.sequence), head.hash, body))

    def _hash(self, chain: str, sequence: int, previous: str, body: str) -> str:
        return self._keyed(chain, ("audit entry", chain, str(sequence), previous, body))

    def _keyed(self, chain: str, words: tuple[str, ...]) -> str:
        sealer = self._by_mark.get(_prefix(chain))
        return sealer.mark(*words) if sealer else hashlib.sha256(orjson.dumps(words)).hexdigest()


def _prefix(chain: str) -> str:
    return chain.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Walked:
    """A chain that was walked: its last entry, as far as it is whole."""

    head: Head
    fault: Fault | None = None
    anchor: Anchor | None = None
    """What stands for its beginning, where that was removed."""

    @property
    def entries(self) -> int:
        """How many are there."""
        return self.head.sequence - (self.anchor.sequence if self.anchor else 0)


def walked(
    chain: str, entries: Iterable[Entry], heads: Mapping[str, Head], keys: ChainKeys, anchor: Anchor | None = None
) -> Walked:
    """Walks one chain in the order of its numbers; `heads`: how far it was seen, by whom (`the database`, ...)."""
    last = anchor.head if anchor else Head()
    fault = _anchor_fault(anchor, heads, keys) if anchor else ""
    if fault:
        return Walked(Head(), Fault(chain, last.sequence, fault))
    for entry in entries:
        fault = _fault(entry, last, keys) or _other_than_seen(entry.head, heads)
        if fault:
            return Walked(last, Fault(chain, last.sequence + 1, fault), anchor)
        last = entry.head
    for who, head in heads.items():
        if head.sequence > last.sequence:
            missing = f"the end is missing: {who} saw {head.sequence} entries, {last.sequence} are left"
            return Walked(last, Fault(chain, last.sequence + 1, missing), anchor)
    return Walked(last, None, anchor)


def _anchor_fault(anchor: Anchor, heads: Mapping[str, Head], keys: ChainKeys) -> str:
    if not keys.knows(anchor.chain):
        return _UNKNOWN_KEY
    if not keys.holds(anchor):
        return "the note of what was removed up to here was altered, or put here from elsewhere"
    return _other_than_seen(anchor.head, heads)


def _fault(entry: Entry, expected: Head, keys: ChainKeys) -> str:
    if not keys.knows(entry.chain):
        return _UNKNOWN_KEY
    if entry.sequence > expected.sequence + 1:
        return f"is missing (the next one is {entry.sequence})"
    if entry.sequence <= expected.sequence:
        return f"stands where entry {entry.sequence} was inserted a second time"
    if not keys.fits(entry):
        return "was altered, or put here from elsewhere"
    if entry.previous != expected.hash:
        return "does not follow the entry before it"
    return ""


def _other_than_seen(found: Head, heads: Mapping[str, Head]) -> str:
    seen = ((who, head) for who, head in heads.items() if head.sequence == found.sequence)
    return next((f"is not the entry that {who} saw here" for who, head in seen if head.hash != found.hash), "")
