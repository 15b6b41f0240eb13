"""Files show themselves by their first bytes; notes that merely begin alike do not."""

from __future__ import annotations

import pytest

from nlp_core.file_signatures import is_binary_file


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.4", b"\n\n%PDF-1.7 x", b"\x1f\x8b\x08", b"PK\x03\x04", b"MZ\x90\x00", b"\x7fELF", b"\xff\xd8\xff\xe0",
     b"GIF89a", b"II*\x00", b"\xd0\xcf\x11\xe0\xa1", b"\0\0\0\x18ftypmp42", b"\0" * 128 + b"DICM", b"RIFF\0\0\0\0WAVE"],
)  # fmt: skip
def test_known_files(data: bytes) -> None:
    assert is_binary_file(data)


@pytest.mark.parametrize(
    "data", [b"", b"MZ twins, chest pain", b"PK: stable", b"RIFF", b"Chest pain", "胸痛".encode(), b"ID3 ok"]
)
def test_notes(data: bytes) -> None:
    assert not is_binary_file(data)
