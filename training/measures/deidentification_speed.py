"""How fast the de-identification is, beside a loop that only reads and writes the JSON, and how much memory it takes.

Measures in this process, one step after the other; the memory in a process of its own, on the export and on many copies of it.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from nlp_core.attachments import content_text, inline_content
from training.deidentify.clean_part import Bench, Settings, collected
from training.deidentify.export_parts import Part, export_files, plan, resources_of
from training.deidentify.identifier_head.head import shipped_head
from training.deidentify.identifier_store import StoreWriter
from training.deidentify.leak_test import LeakTest
from training.deidentify.notes import NoteCleaner, nobody
from training.deidentify.report import read_done
from training.deidentify.surrogates import Surrogates
from training.deidentify.vocabulary import vocabulary

_NOTES = ("DocumentReference", "DiagnosticReport", "Binary", "Composition")
_MANY = 8
_LONGEST_NOTE = 1_000_000
_PEAK = "import resource, sys; from training.__main__ import main; code = main(sys.argv[1:]); print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"


@dataclass(frozen=True, slots=True)
class Speed:
    """Megabytes a second of one process, and MiB."""

    text: float
    """Of the words in notes, as the export has them."""
    new_text: float
    """Of the same notes' paragraphs, each once: nothing is copied forward."""
    structured: float
    """Of NDJSON without notes."""
    bare: float
    """Of the same NDJSON only read and written."""
    collecting: float
    leak_test: float
    peak: float
    peak_of_many: float

    def lines(self) -> Iterator[str]:
        yield ""
        yield "## Speed and memory"
        yield ""
        yield "One process, processor time, on the synthetic export."
        yield ""
        yield "| step | MB/s |"
        yield "|---|---:|"
        yield f"| notes cleaned, of their text | {self.text:.2f} |"
        yield f"| paragraphs of notes searched, each once | {self.new_text:.2f} |"
        yield f"| coded resources cleaned, of their NDJSON | {self.structured:.1f} |"
        yield f"| the same NDJSON through orjson and nothing else | {self.bare:.0f} |"
        yield f"| first pass, all files | {self.collecting:.1f} |"
        yield f"| leak test, all files | {self.leak_test:.1f} |"
        yield ""
        yield f"Peak memory of a whole run: {self.peak:.0f} MiB; on {_MANY} copies of every line (the same patients), {self.peak_of_many:.0f} MiB."


def measure_speed(export: Path) -> Speed:
    """Some tens of seconds."""
    with TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        for name in ("parts", "offsets"):
            (work / name).mkdir(parents=True)
        settings = Settings(str(work), secrets.token_hex(32).encode(), True, datetime.now(UTC).date())
        parts = plan(export_files(export), work)
        coded = [part for part in parts if not part.file.startswith(_NOTES)]
        noted = [part for part in parts if part.file.startswith(_NOTES)]
        writer = StoreWriter(settings.store)
        collecting = _timed(lambda part: writer.add(collected(part)[0]), parts)
        writer.finish()
        bench, leak_test = Bench(settings), LeakTest(settings)
        coded_time = _timed(bench.clean, coded)
        noted_time = _timed(bench.clean, noted)
        text = sum(read_done(settings.done(part))["text_bytes"] for part in noted)
        leaking = _timed(leak_test.leaks, parts)
        bare = _timed(_bare, coded)
        return Speed(
            text=text / 1e6 / noted_time,
            new_text=_new_text(noted),
            structured=_size(coded) / 1e6 / coded_time,
            bare=_size(coded) / 1e6 / bare,
            collecting=_size(parts) / 1e6 / collecting,
            leak_test=_size(parts) / 1e6 / leaking,
            peak=_peak(export, Path(folder), 1),
            peak_of_many=_peak(export, Path(folder), _MANY),
        )


def _timed(step: Callable[[Part], object], parts: list[Part]) -> float:
    """Seconds of processor time for all parts."""
    start = time.process_time()
    for part in parts:
        step(part)
    return max(time.process_time() - start, 1e-6)


def _new_text(parts: list[Part]) -> float:
    """Megabytes a second where no paragraph was seen before."""
    lines = (line.resource for part in parts for line in resources_of(part) if line.resource)
    texts = (text for resource in lines for text in _texts(resource))
    seen: set[str] = set()
    new = [_not_seen(text, seen) for text in texts]
    words = vocabulary()
    cleaner, anyone = NoteCleaner(Surrogates(b"measuring" * 8, words), head=shipped_head(words)), nobody(0)
    start = time.process_time()
    for text in new:
        cleaner.find(text, anyone)
    return sum(len(text.encode()) for text in new) / 1e6 / max(time.process_time() - start, 1e-6)


def _not_seen(text: str, seen: set[str]) -> str:
    """The paragraphs of a note that no note before it had."""
    new = [paragraph for paragraph in dict.fromkeys(text.split("\n\n")) if paragraph not in seen]
    seen.update(new)
    return "\n\n".join(new)


def _texts(resource: dict[str, Any]) -> Iterator[str]:
    """The notes in a resource itself."""
    for content in resource.get("content", ()):
        inline = inline_content(content.get("attachment", {}), max_bytes=_LONGEST_NOTE)
        if inline:
            yield content_text(inline, max_bytes=_LONGEST_NOTE)


def _size(parts: list[Part]) -> int:
    return sum(part.end - part.start for part in parts)


def _bare(part: Part) -> None:
    with Path(part.path).open("rb") as file:
        for line in file:
            orjson.dumps(orjson.loads(line))


def _peak(export: Path, folder: Path, copies: int) -> float:
    """MiB of a run on `copies` copies of each file's lines."""
    source, key = folder / f"export-{copies}", folder / "key"
    source.mkdir()
    key.write_text(secrets.token_hex(32), encoding="utf-8")
    for file in export_files(export):
        with (source / file.name).open("wb") as target:
            for _ in range(copies):
                with file.open("rb") as opened:
                    shutil.copyfileobj(opened, target)
    command = [
        "deidentify",
        "--in",
        str(source),
        "--out",
        str(folder / f"out-{copies}"),
        "--key-file",
        str(key),
        "--profile",
        "expert-shift",
    ]
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    return int(done.stderr.rpartition("peak ")[2]) / 1024
