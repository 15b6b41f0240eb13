"""`dxspan-train export`: a hospital's FHIR data as a folder of NDJSON, from a server's `$export` or from a folder.

Knows the arguments and how they fit together. A second run with the same arguments goes on where the first ended.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from training.bulk_export.addresses import origin
from training.bulk_export.attachments import FILE as ATTACHMENTS
from training.bulk_export.attachments import fetch_attachments
from training.bulk_export.backend_services import BackendServices, Discovered, discover, read_signing_key
from training.bulk_export.failures import ExportFailure, Gone
from training.bulk_export.folder_source import FolderExport
from training.bulk_export.job import ExportRequest, cancel
from training.bulk_export.rehearsal import of_folder, of_server
from training.bulk_export.report import BAD_ROWS, is_short, summary, write_report
from training.bulk_export.server import Server, http_client
from training.bulk_export.server_source import ServerExport
from training.bulk_export.state import STATE, ExportState, read_state, write_state
from training.command import Command

TYPES = (
    "Patient,Encounter,Condition,DocumentReference,DiagnosticReport,Observation,MedicationRequest,"
    "AllergyIntolerance,Procedure,FamilyMemberHistory"
)
"""What a chart is read from."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", required=True, help="the FHIR server's base URL, or a folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the NDJSON")
    parser.add_argument("--level", default="patient", help="`patient` (all), `system`, or the id of a Group")
    parser.add_argument("--types", default=TYPES, help="resource types (default: %(default)s); `all` for all")
    parser.add_argument("--since", default="", help="only what changed after this instant, 2026-01-31T00:00:00Z")
    parser.add_argument("--filter", action="append", default=[], help="`_typeFilter`, may be repeated")
    parser.add_argument("--patient", action="append", default=[], help="id of a single patient, may be repeated (POST)")
    parser.add_argument("--lenient", action="store_true", help="the server may pass over what it does not support")
    parser.add_argument("--partial-manifests", action="store_true", help="the server may split its manifest")
    parser.add_argument("--kick-off", choices=("auto", "get", "post"), default="auto")
    parser.add_argument("--client-id", help="of SMART Backend Services; without it no token is sent")
    parser.add_argument("--key", type=Path, help="its private key: PEM, JWK or JWK set, RSA or P-384")
    parser.add_argument("--kid", help="the key's id, where the file does not say")
    parser.add_argument("--token-url", help="the token endpoint, where the server does not say")
    parser.add_argument("--scope", help="instead of system/*.read or system/*.rs")
    parser.add_argument("--also-trust", action="append", default=[], help="a further origin that may see the token")
    parser.add_argument("--ca-file", type=Path, help="certificates to trust instead of the usual ones")
    parser.add_argument("--proxy", help="HTTP proxy to go through")
    parser.add_argument("--no-attachments", action="store_true", help="leave texts behind URLs at the server")
    parser.add_argument("--parallel", type=int, default=4, help="files fetched side by side (default: %(default)s)")
    parser.add_argument("--wait-hours", type=float, default=24.0, help="how long to wait for the server")
    parser.add_argument("--begin-anew", action="store_true", help="forget an earlier export into this folder")
    parser.add_argument("--dry-run", action="store_true", help="say what would be asked for and taken, begin nothing")
    parser.add_argument("--cancel", action="store_true", help="tell the server to stop the export of this folder")


def _run(options: Namespace) -> int:
    is_server = "://" in options.source
    if options.dry_run:
        source = Path(options.source)
        said = (
            of_server(_server(options), _request(options), options.out) if is_server else of_folder(source, options.out)
        )
        print("\n".join(said))
        return 0
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    request = _request(options)
    state = _state(
        options, f"{options.source.rstrip('/')} {json.dumps(asdict(request))}" if is_server else options.source
    )
    if options.cancel:
        return _cancelled(options, state)
    if is_server:
        server = _server(options)
        parallel = max(1, options.parallel)
        ServerExport(
            server, request, options.out, state,
            how=options.kick_off, parallel=parallel, wait_seconds=options.wait_hours * 3600,
        ).run()  # fmt: skip
        if not options.no_attachments:
            fetch_attachments(server, options.out, state, parallel)
    else:
        FolderExport(Path(options.source), options.out, state).run()
    write_report(options.out, state)
    print("\n".join(summary(options.out, state)))
    print(f"{options.out}: {len(state.files)} files")
    return 1 if any(map(is_short, state.files.values())) else 0


def _request(options: Namespace) -> ExportRequest:
    return ExportRequest(
        level=options.level,
        types=() if options.types == "all" else tuple(filter(None, options.types.split(","))),
        since=options.since,
        filters=tuple(options.filter),
        patients=tuple(options.patient),
        lenient=options.lenient,
        partial=options.partial_manifests,
    )


def _state(options: Namespace, request: str) -> ExportState:
    """The folder's, where it is of the same request; a new one otherwise, if the folder may take it."""
    found = None if options.begin_anew else read_state(options.out)
    if found is not None and found.request != request and not options.cancel:
        raise ExportFailure(f"{options.out} holds another export; name another folder, or say --begin-anew")
    if found is not None:
        return found
    if options.begin_anew:
        _forget(options.out)
    if any(options.out.glob("*.ndjson")):
        raise ExportFailure(f"{options.out} holds NDJSON that is no export of ours; name another folder")
    state = ExportState(request=request)
    write_state(options.out, state)
    return state


def _forget(folder: Path) -> None:
    """Deletes the files of the earlier export, and no others."""
    state = read_state(folder)
    for path in (*(state.files if state else ()), ATTACHMENTS, BAD_ROWS, STATE):
        (folder / path).unlink(missing_ok=True)


def _server(options: Namespace) -> Server:
    base = options.source.rstrip("/")
    origin(base, "the server")
    client = http_client(ca_file=options.ca_file, proxy=options.proxy)
    server = Server(base, client, trusted=tuple(options.also_trust))
    if options.client_id:
        if not options.key:
            raise ExportFailure("--client-id needs --key: the private key that the client proves itself with")
        key = read_signing_key(options.key, options.kid)
        if options.key.stat().st_mode & 0o077:
            print(f"{options.key} can be read by others than its owner", file=sys.stderr)
        given = Discovered(options.token_url, options.scope or "system/*.read") if options.token_url else None
        found = given or discover(server, key.algorithm)
        found = Discovered(found.token_url, options.scope or found.scope)
        server.tokens = BackendServices(client, options.client_id, key, found)
    return server


def _cancelled(options: Namespace, state: ExportState) -> int:
    if not state.status_url:
        raise ExportFailure(f"{options.out} holds no export that a server works on")
    try:
        cancel(_server(options), state.status_url)
        print("the server has taken the cancellation")
    except Gone:
        print("the server knows of no such export any more")
    state.status_url, state.transaction_time = "", ""
    write_state(options.out, state)
    return 0


COMMAND = Command("export", "FHIR data as NDJSON, from a server's $export or a folder", _arguments, _run)
