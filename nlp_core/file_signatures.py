"""The first bytes by which a file shows that it is no text.

Knows the signatures of what charts attach (PDF, pictures, archives, office files, programs). Decides nothing else.
"""

from __future__ import annotations

_AT_START = (
    b"\x1f\x8b",  # gzip
    b"PK\x03\x04",  # zip, docx
    b"PK\x05\x06",
    b"\x7fELF",
    b"\x89PNG",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"\xd0\xcf\x11\xe0",  # old Word
    b"OggS\x00",
    b"ID3\x02",
    b"ID3\x03",
    b"ID3\x04",
    b"BZh91AY",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"Rar!\x1a\x07",
    b"\xca\xfe\xba\xbe",  # Java, Mach-O
    b"\x00\x00\x00\x0cjP",  # JPEG 2000
    b"%!PS",
)
_RIFF_KINDS = (b"WAVE", b"AVI ", b"WEBP")
_PDF_WITHIN = 1024


def is_binary_file(data: bytes) -> bool:
    """True when `data` begins as a known kind of file other than text."""
    if data.startswith(_AT_START) or b"%PDF-" in data[:_PDF_WITHIN]:
        return True
    if data.startswith(b"MZ") and b"\0" in data[:64]:  # a program; "MZ twins" is a note
        return True
    return data[4:8] == b"ftyp" or data[128:132] == b"DICM" or (data[:4] == b"RIFF" and data[8:12] in _RIFF_KINDS)
