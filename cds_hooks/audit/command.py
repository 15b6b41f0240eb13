"""`dxspan-audit`: what an operator does with the audit trail: check that it is whole, hand it out, remove what is old.

Knows the command line, files and exit statuses: 0 whole, 1 a broken entry (named), 2 a setting or a file is wrong.
Takes the settings of `dxspan-serve`; with DXSPAN_AUDIT_KEY an export says in clear whom each event was about.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.audit.chain import UNKEYED, Anchor, ChainKeys, Fault, Head, Walked, audit_keys
from cds_hooks.audit.event import AuditEvents
from cds_hooks.audit.export import entry_lines, event_lines
from cds_hooks.audit.pruning import NotTheTrail, prune
from cds_hooks.audit.reading import Heads, KeptTrail
from cds_hooks.audit.store import AuditStore
from cds_hooks.audit.trail import database_url
from cds_hooks.database import open_engine
from cds_hooks.settings import Settings
from nlp_core.durable_files import flush_names
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
        if options.command == "prune":
            _prune(trail, options, settings, faults)
    except ValidationError as error:
        names = ", ".join(f"DXSPAN_{str(fault['loc'][0]).upper()}" for fault in error.errors() if fault["loc"])
        return _refused(f"a setting is wrong: {names or error.title}")
    except (Wrong, NotTheTrail, OSError) as error:
        return _refused(str(error))
    except SQLAlchemyError as error:
        return _refused(f"the database (DXSPAN_AUDIT_DATABASE_URL) cannot be read: {type(error).__name__}")
    return 1 if faults else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dxspan-audit", description="Check, export and prune the audit trail.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    export = commands.add_parser("export", help="check the trail, and write it to a file, one event or entry a line")
    export.add_argument(
        "--form",
        choices=("events", "entries"),
        default="events",
        help="FHIR AuditEvents, or the sealed entries themselves",
    )
    export.add_argument("--out", type=Path, required=True, help="the NDJSON file; made readable to its owner alone")
    export.add_argument("--since", type=_moment, default=_FIRST, help="only events from this date or moment (ISO) on")
    export.add_argument("--until", type=_moment, default=_LAST, help="only events before this date or moment (ISO)")
    verify = commands.add_parser("verify", help="walk every chain; 1 and the first broken entry where one is not whole")
    prune = commands.add_parser("prune", help="remove from the database what is old and held by a file of entries")
    prune.add_argument("--exported", type=Path, required=True, help="what `export --form entries` wrote; keep it")
    prune.add_argument(
        "--before",
        type=_moment,
        help="only entries before this date or moment (ISO); default: DXSPAN_AUDIT_KEEP_DAYS ago",
    )
    for command in (export, verify, prune):
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
    for walked in found.values():
        if walked.anchor and not walked.fault:
            print(_removed(walked.anchor))
    if not faults:
        print(f"{sum(chain.entries for chain in found.values())} entries in {len(found)} chains are whole")
    unkeyed = sum(chain.startswith(UNKEYED) for chain in found)
    if unkeyed:
        print(f"{unkeyed} of the chains were written without a key: whoever can write here could rewrite them")
    if options.note_heads:
        options.note_heads.write_bytes(orjson.dumps({chain: asdict(one.head) for chain, one in found.items()}))
    return faults


def _removed(anchor: Anchor) -> str:
    said = orjson.loads(anchor.body)
    return (
        f"chain {anchor.chain}: entries 1 to {anchor.sequence} were exported and removed; the last time on "
        f"{said['removed']}, held by a file with SHA-256 {said['sha256']}"
    )


def _noted_heads(path: Path) -> Heads:
    try:
        return {chain: Head(**head) for chain, head in orjson.loads(path.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError):
        raise Wrong(f"{path} is not a file of --note-heads") from None


def _export(trail: KeptTrail, options: argparse.Namespace, settings: Settings) -> None:
    """Writes the file, which appears whole or not at all."""
    path, unreadable, written = options.out, Counter[str](), 0
    lines = _lines(trail, options, settings, unreadable)
    fresh = path.with_name(f"{path.name}.new")
    # It may say in clear whom each event was about.
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file, _progress() as progress:
        task = progress.add_task("export", total=trail.count() or None)
        for line in lines:
            file.write(line)
            progress.advance(task)
            written += 1
        file.flush()
        os.fsync(file.fileno())  # `prune` may remove what it holds
    fresh.replace(path)
    flush_names(path.parent)
    print(f"{written} {options.form} in {path}")
    for chain, count in unreadable.items():
        print(f"chain {chain}: {count} entries hold no record and were left out", file=sys.stderr)


def _lines(
    trail: KeptTrail, options: argparse.Namespace, settings: Settings, unreadable: Counter[str]
) -> Iterator[bytes]:
    if options.form == "entries":
        if options.since != _FIRST:
            raise Wrong("entries are exported from the first one on: leave --since out")
        return entry_lines(trail, None if options.until == _LAST else options.until)
    keys = _keys(settings)
    written = event_lines(trail, AuditEvents(settings.public_base_url), Sealer(keys) if keys else None, unreadable)
    return (line for recorded, line in written if options.since <= recorded < options.until)


def _prune(trail: KeptTrail, options: argparse.Namespace, settings: Settings, faults: Sequence[Fault]) -> None:
    if faults:
        print("the trail is not whole: nothing was removed", file=sys.stderr)
        return
    now, kept = datetime.now(UTC), timedelta(days=settings.audit_keep_days)
    moment = options.before or now - kept
    if moment > now - kept:
        raise Wrong(
            f"records are kept for {settings.audit_keep_days} days (DXSPAN_AUDIT_KEEP_DAYS): nothing was removed"
        )
    store = trail.database()
    if not store:
        raise Wrong("there is no database: entries on this machine's disk wait for one and are not removed")
    pruned = prune(store, options.exported, moment, ChainKeys(_keys(settings)), now)
    for one in pruned:
        print(f"chain {one.chain}: removed {one.entries} entries, up to {one.last}")
    if not pruned:
        print(f"nothing was removed: the file holds no entry from before {moment.isoformat(timespec='seconds')}")


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _refused(why: str) -> int:
    print(f"dxspan-audit: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
