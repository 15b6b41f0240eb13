"""Which patients are trained on and which are measured on: by a keyed hash of their id, the same in every run.

Knows the key, which stays with the hospital: without it nobody can tell from a mark who a patient is. All notes of a patient
are in one split.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from training.prepare.prepared_note import SPLITS, Split

KEY_BYTES = 32


class Splitter:
    """One key and the shares of train, development and test, which add up to 1."""

    def __init__(self, key: bytes, shares: tuple[float, float, float] = (0.8, 0.1, 0.1)) -> None:
        """Raises ValueError for a key that is too short or shares that are none."""
        if len(key) < KEY_BYTES:
            raise ValueError(f"the key of the split needs {KEY_BYTES} bytes")
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError("the shares of train, development and test add up to 1")
        self._key, self._shares = key, shares

    def split_of(self, patient: str) -> Split:
        """By the patient alone, whatever else is in the export."""
        place = int.from_bytes(self._digest("split", patient)[:8]) / 2**64
        for split, share in zip(SPLITS, self._shares, strict=True):
            if place < share:
                return split
            place -= share
        return SPLITS[-1] if self._shares[-1] else SPLITS[0]

    def mark(self, kind: str, identity: str) -> str:
        """A name for a patient or note that says nothing of them: 16 hexadecimal digits."""
        return self._digest(kind, identity).hex()[:16]

    @property
    def fingerprint(self) -> str:
        """Tells one key from another and gives neither away."""
        return self.mark("key", "")

    def _digest(self, kind: str, identity: str) -> bytes:
        return hmac.new(self._key, f"{kind}:{identity}".encode(), hashlib.sha256).digest()


def key_of(path: Path) -> bytes:
    """The key in a file, made there the first time, readable by its owner alone."""
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()
