"""The real web process on a real port, with a plain reader behind it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.replay_store import ReplayStore
from cds_hooks.settings import Settings
from tests.cds_hooks import tokens
from tests.cds_hooks.charts import SERVICE
from tests.cds_hooks.databases import Database
from tests.cds_hooks.stand_ins import PlainCards, PlainClient, PlainFeedback
from tests.postgresql import MISSING, LocalPostgres, find_server
from tests.server_thread import ServerThread
from worker.json_log import JsonLines
from worker.local_redis import LocalRedis, ensure_server, free_port


@dataclass
class Served:
    """A running web process and what it works with."""

    url: str
    port: int
    http: httpx.Client
    reader: PlainClient
    cards: PlainCards
    feedback: PlainFeedback

    def call(self, body: Any, **headers: str) -> httpx.Response:
        """POST `body` as JSON to the service."""
        return self.http.post(SERVICE, json=body, headers=headers)

    def post(self, content: bytes, path: str = SERVICE, **headers: str) -> httpx.Response:
        """POST bytes with the right media type unless `headers` say otherwise."""
        sent = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.http.post(path, content=content, headers=sent)

    def signed(self, body: Any, path: str = SERVICE, **token: Any) -> httpx.Response:
        """POST with a good token, changed as `token` says (see tokens.token)."""
        return self.http.post(path, json=body, headers=tokens.bearer(tokens.token(self.url + path, **token)))


Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Starts web processes: `serve(auth=True, ...)` with any settings; they stop with the module."""
    with ExitStack() as running:

        def start(*, seen: ReplayStore | None = None, **changes: Any) -> Served:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            settings = Settings(**({"development": True, "public_base_url": url, "repeat_seconds": 60} | changes))
            reader, cards, feedback = PlainClient(), PlainCards(), PlainFeedback()
            app = create_app(settings, reader, cards=cards, feedback=feedback, seen=seen)
            running.enter_context(ServerThread(server(app, host="127.0.0.1", port=port)))
            http = running.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))
            return Served(url, port, http, reader, cards, feedback)

        yield start


@pytest.fixture(scope="module")
def web(serve: Serve) -> Served:
    """A developer's web process: no tokens."""
    return serve()


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps(tokens.key_set()))
    return path


@pytest.fixture(scope="module")
def guarded(serve: Serve, key_file: Path) -> Served:
    """A web process that wants tokens of one issuer, `hospital-a`."""
    return serve(
        auth=True, trusted_issuers={tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": key_file, "jku": tokens.JKU}}
    )


@pytest.fixture(scope="module")
def redis_server() -> Iterator[LocalRedis]:
    with LocalRedis(ensure_server()) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    programs = find_server()
    if programs is None or find_spec("psycopg") is None:
        pytest.skip(MISSING)
    with LocalPostgres(programs) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind that we take."""
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path}/database/kept.db")
    else:
        postgres: LocalPostgres = request.getfixturevalue("postgres")
        with postgres.database() as url:
            yield Database(url)


@pytest.fixture
def log_lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Every line that this process logs meanwhile, as dxspan-serve would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
