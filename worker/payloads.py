"""Seals what is put into Redis so that Redis holds no readable word of a chart.

Knows AES-256-GCM and what a sealed thing is bound to (tenant, reading, purpose): opened under any other name it fails.
Does not know what is inside, nor how long it lives.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


class CannotOpen(ValueError):
    """Sealed with another key, for another tenant or reading, or changed on the way. Says nothing of the content."""


def new_queue_key() -> str:
    """A fresh value for DXSPAN_QUEUE_KEY, for the demo and for set-up: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


class Sealer:
    """Seals and opens bytes, and marks names so that they can be keys in Redis without being readable."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: 32 bytes each; the first seals and marks, all open. Raises ValueError for any other length."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a queue key is {KEY_BYTES} bytes long")
        self._ciphers = [AESGCM(_derived(key, b"dxspan seal")) for key in keys]
        self._marking_key = _derived(keys[0], b"dxspan mark")

    @classmethod
    def from_setting(cls, text: str) -> Sealer:
        """From base64 keys divided by commas. Raises ValueError that does not repeat the text."""
        try:
            keys = [base64.b64decode(part.strip(), validate=True) for part in text.split(",")]
        except (binascii.Error, ValueError):
            raise ValueError("a queue key must be base64 (openssl rand -base64 32)") from None
        return cls(keys)

    def seal(self, plain: bytes, *about: str) -> bytes:
        """Nonce and ciphertext, 28 bytes longer than `plain`, bound to the words `about` in their order."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, plain, _bound_to(about))

    def open(self, sealed: bytes, *about: str) -> bytes:
        """The bytes that were sealed about the same words. Raises CannotOpen."""
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        if len(nonce) < NONCE_BYTES:
            raise CannotOpen("too short to be sealed")
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, text, _bound_to(about))
            except InvalidTag:
                continue
        raise CannotOpen("sealed with another key or for something else")

    def mark(self, *words: str) -> str:
        """A keyed fingerprint of `words`, 64 hex digits: the same words and key give the same mark."""
        return hmac.digest(self._marking_key, _bound_to(words), "sha256").hex()


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(key)


def _bound_to(words: Sequence[str]) -> bytes:
    # JSON keeps ("ab", "c") and ("a", "bc") apart.
    return json.dumps(words).encode()
