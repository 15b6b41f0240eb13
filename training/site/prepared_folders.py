"""The lines of folders that `dxspan-train prepare` wrote: good ones as notes, bad ones by file, line and a fixed word.

Knows files, and that one folder is one site. A bad line costs that line alone and is never repeated: it may hold a
patient's words.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from training.prepare.prepared_note import PreparedNote, Split

BAD_ROWS = "bad-rows.tsv"
_TOLD = 5
"""Bad lines that are told on the console."""
_NAMED = re.compile(r"([\w .-]{1,40})=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Site:
    """One prepared folder and what it is called in a report."""

    name: str
    folder: Path

    def file(self, split: Split) -> Path:
        """Raises ValueError where the folder holds no such split."""
        path = self.folder / f"{split}.jsonl"
        if not path.is_file():
            raise ValueError(f"{self.folder} holds no {path.name}: `dxspan-train prepare` writes it")
        return path


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was passed over."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.why}"


def site_of(text: str) -> Site:
    """`NAME=FOLDER`, or a folder that is called as it is."""
    named = _NAMED.fullmatch(text)
    folder = Path(named[2] if named else text)
    return Site(named[1] if named else folder.resolve().name, folder)


def sites_of(texts: Sequence[str]) -> list[Site]:
    """Raises ValueError where two sites have one name: their figures would be mixed up."""
    sites = [site_of(text) for text in texts]
    if len({site.name for site in sites}) < len(sites):
        raise ValueError("two prepared folders have the same name; give them as NAME=FOLDER")
    return sites


def lines_of(path: Path) -> Iterator[PreparedNote | BadLine]:
    """Every line that is not blank, in order."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _note(path, number, line)


def _note(path: Path, number: int, line: bytes) -> PreparedNote | BadLine:
    try:
        return PreparedNote.model_validate_json(line)
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_context=False)
        return BadLine(path.name, number, "cut-off" if not line.endswith(b"\n") else first["type"])


def fingerprint(sites: Sequence[Site], split: Split) -> str:
    """Of names and bytes: other notes or another site is another measurement."""
    digest = hashlib.sha256()
    for site in sites:
        digest.update(site.name.encode() + b"\0")
        with site.file(split).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def tell_bad_lines(bad: Sequence[BadLine], out: Path | None = None) -> None:
    """How many lines were left out and where the first of them stand, on stderr; all of them in `out`, where one is given."""
    if bad:
        place = f", see {out / BAD_ROWS}" if out else ""
        print(f"left out: {len(bad)} unreadable lines{place}", file=sys.stderr)
    for one in bad[:_TOLD]:
        print(f"left out: {one}", file=sys.stderr)
    if out:
        write_bad_lines(out / BAD_ROWS, bad)


def write_bad_lines(target: Path, bad: Sequence[BadLine]) -> None:
    """File, line and reason of each, tab separated; no file where there is none."""
    target.unlink(missing_ok=True)
    if bad:
        target.write_text("".join(f"{one.file}\t{one.line}\t{one.why}\n" for one in bad), encoding="utf-8")
