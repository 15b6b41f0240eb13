"""Marked strings that stand for what must never be written anywhere, and the search for them in every spelling."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

CANARIES: Mapping[str, str] = {
    "note": "Zq7note-Kw5vJx",
    "patient name": "Zq7Mustermann-Hb2",
    "MRN": "Zq7mrn-0048151623",
    "patient id": "Zq7pat.id-8842",
    "practitioner name": "Zq7Doktorin-Tn4",
    "user id": "Zq7user-3107",
    "FHIR token": "Zq7token-9f8e7d6c5b4a",
    "client token": "Zq7claim-subject-77",
    "comment": "Zq7comment-Lm9",
    "attachment URL": "Zq7attachment-55",
    "diagnosis on the list": "Zq7problem-Rr1",
    "query": "Zq7query-21",
    "header": "Zq7header-12",
    "poison": "Zq7poison-Ws3",
    "what the FHIR server says": "Zq7diagnostics-68",
}


def spellings(canary: str) -> set[bytes]:
    """As it might be written: plain, in another case, in base64 at each offset, hex, URL, UTF-16, reversed, or as a hash
    without a key, which anyone could make of a guessed name."""
    plain = canary.encode()
    coded = {base64.b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3)}
    coded |= {base64.urlsafe_b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3)}
    hashes = {hashlib.new(name, plain).hexdigest().encode() for name in ("md5", "sha1", "sha256")}
    other = {plain.hex().encode(), canary.encode("utf-16-le"), plain[::-1], quote(canary, safe="").encode()}
    return {plain, plain.lower(), plain.upper(), *coded, *hashes, *other}


def found_in(written: Mapping[str, bytes], more: Iterable[str] = ()) -> list[str]:
    """`what: where` for every canary (and every string of `more`) that stands in what was written."""
    wanted = {**CANARIES, **{f"secret {number}": text for number, text in enumerate(more)}}
    return [
        f"{what}: {where}"
        for where, content in written.items()
        for what, canary in wanted.items()
        if any(spelling in content for spelling in spellings(canary))
    ]


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file there with its content, its own name included: a name can tell as much."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): str(path).encode() + path.read_bytes() for path in files}
