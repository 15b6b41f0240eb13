"""Which patient of the feedback store is which patient of the prepared notes: by keys that only the site has.

Input : a list of patient ids as the EHR sends them in hooks, the service's key, tenant and FHIR server, the split key and,
        where the export was de-identified, that key
Output: mark in the feedback store -> mark in the prepared notes
Both marks are one-way; the table says who is who in neither, but joins them: keep it where the keys are.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from training.deidentify.surrogates import Surrogates, read_key
from training.deidentify.vocabulary import vocabulary
from training.prepare.splits import Splitter

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class MarkKeys:
    """What the two marks depend on. deidentify: None where the prepared notes keep the EHR's patient ids."""

    feedback: bytes
    tenant: str
    fhir_server: str
    """As hooks name it, without a slash at the end."""
    split: bytes
    deidentify: bytes | None = None


def feedback_mark(keys: MarkKeys, patient: str) -> str:
    """As the service marks the patient of a card (DXSPAN_FEEDBACK_KEY)."""
    marking = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"dxspan mark").derive(keys.feedback)
    words = ("suggested to patient", keys.tenant, keys.fhir_server.rstrip("/"), patient)
    return hmac.digest(marking, json.dumps(words).encode(), "sha256").hex()


def joined_marks(keys: MarkKeys, patients: Iterable[str]) -> dict[str, str]:
    """Mark in the feedback store -> mark in the prepared notes."""
    splitter = Splitter(keys.split)
    surrogates = Surrogates(keys.deidentify, vocabulary()) if keys.deidentify else None
    return {
        feedback_mark(keys, patient): splitter.mark("patient", surrogates.id(patient) if surrogates else patient)
        for patient in patients
    }


def read_feedback_key(path: Path) -> bytes:
    """The value of DXSPAN_FEEDBACK_KEY in a file. Raises ValueError that does not repeat it."""
    try:
        key = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path}: a feedback key is {KEY_BYTES} bytes in base64, as DXSPAN_FEEDBACK_KEY has it")
    return key


def read_keys(feedback: Path, tenant: str, fhir_server: str, split: Path, deidentify: Path | None) -> MarkKeys:
    """Raises ValueError or FileNotFoundError; never makes a key."""
    if not split.is_file():
        raise FileNotFoundError(f"{split}: no such key; `prepare` keeps it as OUT/split.key")
    known = read_key(deidentify) if deidentify else None
    return MarkKeys(read_feedback_key(feedback), tenant, fhir_server, split.read_bytes(), known)
