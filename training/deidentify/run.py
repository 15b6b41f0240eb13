"""A whole run: collect, clean, search for leaks, and only then an output; stopped anywhere, it goes on where it was.

Input : a folder of FHIR NDJSON, a key file, a profile     Output: a folder of the same files without identifiers
Knows the order of the work and what lies in the work folder: `run.json` says whose work it is, `identifiers.db` what the
first pass found, `parts/` what is cleaned, `offsets/` where each span went, `report.json` what happened.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson
from tqdm import tqdm

from nlp_core.durable_files import flush_names, write_whole
from training.deidentify.clean_part import Bench, Settings, collected, read_rows, write_rows
from training.deidentify.coded_fields import CodedFields
from training.deidentify.export_parts import Part, export_files, line_count, plan
from training.deidentify.identifier_store import StoreWriter
from training.deidentify.leak_test import LeakTest
from training.deidentify.output_names import output_names
from training.deidentify.readers import Reader
from training.deidentify.report import Report, read_done
from training.deidentify.surrogates import Surrogates, read_key
from training.deidentify.vocabulary import RULES, vocabulary
from training.engines.choice import ONE_PROCESS, Engine

Profile = Literal["safe-harbor", "expert-shift"]
PROFILES: tuple[Profile, ...] = ("safe-harbor", "expert-shift")
VERSION = 2
"""Of what makes results change beside the rules: a work folder of another one is not gone on with."""
_BLOCK = 1024 * 1024
GivenT = TypeVar("GivenT")


class LeakError(Exception):
    """Something of the input is in the output; there is no output."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    source: Path
    out: Path
    work: Path
    key_file: Path
    profile: Profile
    engine: Engine = ONE_PROCESS
    dry_run: bool = False
    as_of: date | None = None
    with_presidio: bool = False
    reader: Reader = "head"
    part_bytes: int = 8 * _BLOCK


def deidentify(order: Order, *, quiet: bool = False) -> Report:
    """Does the whole run. Raises ValueError and FileNotFoundError for what the user can mend, LeakError for a leak."""
    key = read_key(order.key_file)
    files = export_files(order.source)
    if order.out.exists() and not order.dry_run:
        raise ValueError(f"{order.out} exists already; remove it or choose another --out")
    with _work_folder(order.work):
        settings = Settings(
            str(order.work),
            key,
            order.profile == "expert-shift",
            _started(order, key, files),
            order.with_presidio,
            order.reader,
        )
        parts = plan(files, order.work, order.part_bytes)
        names = output_names(files, CodedFields().resource_types)
        given = (replace(settings, key=b""), str(order.key_file.absolute()))  # a cluster's wires do not carry the key
        with order.engine.ready(_prepare, given) as run:
            collect_identifiers(settings, parts, partial(run, _collect), quiet)
            for _ in _progress(run(_clean, parts), parts, "cleaned", quiet):
                pass
            report = _report(order, settings, parts, names)
            leaks = list(_progress(run(_search, parts), parts, "searched for leaks", quiet))
        _judge(order, settings, parts, names, report, leaks)
        if not order.dry_run:
            _publish(order, settings, parts, names)
        _tidy(order.work, everything=order.dry_run)
    return report


def collect_identifiers(
    settings: Settings, parts: list[Part], run: Callable[[list[Part]], Iterable[int]], quiet: bool
) -> None:
    """First pass, unless its store is there. `run` leaves each part's rows in the work folder."""
    if settings.store.exists():
        return
    writer = StoreWriter(settings.store)
    for part, _ in zip(parts, _progress(run(parts), parts, "read for identifiers", quiet), strict=True):
        writer.add(read_rows(settings.rows(part)))
    writer.finish()
    for part in parts:
        settings.rows(part).unlink()


