"""`export --dry-run`: what an export would ask for and take, with nothing kicked off, fetched or written.

Input : the request, and a server or a folder
Output: lines for people
At a server it has a token (if the client has a key), and looks into the CapabilityStatement for the operation. Knows no row's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nlp_core.fhir_fields import item, items, words
from training.bulk_export.failures import Refused
from training.bulk_export.folder_source import sources
from training.bulk_export.job import ExportRequest
from training.bulk_export.server import Server
from training.bulk_export.state import ExportState, read_state

_EXPORTS = frozenset({"export", "patient-export", "group-export"})
"""Names by which servers list the operation."""


def of_server(server: Server, request: ExportRequest, out: Path) -> Iterator[str]:
    """Raises ExportFailure where the export itself would before its kick-off."""
    if server.tokens:
        server.tokens.token()
        yield "the token endpoint takes the client's key"
    else:
        yield "no token: without --client-id the server is asked as anybody"
    yield _offered(server)
    types = ", ".join(request.types) or "all types"
    besides = [f"since {request.since}"] if request.since else []
    besides += [f"{len(request.filters)} filters"] if request.filters else []
    besides += [f"{len(request.patients)} patients"] if request.patients else []
    yield f"would ask for {request.path()}: {'; '.join([types, *besides])}"
    yield _begun(read_state(out), out)
    yield f"dry run: nothing asked of $export, nothing written to {out}"


def of_folder(source: Path, out: Path) -> Iterator[str]:
    """Raises ExportFailure for a folder that is none."""
    found = sources(source, out)
    size = sum(path.stat().st_size for path in found)
    yield f"would take over {len(found)} files of {size / 2**20:,.1f} MiB"
    for ending, count in _endings(found).items():
        yield f"  {ending:<12}{count:>8} files"
    yield _begun(read_state(out), out)
    yield f"dry run: no row read, nothing written to {out}"


def _offered(server: Server) -> str:
    """What the server's CapabilityStatement says of the operation; that it says nothing proves nothing."""
    try:
        url, headers = f"{server.base}/metadata", {"accept": "application/fhir+json"}
        found = item(server.ask("GET", url, "the CapabilityStatement", headers=headers).value)
    except Refused as refused:
        return f"{refused}: whether it exports is not known"
    named = {
        words(operation.get("name")) for rest in items(found.get("rest"))
        for part in (rest, *items(rest.get("resource"))) for operation in items(part.get("operation"))
    }  # fmt: skip
    guide = any("bulk-data" in words(one) for one in found.get("instantiates") or ())
    offers = guide or named & _EXPORTS
    return (
        "the server lists the operation" if offers else "the server lists no $export; the kick-off may still be taken"
    )


def _begun(state: ExportState | None, out: Path) -> str:
    if state is None:
        return f"{out} holds no export yet"
    done = "complete" if state.complete else "begun and not finished"
    return f"{out} holds an export, {done}: {len(state.files)} files are there and would not be had again"


def _endings(found: list[Path]) -> dict[str, int]:
    names = ["".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]) for path in found]
    return {ending: names.count(ending) for ending in sorted(set(names))}
