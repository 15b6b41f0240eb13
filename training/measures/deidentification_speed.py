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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from nlp_core.attachments import content_text, inline_content
from training.deidentify.clean_part import Bench, Settings, collected
from training.deidentify.export_parts import Part, export_files, plan, resources_of
from training.deidentify.identifier_store import StoreWriter
from training.deidentify.leak_test import LeakTest
from training.deidentify.notes import NoteCleaner, nobody
from training.deidentify.readers import READERS, Reader, shipped_reader
from training.deidentify.report import read_done
from training.deidentify.surrogates import Surrogates
from training.deidentify.vocabulary import vocabulary

_NOTES = ("DocumentReference", "DiagnosticReport", "Binary", "Composition")
_ROUNDS = 3
MANY = 8
"""Times the export, to measure how memory grows."""
_LONGEST_NOTE = 1_000_000
_PEAK = (
    "import sys; from training.__main__ import main; code = main(sys.argv[1:]);"
    " peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'));"
    " print('peak', peak, file=sys.stderr); sys.exit(code)"
)
"""Of this program alone; what `getrusage` says may be the peak of whoever started it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Megabytes a second of one process, and MiB."""

    text: dict[Reader, float]
    """Of the words in notes, as the export has them, by each reader."""
    new_text: dict[Reader, float]
    """Of the same notes' paragraphs, each once: nothing is copied forward."""
    structured: float
    """Of NDJSON without notes."""
    bare: float
    """Of the same NDJSON only read and written."""
    collecting: float
    leak_test: float
    peak: float
    peak_of_many: float
    peak_of_encoder: float

    def lines(self) -> Iterator[str]:
        yield ""
        yield "## Speed and memory"
        yield ""
        yield f"One process, processor time, on the synthetic export; what is cleaned, the quickest of {_ROUNDS} rounds that each begin anew."
        yield "(A machine that is shared disturbs every round, none makes one quicker; orjson alone, in one round, tells how fast it was.)"
        yield ""
        yield "| step | MB/s |"
        yield "|---|---:|"
        for reader in READERS:
            yield f"| notes cleaned, of their text (`--reader {reader}`) | {self.text[reader]:.2f} |"
        for reader in READERS:
            yield f"| paragraphs of notes searched, each once (`--reader {reader}`) | {self.new_text[reader]:.2f} |"
        yield f"| coded resources cleaned, of their NDJSON | {self.structured:.1f} |"
        yield f"| the same NDJSON through orjson and nothing else | {self.bare:.0f} |"
        yield f"| first pass, all files | {self.collecting:.1f} |"
        yield f"| leak test, all files | {self.leak_test:.1f} |"
        yield ""
        yield f"Peak memory of a whole run: {self.peak:.0f} MiB; on {MANY} copies of every line (the same patients), {self.peak_of_many:.0f} MiB;"
        yield f"with `--reader encoder` {self.peak_of_encoder:.0f} MiB."


def measure_speed(export: Path) -> Speed:
    """A minute."""
    with TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        _empty_folders(work)
        settings = Settings(str(work), secrets.token_hex(32).encode(), True, datetime.now(UTC).date())
        parts = plan(export_files(export), work)
        coded = [part for part in parts if not part.file.startswith(_NOTES)]
        noted = [part for part in parts if part.file.startswith(_NOTES)]
        writer = StoreWriter(settings.store)
        collecting = _timed(lambda part: writer.add(collected(part)[0]), parts)
        writer.finish()
        bench = Bench(settings)
        for part in parts:
            bench.clean(part)
        coded_time, _ = _cleaning(settings, "head", coded)
        text: dict[Reader, float] = {reader: _text(settings, reader, noted) for reader in READERS}
        leaking = _timed(LeakTest(settings).leaks, parts)
        bare = _timed(_bare, coded)
        return Speed(
            text=text,
            new_text={reader: _new_text(noted, reader) for reader in READERS},
            structured=_size(coded) / 1e6 / coded_time,
            bare=_size(coded) / 1e6 / bare,
            collecting=_size(parts) / 1e6 / collecting,
            leak_test=_size(parts) / 1e6 / leaking,
            peak=_peak(export, Path(folder), 1),
            peak_of_many=_peak(export, Path(folder), MANY),
            peak_of_encoder=_peak(export, Path(folder), 1, "encoder"),
        )


def _timed(step: Callable[[Part], object], parts: list[Part]) -> float:
    """Seconds of processor time for all parts."""
    start = time.process_time()
    for part in parts:
        step(part)
    return max(time.process_time() - start, 1e-6)


def _cleaning(settings: Settings, reader: Reader, parts: list[Part]) -> tuple[float, Settings]:
    """Seconds of processor time to clean all parts, the least of rounds that know nothing of each other; the last round's run."""
    own, seconds = settings, []
    for number in range(_ROUNDS):
        own = _begun_anew(settings, reader, number)
        seconds.append(_timed(Bench(own).clean, parts))
    return min(seconds), own


def _begun_anew(settings: Settings, reader: Reader, number: int) -> Settings:
    """The same run by a reader, in a work folder of its own."""
    own = replace(settings, work=f"{settings.work}.{reader}.{number}", reader=reader)
    _empty_folders(Path(own.work))
    shutil.copyfile(settings.store, own.store)
    return own


def _empty_folders(work: Path) -> None:
    for name in ("parts", "offsets"):
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True)


def _text(settings: Settings, reader: Reader, parts: list[Part]) -> float:
    """Megabytes of notes cleaned a second."""
    seconds, run = _cleaning(settings, reader, parts)
    return sum(int(read_done(run.done(part))["text_bytes"]) for part in parts) / 1e6 / seconds


def _new_text(parts: list[Part], reader: Reader) -> float:
    """Megabytes a second where no paragraph was seen before."""
    lines = (line.resource for part in parts for line in resources_of(part) if line.resource)
    texts = (text for resource in lines for text in _texts(resource))
    seen: set[str] = set()
    new = [_not_seen(text, seen) for text in texts]
    words = vocabulary()
    cleaner, anyone = NoteCleaner(Surrogates(b"measuring" * 8, words), head=shipped_reader(reader, words)), nobody(0)
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


def _peak(export: Path, folder: Path, copies: int, reader: Reader = "head") -> float:
    """MiB of a run on `copies` copies of each file's lines."""
    source, key = folder / f"export-{copies}-{reader}", folder / "key"
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
        str(folder / f"out-{copies}-{reader}"),
        "--key-file",
        str(key),
        "--profile",
        "expert-shift",
        "--reader",
        reader,
    ]
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    return int(done.stderr.rpartition("peak ")[2]) / 1024
