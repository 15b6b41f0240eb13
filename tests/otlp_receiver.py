"""Takes OpenTelemetry traces over HTTP as a collector would, and keeps every byte: bodies, headers, spans."""

from __future__ import annotations

import gzip
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HANG_SECONDS = 30.0


@dataclass(frozen=True)
class Received:
    """One span."""

    service: str
    name: str
    kind: int
    """1 internal, 2 server, 4 producer, 5 consumer."""
    trace: str
    id: str
    parent: str
    begun: int
    ended: int
    """Nanoseconds."""
    attributes: dict[str, Any]
    failed: bool


class OtlpReceiver:
    """A collector at a port of its own; `hangs`: takes a connection and answers nothing."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.raw: list[bytes] = []
        self.asked = 0
        receiver, ended = self, threading.Event()
        self._ended = ended

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.asked += 1
                if hangs:
                    ended.wait(HANG_SECONDS)
                    return
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.raw += [f"{self.path} {self.headers}".encode(), body]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def environment(self) -> dict[str, str]:
        """What has a process of ours send here, soon."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {"DXSPAN_TRACING": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100"}

    @property
    def spans(self) -> list[Received]:
        """All that came, in the order of their beginning."""
        found: list[Received] = []
        for body in self.raw[1::2]:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
                found += [_received(service, span) for scope in resource.scope_spans for span in scope.spans]
        return sorted(found, key=lambda one: one.begun)

    def wait_for(self, names: set[str], *, seconds: float = 10.0) -> list[Received]:
        """The spans, once these names are among them; fails the test after `seconds`."""
        until = time.monotonic() + seconds
        while not names <= {one.name for one in self.spans}:
            assert time.monotonic() < until, f"only {sorted({one.name for one in self.spans})} came"
            time.sleep(0.05)
        return self.spans

    def __enter__(self) -> OtlpReceiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def _received(service: str, span: Any) -> Received:
    attributes = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
    return Received(
        service,
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        attributes,
        span.status.code == 2,
    )
