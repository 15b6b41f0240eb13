"""A Hugging Face hub with one model, over real HTTP on loopback: what `snapshot_download` asks of one, and no more."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(repository: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serves `folder` as `repository`; yields the hub's address and the list of paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            asked.append(path)
            if path.startswith(f"/api/models/{repository}/tree/"):
                return self._send(json.dumps([_described(file, folder) for file in _files(folder)]).encode())
            if path.startswith(f"/api/models/{repository}"):
                siblings = [{"rfilename": file.name} for file in _files(folder)]
                return self._send(json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings}).encode())
            file = folder / path.rpartition("/")[2]
            if path.startswith(f"/{repository}/resolve/") and file.is_file():
                return self._send(file.read_bytes())
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()

        do_HEAD = do_GET

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _described(file: Path, folder: Path) -> dict[str, object]:
    return {"type": "file", "path": str(file.relative_to(folder)), "size": file.stat().st_size, "oid": "0" * 40}