@contextmanager
def _work_folder(work: Path) -> Iterator[None]:
    """The folder, readable to its owner alone, for one run at a time."""
    for folder in (work, work / "parts", work / "offsets"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    work.chmod(0o700)
    descriptor = os.open(work / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(f"{work}: another run is at work there") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _started(order: Order, key: bytes, files: list[Path]) -> date:
    """Notes down what this run is, or checks that what lies there is the same run; gives the day that ages are of."""
    note = order.work / "run.json"
    kept = orjson.loads(note.read_bytes()) if note.exists() else {}
    as_of = order.as_of.isoformat() if order.as_of else kept.get("asOf") or datetime.now(UTC).date().isoformat()
    wanted = {
        "version": VERSION,
        "profile": order.profile,
        "key": Surrogates(key, vocabulary()).fingerprint(),
        "asOf": as_of,
        "presidio": order.with_presidio,
        "reader": order.reader,
        "partBytes": order.part_bytes,
        "rules": _rules_digest(),
        "files": [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files],
    }
    if kept and kept != wanted:
        differing = ", ".join(sorted(name for name in wanted if kept.get(name) != wanted[name]))
        raise ValueError(
            f"{order.work} holds the work of another run (other {differing}); remove it or choose another --work"
        )
    write_whole(note, orjson.dumps(wanted, option=orjson.OPT_INDENT_2))
    return date.fromisoformat(as_of)


def _rules_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(RULES.parent.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _report(order: Order, settings: Settings, parts: list[Part], names: dict[str, str]) -> Report:
    report, first = Report(order.profile), _first_lines(parts)
    for part in parts:
        report.add_part(names[part.file], read_done(settings.done(part)), first[part.number])
    return report


def _judge(
    order: Order,
    settings: Settings,
    parts: list[Part],
    names: dict[str, str],
    report: Report,
    leaks: list[tuple[int, list[tuple[int, str]], int]],
) -> None:
    """Writes the report; raises LeakError, after removing what was staged, where something leaked or got lost."""
    first = _first_lines(parts)
    by_number = {part.number: names[part.file] for part in parts}
    for number, found, _ in leaks:
        report.leaked.extend((by_number[number], first[number] + line, kind) for line, kind in found)
    write_whole(order.work / "report.json", report.json())
    lines_in = sum(count for _, _, count in leaks)
    staged = sum(settings.owners(part).read_bytes().count(b"\n") for part in parts)
    if report.leaked:
        _tidy(order.work, everything=True)
        raise LeakError(
            "\n".join(
                [f"identifiers of the input are in the output; nothing was written to {order.out}", *report.lines()]
            )
        )
    if lines_in != staged + len(report.rejected):
        _tidy(order.work, everything=True)
        raise LeakError(
            f"{lines_in} lines came in, {staged} went out and {len(report.rejected)} were rejected; nothing was written"
        )


def _publish(order: Order, settings: Settings, parts: list[Part], names: dict[str, str]) -> None:
    """The output folder, whole or not there."""
    staging = order.work / "output"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    for part in parts:
        with (staging / names[part.file]).open("ab") as whole, settings.output(part).open("rb") as piece:
            shutil.copyfileobj(piece, whole, _BLOCK)
            whole.flush()
            os.fsync(whole.fileno())
    flush_names(staging)
    order.out.parent.mkdir(parents=True, exist_ok=True)
    if order.out.parent.stat().st_dev != order.work.stat().st_dev:
        raise ValueError(f"--work {order.work} must be on the same file system as --out {order.out}")
    staging.rename(order.out)
    flush_names(order.out.parent)


def _tidy(work: Path, *, everything: bool) -> None:
    """Removes what holds identifiers or is copied; offsets, report and run.json stay unless `everything` but the report goes."""
    for name in ("parts", "unpacked", "output", *(("offsets",) if everything else ())):
        shutil.rmtree(work / name, ignore_errors=True)
    (work / "identifiers.db").unlink(missing_ok=True)
    if everything:
        (work / "run.json").unlink(missing_ok=True)


def _first_lines(parts: list[Part]) -> dict[int, int]:
    """Part -> lines of its file before it. Only files of several parts are counted."""
    found, before = {}, 0
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        before = before if part.start else 0
        found[part.number] = before
        if following and following.file == part.file:
            before += line_count(part)
    return found


_tools: dict[str, Any] = {}
"""Of one process: its settings, and its bench and leak test once they are needed."""


def _prepare(given: tuple[Settings, str]) -> None:
    """given: the settings without their key, and the file it is in."""
    settings, key_file = given
    _tools.clear()
    _tools["settings"] = replace(settings, key=read_key(Path(key_file)))


def _collect(part: Part) -> int:
    """Leaves the rows in the work folder: they are names and numbers of patients, and answers may travel far."""
    rows, _ = collected(part)
    write_rows(_tools["settings"].rows(part), rows)
    return part.number


def _clean(part: Part) -> int:
    if "bench" not in _tools:
        _tools["bench"] = Bench(_tools["settings"])
    _tools["bench"].clean(part)
    return part.number


def _search(part: Part) -> tuple[int, list[tuple[int, str]], int]:
    """Part, leaks, and the lines that came in: counted once more, from the input itself."""
    if "leak_test" not in _tools:
        _tools["leak_test"] = LeakTest(_tools["settings"])
    return part.number, _tools["leak_test"].leaks(part), _lines_in(part)


def _lines_in(part: Part) -> int:
    with Path(part.path).open("rb") as file:
        file.seek(part.start)
        left, count = part.end - part.start, 0
        while left > 0 and (text := file.readline(min(left, _BLOCK))):
            left -= len(text)
            begun = text
            while not text.endswith(b"\n") and left > 0:
                text = file.readline(min(left, _BLOCK))
                left -= len(text)
            count += bool(begun.strip(b" \t\r\n\xef\xbb\xbf"))
        return count


def _progress(steps: Iterable[GivenT], parts: list[Part], word: str, quiet: bool) -> Iterator[GivenT]:
    total = sum(part.end - part.start for part in parts)
    with tqdm(total=total, unit="B", unit_scale=True, desc=word, disable=quiet) as bar:
        for part, given in zip(parts, steps, strict=True):
            bar.update(part.end - part.start)
            yield given
