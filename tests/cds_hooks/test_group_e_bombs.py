"""Row E7: answers that inflate to hundreds of megabytes cost the web process, measured as its peak, under 30 MB."""

from __future__ import annotations

import gzip
import itertools
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response, StreamingResponse

from tests.cds_hooks.charts import SERVICE, authorization, call, condition, document, linked_document, patient, prefetch
from tests.fhir_server import FHIR_JSON, Fault, FhirServer
from worker.local_redis import free_port

ROOT = Path(__file__).resolve().parents[2]
MB = 2**20
INFLATED = 300 * 10**6
MOST_EXTRA = 30 * MB


def deflated() -> bytes:
    """INFLATED spaces as a raw deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b" " * 10**6
    return b"".join([*(packer.compress(block) for _ in range(INFLATED // len(block))), packer.flush()])


def encoded(body: bytes, *encodings: str) -> Response:
    response = Response(body, media_type=FHIR_JSON)
    for encoding in encodings:
        response.headers.append("content-encoding", encoding)
    return response


async def _without_end() -> Any:
    for _ in itertools.repeat(None, 5000):
        yield b" " * 65_536


RAW_DEFLATE = deflated()
GZIP = bytes.fromhex("1f8b0800000000000003") + RAW_DEFLATE
ZLIB = bytes.fromhex("78da") + RAW_DEFLATE
"""Without their checksums: whoever comes that far has inflated everything."""
BROTLI = bytes.fromhex(
    "cbffff3f002440e2b14072effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf7"
    "7ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07b"
    "ffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800ba"
    "f77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a0"
    "7bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800"
    "baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705"
    "a07bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f0012007158"
    "00baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff0120011087"
    "05a07bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffcb7fd13000120071"
    "5800ba9a61"
)
"""INFLATED spaces as `brotli` packs them."""
BOMBS: dict[str, Callable[[], Fault]] = {
    "gzip": lambda: encoded(GZIP, "gzip"),
    "gzip in capitals": lambda: encoded(GZIP, "GZip"),
    "x-gzip": lambda: encoded(GZIP, "x-gzip"),
    "gzip twice": lambda: encoded(gzip.compress(GZIP), "gzip, gzip"),
    "gzip twice by two headers": lambda: encoded(gzip.compress(GZIP), "gzip", "gzip"),
    "identity, then gzip": lambda: encoded(GZIP, "identity", "gzip"),
    "zlib": lambda: encoded(ZLIB, "deflate"),
    "raw deflate": lambda: encoded(RAW_DEFLATE, "deflate"),
    "br": lambda: encoded(BROTLI, "br"),
    "zstd by name": lambda: encoded(GZIP, "zstd"),
    "gzip that nobody declared": lambda: encoded(GZIP),
    "300 MB as they are": lambda: StreamingResponse(_without_end(), media_type=FHIR_JSON),
}


class Measured:
    """A web process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def fetching(self, fhir: FhirServer, supplied: Any = ...) -> httpx.Response:
        body = call(prefetch=supplied, fhirServer=fhir.url, fhirAuthorization=authorization())
        return httpx.post(self.url + SERVICE, json=body, trust_env=False, timeout=30)

    def peak(self) -> int:
        """Bytes of resident memory at the most, since `forget_peak`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def settled(self) -> None:
        """Waits until what is loaded beside serving is there: no bomb's doing either."""
        last = 0
        while abs(self._resident() - last) > MB // 4:
            last = self._resident()
            time.sleep(0.7)

    def _resident(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def measured() -> Iterator[Measured]:
    port = free_port()
    command = [sys.executable, "tests/cds_hooks/serve_plain.py", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    running = Measured(process, port)
    try:
        until = time.monotonic() + 20
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"{running.url}/healthz", trust_env=False)
                break
            assert time.monotonic() < until
            time.sleep(0.05)
        yield running
    finally:
        process.kill()
        process.wait()


pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads memory from /proc")


def test_the_bombs_are_bombs() -> None:
    assert len(GZIP) < 400_000
    assert len(gzip.compress(GZIP)) < 10_000
    assert len(BROTLI) < 1000
    unpacker = zlib.decompressobj(31)
    assert len(unpacker.decompress(GZIP, 50 * MB)) == 50 * MB


@pytest.mark.parametrize("kind", ["Condition", "Binary"])
def test_e07_bombs_cost_less_than_30_mb_and_are_named(measured: Measured, kind: str) -> None:
    whole = [patient(), document(), condition("asthma")]
    supplied = prefetch(document(), linked_document("Binary/b1", number=2)) if kind == "Binary" else ...
    with FhirServer(whole) as fhir:
        measured.fetching(fhir)  # what the first call loads is no bomb's doing
        measured.settled()
        before = _fresh_peak(measured)
        for name, bomb in BOMBS.items():
            fhir.faults = {kind: bomb()}
            answer = measured.fetching(fhir, supplied)
            assert answer.status_code == 200, name
            assert answer.json()["extension"]["org.dxspan.status"]["unread"], name
            assert measured.peak() - before < MOST_EXTRA, name


def test_e07_eight_bombs_at_once_cost_less_than_30_mb(measured: Measured) -> None:
    kinds = (
        "Patient",
        "DocumentReference",
        "Condition",
        "Observation",
        "MedicationRequest",
        "AllergyIntolerance",
        "Encounter",
    )
    with FhirServer([patient(), document()]) as fhir:
        measured.fetching(fhir)
        measured.settled()
        before = _fresh_peak(measured)
        fhir.faults = dict.fromkeys(kinds, encoded(gzip.compress(GZIP), "gzip, gzip"))
        assert measured.fetching(fhir).status_code == 412
        assert measured.peak() - before < MOST_EXTRA


def _fresh_peak(measured: Measured) -> int:
    measured.forget_peak()
    return measured.peak()
