"""`dxspan-audit`: what an operator does with the audit trail: check that it is whole, and hand it out as FHIR.

Knows the command line, files and exit statuses: 0 whole, 1 a broken entry (named), 2 a setting or a file is wrong.
Takes the settings of `dxspan-serve`; with DXSPAN_AUDIT_KEY an export says in clear whom each event was about.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.audit.chain import UNKEYED, ChainKeys, Entry, Fault, Head, Walked, audit_keys
from cds_hooks.audit.event import AuditEvents, Json
from cds_hooks.audit.reading import Heads, KeptTrail
from cds_hooks.audit.record import AuditRecord, opened_who
from cds_hooks.audit.spool import Damaged
from cds_hooks.audit.store import AuditStore
from cds_hooks.audit.trail import database_url
from cds_hooks.database import open_engine
from cds_hooks.settings import Settings
from worker.payloads import Sealer

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Wrong(Exception):
    """What keeps the command from running; its text is for the operator."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    options = _options(arguments)
    try:
        # Whom to trust is the web process's business: a developer's settings ask for none of it.
        settings = Settings(development=True)
        trail = _kept_trail(settings)
        faults = _verified(trail, options, ChainKeys(_keys(settings)))
        if options.command == "export":
            _export(trail, options, settings)
    except ValidationError as error:
        names = ", ".join(f"DXSPAN_{str(fault['loc'][0]).upper()}" for fault in error.errors() if fault["loc"])
        return _refused(f"a setting is wrong: {names or error.title}")
    except (Wrong, OSError) as error:
        return _refused(str(error))
    except SQLAlchemyError as error:
        return _refused(f"the database (DXSPAN_AUDIT_DATABASE_URL) cannot be read: {type(error).__name__}")
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dxspan-audit", description="Check and export the audit trail.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    export = commands.add_parser("export", help="check the trail, and write it as FHIR AuditEvents, one a line")
    export.add_argument("--out", type=Path, required=True, help="the NDJSON file; made readable to its owner alone")
    export.add_argument("--since", type=_moment, default=_FIRST, help="only events from this date or moment (ISO) on")
    export.add_argument("--until", type=_moment, default=_LAST, help="only events before this date or moment (ISO)")
    verify = commands.add_parser("verify", help="walk every chain; 1 and the first broken entry where one is not whole")
    for command in (export, verify):
        command.add_argument("--heads", type=Path, help="heads noted earlier: nothing they saw may be missing")
        command.add_argument("--note-heads", type=Path, help="write the heads of now to this file; keep it elsewhere")
    return parser.parse_args(arguments)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _kept_trail(settings: Settings) -> KeptTrail:
    trail = KeptTrail(settings.audit_folder, lambda: _existing_store(database_url(settings)))
    if not trail.chains():
        raise Wrong("there is no audit trail, neither in the database nor in DXSPAN_AUDIT_FOLDER")
    return trail


def _existing_store(url: str | None) -> AuditStore | None:
    if not url or (url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()):
        return None  # opening would make an empty one, and an empty trail is whole
    return AuditStore.existing(open_engine(url))


def _keys(settings: Settings) -> list[bytes]:
    return audit_keys(settings.audit_key.get_secret_value() if settings.audit_key else None)


def _verified(trail: KeptTrail, options: argparse.Namespace, keys: ChainKeys) -> list[Fault]:
    """Walks every chain and says what it found."""
    noted = _noted_heads(options.heads) if options.heads else {}
    found: dict[str, Walked] = {}
    with _progress() as progress:
        task = progress.add_task("verify", total=trail.count() or None)
        for chain in sorted({*trail.chains(), *noted}):
            found[chain] = trail.walked(chain, noted, keys, lambda: progress.advance(task))
    faults = [chain.fault for chain in found.values() if chain.fault]
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{sum(chain.head.sequence for chain in found.values())} entries in {len(found)} chains are whole")
    unkeyed = sum(chain.startswith(UNKEYED) for chain in found)
    if unkeyed:
        print(f"{unkeyed} of the chains were written without a key: whoever can write here could rewrite them")
    if options.note_heads:
        options.note_heads.write_bytes(orjson.dumps({chain: asdict(one.head) for chain, one in found.items()}))
    return faults


def _noted_heads(path: Path) -> Heads:
    try:
        return {chain: Head(**head) for chain, head in orjson.loads(path.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError):
        raise Wrong(f"{path} is not a file of --note-heads") from None


def _export(trail: KeptTrail, options: argparse.Namespace, settings: Settings) -> None:
    """Writes the file, which appears whole or not at all."""
    path, keys = options.out, _keys(settings)
    events = AuditEvents(settings.public_base_url)
    written, unreadable = 0, Counter[str]()
    fresh = path.with_name(f"{path.name}.new")
    # It will say in clear whom each event was about.
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file, _progress() as progress:
        task = progress.add_task("export", total=trail.count() or None)
        for chain in trail.chains():
            for record, event in _events(trail, chain, events, Sealer(keys) if keys else None, unreadable):
                progress.advance(task)
                if options.since <= record.recorded < options.until:
                    file.write(orjson.dumps(event) + b"\n")
                    written += 1
    fresh.replace(path)
    print(f"{written} events in {path}")
    for chain, count in unreadable.items():
        print(f"chain {chain}: {count} entries hold no record and were left out", file=sys.stderr)


def _events(
    trail: KeptTrail, chain: str, events: AuditEvents, sealer: Sealer | None, unreadable: Counter[str]
) -> Iterator[tuple[AuditRecord, Json]]:
    """One event for each answer, however often it was given."""
    repeats = Counter(record.repeat_of for _, record in _records(trail, chain, unreadable) if record.repeat_of)
    for entry, record in _records(trail, chain, Counter()):
        if not record.repeat_of:
            yield record, events.event(entry, record, opened_who(record, sealer), repeats.pop(record.id, 0))
    if not repeats:
        return
    # Repeats of an answer whose own record could not be kept: the first of them stands for it.
    for entry, record in _records(trail, chain, Counter()):
        count = repeats.pop(record.repeat_of, 0) if record.repeat_of else 0
        if count:
            yield record, events.event(entry, record, opened_who(record, sealer), count - 1)


def _records(trail: KeptTrail, chain: str, unreadable: Counter[str]) -> Iterator[tuple[Entry, AuditRecord]]:
    with suppress(Damaged):  # named by the check that went before
        for entry in trail.entries(chain):
            try:
                yield entry, AuditRecord.model_validate_json(entry.body)
            except ValidationError:
                unreadable[chain] += 1


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _refused(why: str) -> int:
    print(f"dxspan-audit: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
